"""Traces of slow requests are read from the exemplars that a real Prometheus keeps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from support.exemplars import target
from support.servers import FaultyServer, Prometheus, Reply, refusal, wait_until

from observatory.errors import MalformedAnswerError, SourceRefusedError
from observatory.model import Exemplar
from observatory.sources import ExemplarSource
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.connection import Limits
from observatory.sources.prometheus.source import PrometheusSource

SLOW = {"4bf92f3577b34da6a3ce929d0e0e4736": 4.2, "aaaa": 0.7, "bbbb": 0.05}
MINUTES = timedelta(minutes=5)


class Remembering(Prometheus):
    flags = ("--enable-feature=exemplar-storage",)


@pytest.fixture(scope="module")
def server() -> Iterator[Prometheus]:
    """Two services with exemplars, whose labels are called otherwise."""
    with (
        target(SLOW) as cart,
        target({"cccc": 3.0}, "traceID") as pay,
        Remembering({"shop/cart": address(cart), "shop/pay": address(pay)}) as server,
    ):
        yield server


def address(server: FaultyServer) -> str:
    return server.url.partition("://")[2]


def client_of(url: str) -> PrometheusClient:
    return PrometheusClient(url, Limits(timeout=10), sleep=lambda seconds: None)


def found(source: PrometheusSource, service: str) -> list[Exemplar]:
    now = datetime.now(UTC)
    source.look_again()
    return source.exemplars(service, ["shop/cart", "shop/pay"], now - MINUTES, now)


@pytest.mark.servers
def test_the_slowest_requests_of_a_service_are_found_with_their_traces(server: Prometheus) -> None:
    source = PrometheusSource(client_of(server.url), window=8.0, presets=["otel"])
    assert isinstance(source, ExemplarSource)
    wait_until(lambda: len(found(source, "shop/cart")) == len(SLOW), 60, "exemplars", server.log)
    cart = found(source, "shop/cart")
    assert [(one.trace_id, one.seconds) for one in cart] == list(SLOW.items())
    assert abs(datetime.now(UTC) - cart[0].at) < MINUTES
    wait_until(lambda: found(source, "shop/pay"), 60, "exemplars", server.log)
    assert [one.trace_id for one in found(source, "shop/pay")] == ["cccc"]
    now = datetime.now(UTC)
    assert len(source.exemplars("shop/cart", ["shop/cart"], now - MINUTES, now, most=1)) == 1


@pytest.mark.servers
def test_whether_a_server_keeps_them_is_known(server: Prometheus) -> None:
    assert client_of(server.url).features() == {"exemplar-storage"}
    with Prometheus({}) as forgetful:
        client = client_of(forgetful.url)
        now = datetime.now(UTC)
        assert client.features() == frozenset()
        assert client.exemplars("up", now - MINUTES, now) == []


@pytest.mark.parametrize("body", [b'{"status":"success","data":[{"a":1}]}', b'{"status":"success","data":7}'])
def test_what_is_no_answer_is_said(body: bytes) -> None:
    now = datetime.now(UTC)
    with (
        FaultyServer(choose=lambda _: Reply(200, body)) as server,
        pytest.raises(MalformedAnswerError, match="exemplars"),
    ):
        client_of(server.url).exemplars("up", now - MINUTES, now)


def test_a_server_that_does_not_know_them_says_nothing_of_features() -> None:
    with FaultyServer(choose=lambda _: refusal(404, "no")) as server:
        client = client_of(server.url)
        assert client.features() is None
        now = datetime.now(UTC)
        with pytest.raises(SourceRefusedError):
            client.exemplars("up", now - MINUTES, now)
