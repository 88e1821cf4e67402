"""The client logs in every way there is, keeps its bounds, and leaves a server alone that is down."""

from __future__ import annotations

import contextlib
import gzip
import logging
import threading
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.blind import asked_of, blind, queries
from support.secure import PASSWORD, USER, Certificates, SecurePrometheus
from support.servers import FaultyServer, Reply, free_port, refusal, success, wait_until

from observatory.config import Settings, load_settings
from observatory.config.sources import SourceSettings
from observatory.errors import (
    ConfigError,
    MalformedAnswerError,
    SourceRefusedError,
    SourceTimeoutError,
    SourceUnreachableError,
)
from observatory.sources.prometheus.circuit import PATIENCE, REST, Circuit
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.connection import TLS, Authentication, Limits
from observatory.sources.prometheus.source import PrometheusSource

NOW = datetime(2026, 1, 2, tzinfo=UTC)
EMPTY = success([])
PATIENT = Limits(timeout=5)


def a_client(url: str, limits: Limits = PATIENT, **more) -> PrometheusClient:
    return PrometheusClient(url, limits, **({"sleep": lambda seconds: None} | more))


# -- log-in and TLS ---------------------------------------------------------------------------


def secure_settings(secure: SecurePrometheus, **changes) -> SourceSettings:
    certificate, key = secure.certificates.of("client")
    whole = {
        "url": secure.url,
        "username": USER,
        "password": PASSWORD,
        "ca_file": secure.certificates.authority,
        "cert_file": certificate,
        "key_file": key,
        "timeout": 10,
    }
    return SourceSettings(**{name: value for name, value in (whole | changes).items() if value is not None})


@pytest.mark.servers
def test_a_real_prometheus_behind_tls_log_in_and_certificates_is_reached(secure: SecurePrometheus) -> None:
    client = PrometheusClient.of(secure_settings(secure))
    assert client.instant("vector(7)", NOW).series[0].values == [7.0]
    assert client.version().startswith("2.") or client.version().startswith("3.")
    assert client.skew is not None
    assert abs(client.skew) < 5


@pytest.mark.servers
@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"password": "wrong"}, SourceRefusedError, r"HTTP 401, check token or password"),
        ({"username": None, "password": None}, SourceRefusedError, r"HTTP 401"),
        ({"ca_file": None}, SourceUnreachableError, r"certificate verify failed.*OBSERVATORY_PROMETHEUS_CA_FILE"),
        ({"cert_file": None, "key_file": None}, SourceUnreachableError, r"OBSERVATORY_PROMETHEUS_CERT_FILE"),
    ],
    ids=["password", "no log-in", "authority", "no certificate"],
)
def test_what_a_real_prometheus_refuses_is_said_with_the_way_out(
    secure: SecurePrometheus, changes: dict[str, object], error: type[Exception], message: str
) -> None:
    client = PrometheusClient.of(secure_settings(secure, **changes))
    client._sleep = lambda seconds: None
    with pytest.raises(error, match=message):
        client.instant("up", NOW)


def test_an_unchecked_certificate_is_taken_only_on_request(certificates: Certificates) -> None:
    with FaultyServer(EMPTY, tls=certificates.context()) as server:
        a_client(server.url, tls=TLS(verify=False)).instant("up", NOW)
        with pytest.raises(SourceUnreachableError, match="certificate verify failed"):
            a_client(server.url).instant("up", NOW)
        by_name = server.url.replace("127.0.0.1", "localhost")
        with pytest.raises(SourceUnreachableError, match="not valid for this name"):
            a_client(by_name, tls=TLS(Path(certificates.authority))).instant("up", NOW)


def test_tls_to_a_server_without_it_is_told_from_a_wrong_certificate() -> None:
    with FaultyServer(EMPTY) as server, pytest.raises(SourceUnreachableError, match="http://"):
        a_client(server.url.replace("http:", "https:")).instant("up", NOW)


