"""A Jaeger is asked for its dependencies, in the words of each of its versions, and as safely as a Prometheus."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from support.jaeger import PASSWORD, USER, Jaeger
from support.secure import Certificates
from support.servers import FaultyServer, Reply, free_port

from observatory.config import load_settings
from observatory.config.sources import JaegerSettings
from observatory.errors import (
    AccessDeniedError,
    AnswerTooLargeError,
    ConfigError,
    MalformedAnswerError,
    SourceBusyError,
    SourceRefusedError,
    SourceTimeoutError,
    SourceUnreachableError,
)
from observatory.model import Call
from observatory.sources import CallSource
from observatory.sources.jaeger import JaegerSource

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CALLS = [("cart", "pay"), ("web", "cart")]
FOUND = [Call(a, b, "jaeger", "eu") for a, b in CALLS]


def a_jaeger(url: str, **settings: Any) -> JaegerSource:
    return JaegerSource("eu", JaegerSettings(url=url, **settings), lambda: NOW, lambda seconds: None)


@pytest.mark.parametrize("v3", ["both", "snake", None])
def test_dependencies_are_calls_in_every_version(v3: str | None) -> None:
    with Jaeger(*CALLS, v3=v3) as server:
        source = a_jaeger(server.url)
        assert isinstance(source, CallSource)
        assert source.graph() == source.graph() == FOUND
        assert len(server.requests) == (2 if v3 else 3), "what a version does not have is asked for once"


def test_it_looks_back_as_far_as_the_setting_says() -> None:
    with Jaeger(*CALLS, v3=None) as server:
        a_jaeger(server.url, lookback_hours=2).graph()
        v3, classic = (request.path for request in server.requests)
    assert "startTime=2026-01-02T01%3A04%3A05Z&endTime=2026-01-02T03%3A04%3A05Z" in v3
    assert classic.endswith("endTs=1767323045000&lookback=7200000")


@pytest.mark.parametrize("v3", ["both", None])
def test_a_jaeger_that_knows_no_calls_is_no_failure(v3: str | None) -> None:
    with Jaeger(v3=v3) as server:
        assert a_jaeger(server.url).graph() == []


def test_calls_of_a_service_to_itself_and_names_that_cannot_be_are_left_out() -> None:
    with Jaeger(("web", "web"), ("web", ""), ("a\nb", "web"), ("x" * 999, "web"), *CALLS) as server:
        assert a_jaeger(server.url).graph() == FOUND


@pytest.mark.parametrize("page", ["", "/", "/search", "/dependencies", "/trace/abc?uiFind=x"])
def test_an_address_copied_from_the_browser_with_its_prefix_is_found(page: str) -> None:
    with Jaeger(*CALLS, prefix="/jaeger/ui") as server:
        assert a_jaeger(f"{server.url}/jaeger/ui{page}").graph() == FOUND


def test_log_in_and_tls_are_those_of_a_prometheus(certificates: Certificates) -> None:
    with Jaeger(*CALLS, login=True, tls=certificates.context()) as server:
        trusted = {"ca_file": certificates.authority}
        assert a_jaeger(server.url, username=USER, password=PASSWORD, **trusted).graph() == FOUND
        with pytest.raises(AccessDeniedError, match=r"HTTP 401.*check token or password in \[jaeger\.eu\]") as raised:
            a_jaeger(server.url, username=USER, password="hunter2", **trusted).graph()
        assert "hunter2" not in str(raised.value)
        with pytest.raises(SourceUnreachableError, match=r"Jaeger at .*verify failed.*ca_file of \[jaeger\.eu\]"):
            a_jaeger(server.url).graph()


@pytest.mark.parametrize(
    ("reply", "error", "message"),
    [
        (Reply(500, b'{"errors": [{"code": 500, "msg": "no index"}]}'), SourceRefusedError, "HTTP 500.*no index"),
        (Reply(503, b"later", {"Retry-After": "60"}), SourceBusyError, "HTTP 503"),
        (Reply(200, b'{"data": [{"parent": 7}]}'), MalformedAnswerError, r"not answer like a Jaeger.*url of \[jaeger"),
        (Reply(200, b"<html><title>Sign in</title></html>"), AccessDeniedError, "log-in page"),
        (Reply(302, b"", {"Location": "https://sso.example/login"}), AccessDeniedError, "log-in page at https://sso"),
        (Reply(302, b"", {"Location": "https://other.example/x"}), SourceRefusedError, "redirects to https://other"),
        (Reply(200, b"x" * 2_000_000), AnswerTooLargeError, r"max_answer of \[jaeger\.eu\]"),
        (Reply(200, b"{}", stall=1), SourceTimeoutError, r"timeout of \[jaeger\.eu\]"),
    ],
    ids=["broken", "busy", "other data", "log-in page", "to a log-in", "away", "huge", "slow"],
)
def test_what_goes_wrong_is_named_with_the_way_out(reply: Reply, error: type[Exception], message: str) -> None:
    def choose(request: Any) -> Reply:
        return reply if "/api/dependencies" in request.path else Reply(404)

    with FaultyServer(choose=choose) as server, pytest.raises(error, match=message):
        a_jaeger(server.url, timeout=0.3, max_answer=1).graph()


def test_one_that_is_away_is_told_and_left_alone_for_a_while() -> None:
    source = a_jaeger(f"http://127.0.0.1:{free_port()}")
    for _ in range(2):
        with pytest.raises(SourceUnreachableError, match=r"Jaeger at .* cannot be reached.*url of \[jaeger\.eu\]"):
            source.graph()


def test_a_mistake_in_its_table_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"jaeger\.eu.*token and username are both set"):
        load_settings(jaeger={"eu": {"url": "http://j:16686", "token": "t", "username": "me"}})
    with pytest.raises(ConfigError, match=r"jaeger\.eu\.url"):
        load_settings(jaeger={"eu": {"url": "j:16686"}})
    monkeypatch.setenv("OBSERVATORY_JAEGER__EU__URL", "http://j:16686")
    assert str(load_settings().jaeger["eu"].url) == "http://j:16686/"
