"""From an empty store to a fault being detected, and what happens when parts of it fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.shop import NOON, Clock, shop

from observatory.config import Settings
from observatory.detection import FittedScorer
from observatory.display.anomalies import anomaly_table, evidence_table, fault_table
from observatory.display.health import arithmetic_table, health_table
from observatory.display.runs import failure_table
from observatory.display.samples import sample_table
from observatory.display.services import service_table
from observatory.errors import ConfigError, InvalidInputError, SourceUnreachableError, UnknownServiceError
from observatory.model import Band, Collected, Failure
from observatory.runtime import Runtime
from observatory.runtime.current import current, use
from observatory.sources.demo.shop import SHOP

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def filled() -> Iterator[Runtime]:
    runtime = shop()
    runtime.prepare()
    yield runtime
    runtime.close()


@pytest.fixture
def fresh() -> Iterator[Runtime]:
    runtime = shop(demo_days=0.25)
    runtime.prepare()
    yield runtime
    runtime.close()


def test_a_new_store_is_filled_with_history_anomalies_labels_and_calls(filled: Runtime) -> None:
    store = filled.store
    assert len(store.services()) == len(SHOP)
    assert store.newest() == NOON.replace(second=0)
    assert store.oldest() == NOON.replace(second=0) - timedelta(days=2)
    assert store.faults()
    assert store.anomalies()
    assert ("shop/checkout", "shop/payments") in store.calls()
    assert filled.failures == ()


def test_a_detector_nobody_knows_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    store = tmp_path / "store.duckdb"
    with pytest.raises(ConfigError, match=r"detector = 'nope': choose one of .*seasonal.*OBSERVATORY_DETECTOR"):
        Runtime(Settings(detector="nope", store=str(store)))
    assert not store.exists()


def test_a_newcomer_sees_the_fault_begin_however_long_the_past_took_to_fill(fresh: Runtime) -> None:
    fresh.clock.forward(minutes=10)  # on a slow machine
    fresh.go_live()
    coming = fresh.next_fault()
    assert coming is not None
    assert coming.root_cause == coming.service_name == "shop/payments"
    assert coming.start - fresh.clock() == timedelta(seconds=fresh.settings.demo_live_fault)


def test_the_shop_starts_healthy(filled: Runtime) -> None:
    overview = filled.overview()
    assert overview.counts[Band.HEALTHY] == len(SHOP)
    assert overview.updated_at == NOON.replace(second=0)
    assert all(status.health.coverage == 100 for status in overview.services)
    assert all(len(values) == 60 for status in overview.services for values in status.trends.values())


def test_a_newcomer_sees_the_live_fault_within_three_minutes(fresh: Runtime) -> None:
    coming = fresh.next_fault()
    assert coming is not None
    assert (coming.service_name, coming.kind) == ("shop/payments", "cascade")
    assert coming.start - NOON <= timedelta(minutes=2)
    clock: Any = fresh.clock
    for _ in range(3):
        clock.forward(seconds=60)
        cycle = fresh.cycle()
        assert cycle.failures == ()
        assert cycle.samples == len(SHOP)
    worst = fresh.overview().services[0]
    assert worst.name in ("shop/payments", "shop/checkout")
    assert worst.health.band is Band.CRITICAL
    anomaly = next(a for a in fresh.store.anomalies(open_only=True) if a.service_name == "shop/payments")
    assert "errors" in anomaly.message
    assert sum(item.share for item in anomaly.evidence) == pytest.approx(1.0)
    assert any(fault.service_name == "shop/payments" for fault in fresh.store.faults(start=NOON))


def test_an_anomaly_clears_by_itself_when_the_fault_is_over(fresh: Runtime) -> None:
    clock: Any = fresh.clock
    for _ in range(35):
        clock.forward(seconds=60)
        fresh.cycle()
    assert fresh.store.anomalies(open_only=True) == []
    assert fresh.overview().counts[Band.HEALTHY] == len(SHOP)


def test_streamed_anomalies_equal_replayed_ones(fresh: Runtime) -> None:
    clock: Any = fresh.clock
    for _ in range(30):
        clock.forward(seconds=60)
        fresh.cycle()
    streamed = [a for a in fresh.store.anomalies(start=NOON) if a.service_name == "shop/payments"]
    replayed, _ = fresh.pipeline.replay(NOON.replace(second=0) + timedelta(seconds=1), clock.now, ["shop/payments"])
    assert [(a.started_at, a.ended_at) for a in streamed] == [(a.started_at, a.ended_at) for a in replayed]


def test_a_second_start_fills_only_the_gap(tmp_path: Path) -> None:
    store = str(tmp_path / "demo.duckdb")
    first = shop(store=store, demo_days=0.25)
    first.prepare()
    samples = first.store.sample_counts()["samples"].sum()
    first.close()
    second = Runtime(first.settings, clock=Clock(NOON + timedelta(minutes=10)))
    second.prepare()
    assert second.store.sample_counts()["samples"].sum() == samples + 10 * len(SHOP)
    second.close()


def test_a_source_that_is_down_is_a_failure_that_can_be_seen() -> None:
    runtime = shop(prometheus_url="http://127.0.0.1:9", prometheus_timeout=1.0)
    runtime.sources[0].client._sleep = lambda seconds: None  # type: ignore[attr-defined]
    runtime.prepare()
    assert "cannot be reached (connection refused)" in runtime.failures[0].error
    cycle = runtime.cycle()
    assert cycle.failures[0].what == "collect"
    assert runtime.overview().last_cycle == cycle
    with pytest.raises(SourceUnreachableError):
        runtime.collect()
    runtime.close()


def test_one_failing_service_never_stops_the_others(fresh: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = FittedScorer._fit

    def fail_for_cart(scorer: FittedScorer, name: str, *args: Any) -> Any:
        if name == "shop/cart":
            raise ZeroDivisionError("model exploded")
        return honest(scorer, name, *args)

    monkeypatch.setattr(FittedScorer, "_fit", fail_for_cart)
    clock: Any = fresh.clock
    for _ in range(3):
        clock.forward(seconds=60)
        cycle = fresh.cycle()
    assert cycle.failures == (Failure("detect shop/cart", "ZeroDivisionError: model exploded"),)
    assert fresh.store.anomalies(open_only=True, services=["shop/payments"])


def test_one_failing_query_is_recorded_and_the_rest_is_kept(fresh: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = fresh.sources[0].collect

    def without_cpu(*args: Any) -> Collected:
        answer = honest(*args)
        failure = Failure("cpu_usage", "bad_data: parse error")
        return replace(answer, frame=answer.frame.drop(columns="cpu_usage"), failures=(failure,), warnings=("partial",))

    monkeypatch.setattr(fresh.sources[0], "collect", without_cpu)
    clock: Any = fresh.clock
    clock.forward(seconds=60)
    cycle = fresh.cycle()
    assert cycle.failures == (Failure("cpu_usage", "bad_data: parse error"),)
    assert cycle.warnings == ("partial",)
    latest = fresh.store.latest(NOON).loc["shop/cart"]
    assert latest["request_rate"] > 0
    assert latest["cpu_usage"] != latest["cpu_usage"]


def test_a_service_that_stops_reporting_is_stale_and_not_healthy(fresh: Runtime) -> None:
    clock: Any = fresh.clock
    clock.forward(minutes=10)
    overview = fresh.overview()
    assert overview.counts[Band.UNKNOWN] == len(SHOP)
    assert (
        overview.services[0].health.reason == "stale: the newest sample is 10 minutes old, one is expected every 60 s"
    )


def test_too_few_samples_are_a_stated_learning_state() -> None:
    runtime = shop(demo_days=0.05)
    runtime.prepare()
    status = runtime.overview().services[0]
    assert status.learning is not None
    assert status.learning.message == "learning: 73 of 120 samples, ready about 2026-03-01 12:47 UTC"
    assert status.health.coverage == 90
    runtime.close()


def test_an_anomaly_of_a_vanished_service_is_not_left_open_for_ever(
    fresh: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock: Any = fresh.clock
    for _ in range(4):
        clock.forward(seconds=60)
        fresh.cycle()
    assert fresh.store.anomalies(open_only=True)
    empty = replace(fresh.sources[0].collect(clock.now), frame=fresh.sources[0].collect(clock.now).frame.iloc[:0])
    monkeypatch.setattr(fresh.sources[0], "collect", lambda *args: empty)
    clock.forward(minutes=30)
    fresh.cycle()
    assert fresh.store.anomalies(open_only=True), "no news is no good news yet"
    clock.forward(minutes=45)
    fresh.cycle()
    assert fresh.store.anomalies(open_only=True) == []


def test_what_the_settings_say_about_a_service_is_known() -> None:
    facts = {"shop/cart": {"team": "mine", "objective": 0.95}, "shop/nobody": {"team": "ghosts"}}
    runtime = Runtime(Settings(store=":memory:", demo_days=0.05, services=facts), clock=Clock())
    runtime.prepare()
    assert (runtime.store.service("shop/cart").team, runtime.store.service("shop/cart").objective) == ("mine", 0.95)
    assert runtime.store.service("shop/cart").cpu_limit is not None, "the source's facts stay"
    with pytest.raises(UnknownServiceError):
        runtime.store.service("shop/nobody")
    runtime.close()


def test_the_overview_is_kept_until_something_changes(fresh: Runtime) -> None:
    first = fresh.overview()
    assert fresh.overview() is first
    fresh.store.write_note("anything", "new")
    assert fresh.overview() is not first


def test_history_has_what_was_expected_and_summarises_long_ranges(filled: Runtime) -> None:
    end = filled.clock()
    day = filled.history("shop/cart", end - timedelta(hours=6), end)
    assert day.step == 60
    assert day.expected is not None
    inside = (day.samples["latency_p95"] <= day.expected.upper["latency_p95"]).mean()
    assert inside > 0.95
    long = filled.history("shop/cart", end - timedelta(days=2), end, points=100)
    assert len(long.samples) <= 102
    assert (long.samples["request_rate__min"] <= long.samples["request_rate"]).all()
    assert (long.samples["request_rate"] <= long.samples["request_rate__max"]).all()
    assert [fault.service_name for fault in long.faults] == ["shop/cart"]


def test_history_of_nothing_is_empty_and_of_nobody_an_error(filled: Runtime) -> None:
    end = filled.clock() - timedelta(days=300)
    nothing = filled.history("shop/cart", end - timedelta(hours=1), end)
    assert nothing.samples.empty
    assert nothing.expected is None
    with pytest.raises(UnknownServiceError, match="did you mean shop/cart"):
        filled.history("shop/crat", end - timedelta(hours=1), end)
    with pytest.raises(InvalidInputError, match="must be before"):
        filled.history("shop/cart", end, end)


def test_tables_hold_what_people_read(filled: Runtime) -> None:
    overview, anomalies = filled.overview(), filled.store.anomalies()
    assert list(health_table(overview)["band"]) == ["healthy"] * len(SHOP)
    assert arithmetic_table(overview.services[0].health)["weight"].sum() == 100
    assert len(anomaly_table(anomalies)) == len(anomalies)
    assert evidence_table(anomalies[0])["share"].str.endswith("%").all()
    assert len(fault_table(filled.store.faults())) == len(filled.store.faults())
    assert service_table(filled.overview().services, {"shop/cart": 3})["samples"].sum() == 3
    assert sample_table(filled.store, filled.clock()).loc["shop/cart", "running pods"] == "4"
    assert failure_table([Failure("a", "b")]).to_dict("records") == [{"what": "a", "error": "b"}]
    assert anomaly_table([]).empty


def test_a_runtime_can_stand_still_at_a_time() -> None:
    runtime = Runtime.at("2026-03-01T12:00:00Z", store=":memory:")
    assert runtime.clock() == runtime.clock() == NOON.replace(second=0)
    assert runtime.collect("shop/cart").samples == 1 if runtime.store.register(runtime.sources[0].discover()) else False
    with pytest.raises(UnknownServiceError):
        runtime.collect("shop/none")
    runtime.close()


def test_start_begins_the_worker_where_the_settings_say_so() -> None:
    runtime = Runtime(Settings(store=":memory:", demo_days=0.02))
    runtime.start()
    assert runtime.worker.is_running
    runtime.close()
    assert not runtime.worker.is_running
    quiet = shop(demo_days=0.02)
    quiet.start()
    assert not quiet.worker.is_running
    quiet.close()


def test_a_runtime_that_was_closed_while_it_started_starts_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = Runtime(Settings(store=":memory:", demo_days=0.02))
    monkeypatch.setattr(runtime, "prepare", runtime.close)  # the signal comes while the past is filled
    runtime.start()
    assert not runtime.worker.is_running
    runtime.close()


def test_a_process_has_one_current_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBSERVATORY_STORE", ":memory:")
    use(None)
    assert current() is current()
    current().close()
    use(None)