def test_a_token_file_is_read_again_for_every_request(tmp_path: Path) -> None:
    file = tmp_path / "token"
    with FaultyServer(EMPTY) as server:
        client = a_client(server.url, authentication=Authentication(token_file=file))
        for token in ("first", "second"):
            file.write_text(f"{token}\n")
            client.instant("up", NOW)
        file.write_text("")
        with pytest.raises(SourceRefusedError, match="holds no token"):
            client.instant("up", NOW)
        file.unlink()
        with pytest.raises(SourceRefusedError, match=r"token file .* cannot be read \(No such file"):
            client.instant("up", NOW)
    assert [request.headers["Authorization"] for request in server.requests] == ["Bearer first", "Bearer second"]


@pytest.mark.slow
def test_headers_of_the_settings_go_with_every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBSERVATORY_PROMETHEUS_HEADERS", '{"X-Scope-OrgID": "shop", "THANOS-TENANT": "eu"}')
    with FaultyServer(EMPTY) as server:
        PrometheusSource.from_settings(load_settings(prometheus_url=server.url)).discover()
    assert server.requests[0].headers["X-Scope-OrgID"] == "shop"
    assert server.requests[0].headers["THANOS-TENANT"] == "eu"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prometheus_headers": {"X-Org": "a\r\nX-Other: geheim"}}, "the value of header X-Org has characters"),
        ({"prometheus_headers": {"X Org": "geheim"}}, "'X Org' is no name of a header"),
        ({"prometheus_token": "geheim\n"}, "token has characters that cannot be sent"),
        ({"prometheus_ca_file": "none.pem"}, "ca_file names 'none.pem', which is no file"),
        ({"prometheus_key_file": "k.pem"}, "key_file is set without cert_file"),
        ({"prometheus_password": "geheim"}, "a password is set without a username"),
    ],
    ids=["line break", "name", "token", "authority", "key", "password"],
)
def test_what_cannot_be_sent_is_refused_with_the_settings(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        load_settings(prometheus_url="http://127.0.0.1:9090", **settings)
    assert "geheim" not in str(raised.value)


# -- bounds -----------------------------------------------------------------------------------


def test_connections_are_kept() -> None:
    with FaultyServer(EMPTY, keep_alive=True) as server:
        client = a_client(server.url)
        for _ in range(5):
            client.instant("up", NOW)
        client._session.close()
    assert len(server.requests) == 5
    assert server.connections == 1


@pytest.mark.slow
def test_bytes_that_come_ever_so_slowly_are_a_timeout() -> None:
    slow = Reply(body=EMPTY.body * 1000, drip=0.01)
    with FaultyServer(slow) as server, pytest.raises(SourceTimeoutError, match="within 1 s"):
        a_client(server.url, Limits(timeout=1)).instant("up", NOW)
    assert len(server.requests) == 1


@pytest.mark.slow
def test_no_more_requests_than_allowed_are_in_flight() -> None:
    with FaultyServer(choose=blind(Reply(body=EMPTY.body, drip=0.001))) as server:
        source = PrometheusSource(a_client(server.url, Limits(timeout=5, concurrency=2)))
        assert source.collect(NOW).queries == len(asked_of(server)) == queries()
    assert server.most_at_once == 2


def test_history_leaves_a_slot_to_what_is_asked_for_now() -> None:
    with FaultyServer(choose=lambda r: Reply(silent=True) if "query_range" in r.path else EMPTY) as server:
        client = a_client(server.url, Limits(timeout=5, concurrency=2))
        histories = [threading.Thread(target=_forget, args=(client,)) for _ in range(4)]
        for thread in histories:
            thread.start()
        wait_until(lambda: server.requests, 5, "a question about history")
        client.instant("up", NOW)
        assert [request.path for request in server.requests] == ["/api/v1/query_range", "/api/v1/query"]
        server._left.set()
        for thread in histories:
            thread.join()


def _forget(client: PrometheusClient) -> None:
    with contextlib.suppress(SourceUnreachableError):
        client.range("up", NOW, NOW, 60)


# -- a server that is down --------------------------------------------------------------------


class FakeClock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def failing(error: Exception):
    def ask() -> None:
        raise error

    return ask


def test_a_server_that_cannot_be_reached_is_left_alone_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = FakeClock()
    circuit = Circuit(clock)
    asked: list[float] = []

    def ask() -> None:
        asked.append(clock.now)
        raise SourceUnreachableError("connection refused")

    for clock.now in (0.0, 1.0, REST - 1, REST, REST + 1, 2 * REST):
        with pytest.raises(SourceUnreachableError, match="connection refused"):
            circuit.call(ask)
    assert asked == [0.0, REST, 2 * REST]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    clock.now = 3 * REST
    assert circuit.call(lambda: "up") == "up"
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert circuit.call(lambda: "up") == "up"


def test_slow_answers_open_the_circuit_only_in_a_row() -> None:
    circuit = Circuit(FakeClock())
    for _ in range(2):
        for _ in range(PATIENCE - 1):
            with pytest.raises(SourceTimeoutError):
                circuit.call(failing(SourceTimeoutError("slow")))
        with pytest.raises(SourceRefusedError):
            circuit.call(failing(SourceRefusedError("bad query")))  # it answered
        assert not circuit.is_open
    for _ in range(PATIENCE):
        with pytest.raises(SourceTimeoutError):
            circuit.call(failing(SourceTimeoutError("slow")))
    assert circuit.is_open


def test_while_one_call_tries_again_the_others_wait_for_what_becomes_of_it() -> None:
    clock = FakeClock()
    circuit = Circuit(clock)
    with pytest.raises(SourceUnreachableError):
        circuit.call(failing(SourceUnreachableError("down")))
    clock.now = REST
    trying, answered, got = threading.Event(), threading.Event(), []

    def first() -> str:
        trying.set()
        answered.wait(5)
        return "first"

    threads = [threading.Thread(target=lambda: got.append(circuit.call(first)))]
    threads[0].start()
    trying.wait(5)
    threads += [threading.Thread(target=lambda: got.append(circuit.call(lambda: "other"))) for _ in range(3)]
    for thread in threads[1:]:
        thread.start()
    assert got == []
    answered.set()
    for thread in threads:
        thread.join()
    assert sorted(got) == ["first", "other", "other", "other"]


def test_a_bug_does_not_leave_the_circuit_waiting_for_ever() -> None:
    circuit = Circuit(FakeClock())
    with pytest.raises(ZeroDivisionError):
        circuit.call(failing(ZeroDivisionError()))
    assert circuit.call(lambda: 1) == 1


def test_a_busy_server_is_left_alone_after_three_times_three_tries() -> None:
    with FaultyServer(refusal(503, "busy")) as server:
        client = a_client(server.url)
        for _ in range(PATIENCE + 2):
            with pytest.raises(SourceRefusedError, match="busy"):
                client.instant("up", NOW)
    assert len(server.requests) == 3 * PATIENCE


def test_a_server_that_comes_back_is_asked_again() -> None:
    port = free_port()
    client = a_client(f"http://127.0.0.1:{port}")
    clock = FakeClock()
    client._other.circuit = Circuit(clock)
    with pytest.raises(SourceUnreachableError):
        client.instant("up", NOW)
    with FaultyServer(EMPTY, port=port):
        with pytest.raises(SourceUnreachableError):
            client.instant("up", NOW)
        clock.now = REST
        assert client.instant("up", NOW).series == []


@pytest.mark.slow
def test_an_answer_made_to_fill_memory_is_refused_before_it_does() -> None:
    """A gzip bomb: 200 MB of blanks in 200 kB, within the bound on answers."""
    bomb = gzip.compress(b" " * 200_000_000)
    with FaultyServer(Reply(body=bomb, headers={"Content-Encoding": "gzip"})) as server:
        client = a_client(server.url, Limits(timeout=30, max_answer=256))
        tracemalloc.start()
        with pytest.raises(MalformedAnswerError, match="unpacks to more than 200 times its size"):
            client.instant("up", NOW)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 100e6
    assert len(server.requests) == 1


def test_the_settings_reach_the_client(tmp_path: Path) -> None:
    settings = Settings(prometheus_url="http://127.0.0.1:9090", prometheus_concurrency=2, prometheus_max_answer=1)
    client = PrometheusSource.from_settings(settings).client
    assert client.limits == Limits(timeout=30, concurrency=2, max_answer=1)


def test_what_logs_in_does_not_show_its_secret() -> None:
    shown = repr(Authentication(token="geheim", username="ann", password="geheim"))
    assert "ann" in shown
    assert "geheim" not in shown
