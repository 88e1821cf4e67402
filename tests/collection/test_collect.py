"""One collection keeps what came, says what did not, and asks a Prometheus nine questions, however many services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from support.blind import blind, by_metric
from support.servers import FaultyServer, Reply, free_port, refusal, success, wait_until

from observatory.catalog import METRICS
from observatory.collection.collect import collect_once, discover
from observatory.errors import SourceError, SourceRefusedError, SourceUnreachableError, UnknownServiceError
from observatory.model import Collected, Failure, Service
from observatory.sources.demo.shop import MEASURED, SHOP, DemoSource
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.connection import Limits
from observatory.sources.prometheus.source import PrometheusSource
from observatory.store import Store

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
THREE = ["alertmanager", "node", "prometheus"]


def a_prometheus(url: str) -> PrometheusSource:
    return PrometheusSource(PrometheusClient(url, Limits(timeout=5), sleep=lambda seconds: None))


class Counting:
    """A session that counts the requests another one makes."""

    def __init__(self, session) -> None:
        self._session = session
        self.paths: list[str] = []

    def post(self, url: str, **more):
        self.paths.append(url.rpartition("/")[2])
        return self._session.post(url, **more)


# -- the demo ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_collection_stores_a_sample_of_every_service(store: Store) -> None:
    report = collect_once([DemoSource(7, NOW)], store, NOW)
    assert (report.at, report.services, report.samples, report.queries) == (NOW, 12, 12, 9)
    assert report.failures == report.warnings == ()
    assert store.service_names() == sorted(SHOP)
    assert store.latest(NOW)[list(MEASURED)].notna().all(axis=None)


@pytest.mark.slow
def test_the_same_collection_again_changes_nothing(store: Store) -> None:
    collect_once([DemoSource(7, NOW)], store, NOW)
    before = store.history_of_all(NOW - timedelta(days=1), NOW)
    services = store.services()
    collect_once([DemoSource(7, NOW)], store, NOW)
    pd.testing.assert_frame_equal(store.history_of_all(NOW - timedelta(days=1), NOW), before)
    assert store.services() == services


def test_only_the_services_named_are_collected(store: Store) -> None:
    report = collect_once([DemoSource(7, NOW)], store, NOW, ["shop/cart"])
    assert (report.services, report.samples) == (1, 1)
    assert store.service_names() == ["shop/cart"]


@pytest.mark.slow
def test_what_is_known_about_a_service_survives_its_next_sample(store: Store) -> None:
    store.register([Service("shop/cart", "demo", team="checkout", cpu_limit=3.0)])
    collect_once([DemoSource(7, NOW)], store, NOW)
    cart = store.service("shop/cart")
    assert (cart.team, cart.cpu_limit) == ("checkout", 3.0)


@pytest.mark.slow
def test_services_met_for_the_first_time_are_registered_under_their_source(store: Store) -> None:
    store.register([Service("shop/cart", "demo", team="buy")])
    collect_once([DemoSource(7, NOW)], store, NOW)
    assert {service.source for service in store.services()} == {"demo"}
    assert store.service("shop/cart").team == "buy"


# -- several sources --------------------------------------------------------------------------


class Named(DemoSource):
    """The demo shop under another name, with some of its services, or out of order."""

    def __init__(self, name: str, services: Sequence[str], error: SourceError | None = None) -> None:
        super().__init__(7, NOW)
        self.name = name
        self.services = services
        self.error = error

    def discover(self) -> list[Service]:
        if self.error:
            raise self.error
        return [Service(name, self.name) for name in self.services]

    def collect(self, at: datetime, services: Sequence[str] | None = None) -> Collected:
        if self.error:
            raise self.error
        found = super().collect(at, self.services)
        return replace(found, failures=(Failure("cpu_usage", "no"),), warnings=("partial",))


def owners(store: Store) -> dict[str, str]:
    return {service.name: service.source for service in store.services()}


def test_each_source_brings_its_services_and_says_what_it_could_not(store: Store) -> None:
    report = collect_once([Named("eu", ["shop/cart"]), Named("us", ["shop/email"])], store, NOW)
    assert (report.services, report.samples, report.queries) == (2, 2, 18)
    assert owners(store) == {"shop/cart": "eu", "shop/email": "us"}
    assert report.failures == (Failure("eu: cpu_usage", "no"), Failure("us: cpu_usage", "no"))
    assert report.warnings == ("eu: partial", "us: partial")


def test_a_source_that_is_away_leaves_the_others_alone(store: Store) -> None:
    away = Named("eu", ["shop/cart"], SourceUnreachableError("gone"))
    report = collect_once([away, Named("us", ["shop/email"])], store, NOW)
    assert Failure("eu", "gone") in report.failures
    assert store.service_names() == ["shop/email"]


def test_when_every_source_is_away_that_is_an_error(store: Store) -> None:
    away = [Named(name, [], SourceUnreachableError(f"{name} is gone")) for name in ("eu", "us")]
    with pytest.raises(SourceUnreachableError, match="eu is gone"):
        collect_once(away, store, NOW)


def test_a_service_belongs_to_the_source_that_had_it_first_even_while_that_is_away(store: Store) -> None:
    both = ["shop/cart"]
    collect_once([Named("eu", both)], store, NOW)
    later = NOW + timedelta(minutes=1)
    away = Named("eu", both, SourceUnreachableError("gone"))
    report = collect_once([away, Named("us", [*both, "shop/email"])], store, later)
    assert owners(store) == {"shop/cart": "eu", "shop/email": "us"}
    assert store.newest("shop/cart") == NOW
    assert any("shop/cart belongs to source eu: samples of us were left out" in text for text in report.warnings)


def test_services_are_discovered_in_all_sources_and_said_once(store: Store) -> None:
    sources = [Named("eu", ["b", "a"]), Named("us", ["b", "c"])]
    assert [service.name for service in discover(sources, store)] == ["a", "b", "c"]
    assert owners(store) == {"a": "eu", "b": "eu", "c": "us"}
    assert discover(sources, store) == []


def test_what_other_sources_have_is_registered_before_one_that_is_away_is_said(store: Store) -> None:
    with pytest.raises(SourceUnreachableError, match="gone"):
        discover([Named("eu", [], SourceUnreachableError("gone")), Named("us", ["a"])], store)
    assert owners(store) == {"a": "us"}


# -- a source that does not deliver -----------------------------------------------------------


@pytest.mark.parametrize("reply", [Reply(401), Reply(body=b"<html>"), refusal(503, "busy"), Reply(status=0)])
def test_when_nothing_can_be_had_the_store_is_left_alone(store: Store, reply: Reply) -> None:
    with FaultyServer(reply) as server, pytest.raises(SourceError):
        collect_once([a_prometheus(server.url)], store, NOW)
    assert store.revision == 0
    assert store.service_names() == []


def test_a_server_that_is_gone_is_unreachable_and_what_was_stored_stays(store: Store) -> None:
    collect_once([DemoSource(7, NOW)], store, NOW)
    revision = store.revision
    with pytest.raises(SourceUnreachableError):
        collect_once([a_prometheus(f"http://127.0.0.1:{free_port()}")], store, NOW)
    assert store.revision == revision


def test_an_unknown_service_is_refused_before_anything_is_stored(store: Store) -> None:
    with pytest.raises(UnknownServiceError):
        collect_once([DemoSource(7, NOW)], store, NOW, ["shop/cart", "shop/kart"])
    assert store.revision == 0


@pytest.mark.slow
def test_a_server_that_watches_nothing_yields_an_empty_report(store: Store) -> None:
    with FaultyServer(choose=blind(success([]))) as server:
        report = collect_once([a_prometheus(server.url)], store, NOW)
    assert (report.services, report.samples, report.failures) == (0, 0, ())
    assert store.service_names() == []


@pytest.mark.slow
def test_metrics_that_fail_are_reported_and_the_others_stored(store: Store) -> None:
    good = success([{"metric": {"service_name": "api"}, "value": [NOW.timestamp(), "5"]}], warnings=["a store is away"])
    failing = by_metric(lambda name: refusal(422, "no") if name.startswith("latency") else good)
    with FaultyServer(choose=failing) as server:
        report = collect_once([a_prometheus(server.url)], store, NOW)
    assert [failure.what for failure in report.failures] == [
        "latency_p50",
        "latency_p95",
        "latency_p99",
        "latency_mean",
    ]
    assert all("no" in failure.error for failure in report.failures)
    assert "request_rate: a store is away" in report.warnings
    sample = store.latest(NOW).loc["api"]
    assert sample["request_rate"] == 5
    assert pd.isna(sample["latency_p95"])


@pytest.mark.slow
def test_a_value_that_could_not_be_had_again_is_not_forgotten(store: Store) -> None:
    good = success([{"metric": {"service_name": "api"}, "value": [NOW.timestamp(), "5"]}])
    with FaultyServer(choose=blind(good)) as server:
        collect_once([a_prometheus(server.url)], store, NOW)
    with FaultyServer(choose=by_metric(lambda name: refusal(400, "no") if name == "cpu_usage" else good)) as server:
        collect_once([a_prometheus(server.url)], store, NOW)
    assert store.latest(NOW).loc["api", "cpu_usage"] == 5


# -- a real Prometheus ------------------------------------------------------------------------


@pytest.fixture
def counted(prometheus_of_three: PrometheusSource, monkeypatch: pytest.MonkeyPatch) -> Counting:
    # Nobody may have asked it for a while: these questions are the requests that it counts.
    asked = 'sum(rate(prometheus_http_requests_total{handler!="/metrics"}[8s])) > 0'
    client = prometheus_of_three.client
    wait_until(lambda: bool(client.instant(asked, datetime.now(UTC)).series), 30, "requests in the window")
    prometheus_of_three.look_again()
    prometheus_of_three.plan()  # what it has is not looked at again while queries are counted
    counting = Counting(client._session)
    monkeypatch.setattr(client, "_session", counting)
    return counting


@pytest.mark.servers
def test_a_real_prometheus_shows_its_three_services(prometheus_of_three: PrometheusSource, counted: Counting) -> None:
    assert [service.name for service in prometheus_of_three.discover()] == THREE
    assert counted.paths == ["query"]


@pytest.mark.servers
def test_three_real_services_are_collected_with_a_query_a_metric(
    prometheus_of_three: PrometheusSource, counted: Counting, store: Store
) -> None:
    now = datetime.now(UTC)
    report = collect_once([prometheus_of_three], store, now)
    # The mean latency and whether targets are up, too, and one query for three quantiles; three more look again at
    # what the server has, where that was a while ago.
    assert counted.paths in (["query"] * 9, ["query"] * 12)
    assert (report.services, report.samples, report.failures) == (3, 3, ())
    assert store.service_names() == THREE
    stored = store.latest(now - timedelta(seconds=1))
    assert sorted(stored.index) == THREE
    assert stored.loc["prometheus", "request_rate"] > 0
    assert 0 <= stored.loc["prometheus", "error_rate"] <= 1
    assert stored.loc["node", ["request_rate", "error_rate"]].isna().all()  # its scrapes are no traffic
    assert (stored["memory_usage"] > 1e6).all()
    assert (stored["cpu_usage"] >= 0).all()
    assert (stored["pod_count"] == 1).all()
    assert (stored["restart_count"] == 0).all()
    latencies = stored.loc["prometheus", ["latency_p50", "latency_p95", "latency_p99"]].astype(float)
    assert latencies.dropna().is_monotonic_increasing  # what lies in its first, coarse bucket is not known
    assert stored.loc["prometheus", "latency_mean"] > 0


@pytest.mark.servers
@pytest.mark.parametrize("wanted", [["node"], ["node", "nobody"], []])
def test_of_a_real_prometheus_only_those_named_are_stored(
    prometheus_of_three: PrometheusSource, store: Store, wanted: Sequence[str]
) -> None:
    collect_once([prometheus_of_three], store, datetime.now(UTC), wanted)
    assert store.service_names() == [name for name in wanted if name in THREE]


@pytest.mark.servers
def test_a_query_a_real_prometheus_refuses_costs_only_its_metric(
    prometheus_of_three: PrometheusSource, store: Store
) -> None:
    broken = METRICS["cpu_usage"].__class__(
        "broken", "b", "", "up", "identity", 0, 0, queries={"process": "sum by ($by) ("}
    )
    source = PrometheusSource(
        prometheus_of_three.client, 8, ("process",), {"broken": broken, "pod_count": METRICS["pod_count"]}
    )
    report = collect_once([source], store, datetime.now(UTC))
    assert [failure.what for failure in report.failures] == ["broken"]
    assert "parse error" in report.failures[0].error
    assert report.samples == 3


@pytest.mark.servers
def test_a_real_prometheus_that_refuses_everything_is_an_error(
    prometheus_of_three: PrometheusSource, store: Store
) -> None:
    source = PrometheusSource(PrometheusClient(f"{prometheus_of_three.client.url}/elsewhere", Limits(timeout=5)))
    with pytest.raises(SourceRefusedError, match="HTTP 404"):
        collect_once([source], store, datetime.now(UTC))
    assert store.revision == 0
