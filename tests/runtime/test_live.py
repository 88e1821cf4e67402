"""Live collection: what comes late, what stops, what is skipped, and what was partial can be seen."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from support.blind import asked_of, blind, parts
from support.secure import PASSWORD, USER, SecurePrometheus
from support.servers import Alertmanager, FaultyServer, Prometheus, Reply, free_port, refusal, success, wait_until

from observatory.api.app import create_app
from observatory.config import Settings
from observatory.model import Band, Remark
from observatory.runtime import Runtime
from observatory.sources.prometheus.source import PrometheusSource
from observatory.store import Store, open_store
from observatory.views.components.header import header, source
from observatory.views.session.state import State

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def good(at: datetime = NOW, **more) -> Reply:
    return success([{"metric": {"service_name": "api"}, "value": [at.timestamp(), "1"]}], **more)


def runtime_of(url: str, clock: Clock, **settings) -> Runtime:
    whole = {"prometheus_url": url, "store": ":memory:", "worker": False, "presets": ("otel", "process")} | settings
    made = Runtime(Settings(**whole), clock=clock)
    for one in made.sources:
        one.client._sleep = lambda seconds: None
    return made


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store(":memory:") as opened:
        yield opened


# -- time -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("delay", "asked"), [(0, NOW), (30, NOW), (60, NOW - MINUTE), (90, NOW - MINUTE)])
def test_samples_lie_on_the_grid_of_the_interval_however_late_they_are_asked_for(delay: float, asked: datetime) -> None:
    with FaultyServer(choose=blind(good())) as server:
        runtime = runtime_of(server.url, Clock(NOW + timedelta(seconds=41)), delay=delay)
        runtime.cycle()
        runtime.close()
    assert {float(request.fields["time"]) for request in asked_of(server)} == {asked.timestamp()}


def test_a_metric_that_is_missing_is_null_and_filled_when_it_comes_late() -> None:
    clock, late = Clock(NOW), {"on": True}
    with FaultyServer(
        choose=blind(lambda r: success([]) if late["on"] and "cpu" in r.fields["query"] else good())
    ) as server:
        runtime = runtime_of(server.url, clock)
        runtime.cycle()
        assert runtime.overview().services[0].latest["cpu_usage"] is None
        assert runtime.overview().services[0].latest["request_rate"] == 1
        late["on"] = False
        runtime.cycle()
        assert runtime.overview().services[0].latest["cpu_usage"] == 1
        assert len(runtime.store.history("api", NOW - MINUTE, NOW + MINUTE)) == 1
        runtime.close()


# -- services that stop, and come back --------------------------------------------------------


def test_a_service_that_stops_is_stale_then_inactive_and_comes_back() -> None:
    clock = Clock(NOW)
    with FaultyServer(choose=blind(lambda r: good(clock.now))) as server:
        runtime = runtime_of(server.url, clock, inactive_hours=2, minimum_samples=16)
        client = create_app(runtime).test_client()

        def state() -> tuple[str, Band, int, bool]:
            status = runtime.overview().services[0]
            listed = client.get("/api/services").get_json()["services"][0]["state"]
            shown = client.get("/api/health/summary").get_json()["services"][0]["inactive"]
            assert listed == status.state
            assert shown is status.is_inactive
            return status.state, status.health.band, runtime.overview().inactive, status.is_stale

        runtime.cycle()
        assert state() == ("learning", state()[1], 0, False)
        clock.now = NOW + 4 * MINUTE
        assert state() == ("stale", Band.UNKNOWN, 0, True)
        assert "stale: the newest sample is 4 minutes old" in runtime.overview().services[0].health.reason
        clock.now = NOW + timedelta(days=30)
        assert state() == ("inactive", Band.UNKNOWN, 1, True)
        reason = runtime.overview().services[0].health.reason
        assert reason == "inactive: nothing for 30 days; it comes back when it reports"
        runtime.cycle()
        assert state()[0] == "learning"
        runtime.close()


@pytest.mark.servers
def test_a_real_target_that_goes_reports_no_pods_and_one_that_is_removed_goes_stale() -> None:
    clock = Clock(datetime.now(UTC))
    with Alertmanager() as alertmanager, Prometheus({"alerts": alertmanager.address}) as prometheus:
        runtime = runtime_of(prometheus.url, clock, interval=1, window=8)

        def look() -> dict[str, str]:
            clock.now = datetime.now(UTC)
            runtime.cycle()
            return {one.name: f"{one.state} {one.latest['pod_count']}" for one in runtime.overview().services}

        wait_until(lambda: look() == {"alerts": "learning 1.0", "prometheus": "learning 1.0"}, 30, "two services")
        alertmanager.stop()
        wait_until(lambda: look()["alerts"] == "learning 0.0", 30, "no running pods", prometheus.log)
        assert {one.name: one.health.score for one in runtime.overview().services}["alerts"] == 0
        prometheus.scrape({"prometheus": prometheus.address, "alerts": ""})
        wait_until(lambda: look()["alerts"].startswith("stale"), 60, "a stale service", prometheus.log)
        assert look()["prometheus"] == "learning 1.0"
        runtime.close()


# -- a server that is slow, away, or partial --------------------------------------------------


def test_skipped_cycles_are_counted_and_shown_everywhere() -> None:
    clock = Clock(NOW)
    with FaultyServer(choose=blind(lambda r: good(clock.now))) as server:
        runtime = runtime_of(server.url, clock)
        runtime.pipeline.run_cycle(NOW, 0)
        clock.now = NOW + 4 * MINUTE
        runtime.pipeline.run_cycle(clock.now, 3)
        overview = runtime.overview()
        assert (overview.last_cycle.skipped, overview.skipped_24h) == (3, 3)
        summary = create_app(runtime).test_client().get("/api/health/summary").get_json()
        assert (summary["last_cycle"]["skipped"], summary["skipped_24h"]) == (3, 3)
        lines = header(State(overview=overview), runtime)["problems"]["lines"]
        assert any("3 cycles were skipped, for the one before took longer than 60 s" in one["error"] for one in lines)
        clock.now = NOW + timedelta(days=2)
        assert runtime.overview().skipped_24h == 0
        runtime.close()


def test_a_server_that_is_away_is_said_once_in_the_log_and_in_every_cycle(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    clock = Clock(NOW)
    runtime = runtime_of(f"http://127.0.0.1:{free_port()}", clock)
    for turn in range(4):
        clock.now = NOW + turn * MINUTE
        cycle = runtime.cycle()
        assert [failure.what for failure in cycle.failures] == ["collect"]
        assert "connection refused" in cycle.failures[0].error
    assert [record.name for record in caplog.records] == [
        "observatory.sources.prometheus.circuit",
        "observatory.runtime.pipeline",
    ]
    runtime.close()


def test_that_a_range_was_partial_is_kept_with_its_samples_and_served() -> None:
    clock, partial = Clock(NOW), {"on": True}
    with FaultyServer(
        choose=blind(lambda r: good(clock.now, **({"warnings": ["a store did not answer"]} if partial["on"] else {})))
    ) as server:
        runtime = runtime_of(server.url, clock)
        for turn in range(6):
            clock.now = NOW + turn * MINUTE
            partial["on"] = turn in (1, 2, 3)
            runtime.cycle()
        text = "request_rate: a store did not answer"
        remarks = runtime.store.remarks.about("prometheus", NOW, clock.now)
        assert Remark("prometheus", NOW + MINUTE, NOW + 3 * MINUTE, text) in remarks
        assert len(remarks) == len(parts(("otel", "process")))
        assert runtime.store.remarks.about("prometheus", NOW + 4 * MINUTE, clock.now) == []
        assert runtime.store.remarks.about("other", NOW, clock.now) == []
        client = create_app(runtime).test_client()
        query = f"/api/metrics/history?service=api&start={NOW:%Y-%m-%dT%H:%M:%SZ}"
        served = client.get(query).get_json()["remarks"]
        assert {"start": "2026-03-02T09:16:00Z", "end": "2026-03-02T09:18:00Z", "text": text} in served
        runtime.close()


def test_what_was_said_about_history_is_told_with_what_was_said_live(store: Store) -> None:
    from observatory.store.tables.fetches import Question

    store.fetches.record(Question("eu", "q", (), 60.0), NOW, NOW + MINUTE, 1, ["a store is away"], NOW)
    store.remarks.record("eu", NOW + 9 * MINUTE, ["slow", "slow"])
    assert [remark.text for remark in store.remarks.about("eu", NOW, NOW + 9 * MINUTE)] == ["a store is away", "slow"]


# -- several ----------------------------------------------------------------------------------


@pytest.mark.servers
def test_two_real_servers_each_with_its_own_log_in_and_presets(
    prometheus_of_three: PrometheusSource, secure: SecurePrometheus
) -> None:
    certificate, key = secure.certificates.of("client")
    closed = {
        "url": secure.url,
        "username": USER,
        "password": PASSWORD,
        "ca_file": secure.certificates.authority,
        "cert_file": certificate,
        "key_file": key,
        "presets": ("process",),
    }
    sources = {"open": {"url": prometheus_of_three.client.url, "exclude": ("node",)}, "closed": closed}
    settings = Settings(sources=sources, store=":memory:", worker=False, window=8, interval=1)
    runtime = Runtime(settings)

    def look() -> set[str]:
        runtime.cycle()
        return {one.name for one in runtime.overview().services if one.latest["pod_count"] == 1}

    wait_until(lambda: look() == {"alertmanager", "prometheus", "secure"}, 30, "three services", secure.log)
    assert runtime.cycle().failures == ()
    owners = {service.name: service.source for service in runtime.store.services()}
    assert owners == {"alertmanager": "open", "prometheus": "open", "secure": "closed"}
    latest = {one.name: one.latest for one in runtime.overview().services}
    assert latest["secure"]["request_rate"] is None  # not among its presets
    assert latest["secure"]["pod_count"] == 1
    assert latest["prometheus"]["request_rate"] is not None
    assert source(settings, "prometheus") == {"kind": "prometheus", "name": "open, closed"}
    report = runtime.collect("secure")
    assert (report.samples, report.failures) == (1, ())
    runtime.close()


def test_one_of_two_that_refuses_is_a_failure_by_its_name() -> None:
    with FaultyServer(choose=blind(good())) as fine, FaultyServer(refusal(401, "who are you")) as strict:
        settings = Settings(
            sources={"eu": {"url": fine.url}, "us": {"url": strict.url}}, store=":memory:", worker=False
        )
        runtime = Runtime(settings, clock=Clock(NOW))
        cycle = runtime.cycle()
        assert [failure.what for failure in cycle.failures] == ["us"]
        assert cycle.samples == 1
        runtime.close()
