"""History arrives in pieces, a lost piece does not take the others along, and doing it again changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from support.servers import wait_until

from observatory.catalog import METRICS
from observatory.collection.backfill import CHUNK_POINTS, CHUNK_VALUES, backfill, coverage, gaps
from observatory.errors import InvalidInputError, SourceRefusedError, SourceUnreachableError
from observatory.model import TIMESTAMP, Collected, Failure, Service
from observatory.sources.demo.shop import MEASURED, SHOP, DemoSource
from observatory.sources.prometheus.source import PrometheusSource
from observatory.store import Store

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Patchy(DemoSource):
    """A demo shop whose history fails for the pieces numbered in `errors`, and remembers what it was asked."""

    def __init__(self, errors: dict[int, Exception] | None = None) -> None:
        super().__init__(7, NOW)
        self.errors = errors or {}
        self.asked: list[tuple[datetime, datetime]] = []

    def history(self, start: datetime, end: datetime, step: float, services: Sequence[str] | None = None) -> Collected:
        self.asked.append((start, end))
        if len(self.asked) in self.errors:
            raise self.errors[len(self.asked)]
        return super().history(start, end, step, services)


def everything(store: Store) -> pd.DataFrame:
    return store.history_of_all(NOW - 30 * DAY, NOW + DAY)


# -- pieces -----------------------------------------------------------------------------------


def test_history_is_stored_as_the_source_has_it(store: Store) -> None:
    source = DemoSource(7, NOW)
    report = backfill([source], store, NOW - 2 * DAY, NOW, 60, ["shop/cart", "shop/email"], parallel=1)
    assert report.samples == 2 * (2 * 1440 + 1)
    assert report.failures == ()
    whole = source.history(NOW - 2 * DAY, NOW, 60, ["shop/cart", "shop/email"]).frame
    stored = everything(store)
    pd.testing.assert_frame_equal(stored[list(whole)], whole, check_dtype=False)
    assert stored[[name for name in METRICS if name not in MEASURED]].isna().all(axis=None)


@pytest.mark.parametrize("points", [1, 2, CHUNK_POINTS - 1, CHUNK_POINTS, CHUNK_POINTS + 1, 3 * CHUNK_POINTS])
def test_pieces_are_no_longer_than_a_server_accepts_and_meet_without_gap_or_overlap(store: Store, points: int) -> None:
    source = Patchy()
    start, end = NOW - points * MINUTE, NOW
    report = backfill([source], store, start, end, 60, ["shop/cart"], parallel=1)
    asked = [first + turn * MINUTE for first, last in source.asked for turn in range(int((last - first) / MINUTE) + 1)]
    assert asked == [start + turn * MINUTE for turn in range(points + 1)]
    assert max((last - first) / MINUTE for first, last in source.asked) <= CHUNK_POINTS - 1
    assert report.chunks == len(source.asked) == -(-(points + 1) // CHUNK_POINTS)
    assert report.samples == points + 1


def test_times_are_multiples_of_the_step_wherever_the_range_begins(store: Store) -> None:
    backfill(
        [DemoSource(7, NOW)], store, NOW - HOUR + timedelta(seconds=17), NOW + timedelta(seconds=3), 300, ["shop/cart"]
    )
    times = everything(store)[TIMESTAMP]
    assert times.tolist() == [NOW - HOUR + turn * 5 * MINUTE for turn in range(13)]


def test_doing_it_again_changes_nothing(store: Store) -> None:
    first = backfill([DemoSource(7, NOW)], store, NOW - 6 * HOUR, NOW, 60)
    before, services = everything(store), store.services()
    again = backfill([DemoSource(7, NOW)], store, NOW - 6 * HOUR, NOW, 60)
    pd.testing.assert_frame_equal(everything(store), before)
    assert store.services() == services
    assert (again.samples, again.chunks, again.stored) == (0, 0, 1.0)
    forced = backfill([DemoSource(7, NOW)], store, NOW - 6 * HOUR, NOW, 60, again=True)
    assert forced.samples == first.samples
    pd.testing.assert_frame_equal(everything(store), before)
    pd.testing.assert_frame_equal(again.coverage, first.coverage)


def test_ranges_that_overlap_end_up_as_one(store: Store) -> None:
    backfill([DemoSource(7, NOW)], store, NOW - 6 * HOUR, NOW - 2 * HOUR, 60)
    backfill([DemoSource(7, NOW)], store, NOW - 3 * HOUR, NOW, 60)
    assert (store.sample_counts()["samples"] == 361).all()


def test_progress_begins_at_nothing_and_ends_with_everything(store: Store) -> None:
    told: list[tuple[int, int]] = []
    backfill(
        [DemoSource(7, NOW)],
        store,
        NOW - 3 * DAY,
        NOW,
        60,
        ["shop/cart"],
        progress=lambda done, total, what, detail="": told.append((done, total)),
    )
    assert told == [(turn, 4) for turn in range(5)]


def test_services_met_on_the_way_are_registered(store: Store) -> None:
    backfill([DemoSource(7, NOW)], store, NOW - HOUR, NOW, 60)
    assert [service.name for service in store.services()] == sorted(SHOP)
    assert {service.source for service in store.services()} == {"demo"}


@pytest.mark.parametrize("length", [timedelta(), -HOUR])
def test_a_start_that_is_not_before_its_end_is_refused(store: Store, length: timedelta) -> None:
    source = Patchy()
    with pytest.raises(InvalidInputError, match="must be before end"):
        backfill([source], store, NOW, NOW + length, 60, parallel=1)
    assert source.asked == []


# -- pieces that are lost ---------------------------------------------------------------------


def test_a_piece_that_fails_is_reported_by_its_times_while_the_others_go_on(store: Store) -> None:
    source = Patchy({2: SourceRefusedError("too many samples")})
    report = backfill([source], store, NOW - 3 * DAY, NOW, 60, ["shop/cart"], parallel=1)
    (failure,) = report.failures
    first, last = source.asked[1]
    assert failure == Failure(f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}", "too many samples")
    assert report.chunks == len(source.asked) == 4
    times = set(everything(store)[TIMESTAMP])
    assert not any(first <= time <= last for time in times)
    assert {NOW - 3 * DAY, first - MINUTE, last + MINUTE, NOW} <= times
    assert report.coverage.loc["shop/cart", "request_rate"] == pytest.approx(2 / 3, abs=0.01)


def test_a_failure_of_pieces_that_lie_apart_has_the_times_of_each(store: Store) -> None:
    source = Patchy({1: SourceRefusedError("no"), 2: SourceRefusedError("no"), 4: SourceRefusedError("no")})
    (failure,) = backfill([source], store, NOW - 3 * DAY, NOW, 60, ["shop/cart"], parallel=1).failures
    reaches = [(source.asked[0][0], source.asked[1][1]), source.asked[3]]
    assert failure.what == ", ".join(f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}" for first, last in reaches)


def test_the_next_run_fills_the_gap(store: Store) -> None:
    backfill([Patchy({1: SourceRefusedError("no")})], store, NOW - 2 * DAY, NOW, 60, ["shop/cart"], parallel=1)
    report = backfill([DemoSource(7, NOW)], store, NOW - 2 * DAY, NOW, 60, ["shop/cart"])
    assert (report.coverage[list(MEASURED)] == 1).all(axis=None)


def test_when_every_piece_fails_the_store_is_left_alone_and_each_is_reported(store: Store) -> None:
    errors = {turn: SourceRefusedError(f"reason {turn}") for turn in range(1, 9)}
    report = backfill([Patchy(errors)], store, NOW - 2 * DAY, NOW, 60, parallel=1)
    assert [failure.error for failure in report.failures] == ["reason 1", "reason 2", "reason 3"]
    assert (report.samples, store.revision) == (0, 0)
    assert report.coverage.empty


def test_a_source_that_is_gone_ends_it_and_what_came_before_is_kept(store: Store) -> None:
    source = Patchy({3: SourceUnreachableError("gone")})
    with pytest.raises(SourceUnreachableError):
        backfill([source], store, NOW - 4 * DAY, NOW, 60, ["shop/cart"], parallel=1)
    assert len(source.asked) == 3
    assert store.sample_counts().loc["shop/cart", "samples"] == 2 * CHUNK_POINTS


def test_the_same_failure_and_warning_of_many_pieces_is_told_once(store: Store) -> None:
    class Grumbling(DemoSource):
        def history(self, *range_and_step, **more) -> Collected:
            frame = super().history(*range_and_step, **more).frame
            return Collected(frame, (Failure("latency_p95", "no"),), ("a store is away",))

    report = backfill([Grumbling(7, NOW)], store, NOW - 3 * DAY, NOW, 60, ["shop/cart"])
    begin = NOW - 3 * DAY
    assert report.failures == (Failure(f"latency_p95, {begin:%Y-%m-%d %H:%M} to {NOW:%Y-%m-%d %H:%M}", "no"),)
    assert report.warnings == ("a store is away",)


# -- going on ---------------------------------------------------------------------------------


def asked(source: Patchy) -> list[tuple[datetime, datetime]]:
    return sorted(source.asked)


def test_an_interrupted_run_goes_on_where_it_was(store: Store) -> None:
    start = NOW - 4 * DAY
    with pytest.raises(SourceUnreachableError):
        backfill([Patchy({3: SourceUnreachableError("gone")})], store, start, NOW, 60, ["shop/cart"], parallel=1)
    source = Patchy()
    report = backfill([source], store, start, NOW, 60, ["shop/cart"])
    assert asked(source)[0][0] == start + 2 * CHUNK_POINTS * MINUTE
    assert report.stored == pytest.approx(0.5, abs=0.001)
    assert (report.coverage[list(MEASURED)] == 1).all(axis=None)


def test_only_what_is_missing_on_either_side_is_asked_for(store: Store) -> None:
    backfill([Patchy()], store, NOW - 3 * HOUR, NOW - 2 * HOUR, 60, ["shop/cart"])
    source = Patchy()
    backfill([source], store, NOW - 4 * HOUR, NOW, 60, ["shop/cart"])
    assert asked(source) == [
        (NOW - 4 * HOUR, NOW - 3 * HOUR - MINUTE),
        (NOW - 2 * HOUR + MINUTE, NOW),
    ]


@pytest.mark.parametrize(
    ("services", "step", "asks", "pieces"),
    [
        (["shop/cart"], 60, "", 0),  # was among all
        (["shop/cart"], 30, "", 1),
        (["shop/cart"], 60, "other queries", 1),
        (None, 60, "", 0),
    ],
)
def test_what_was_fetched_counts_for_the_same_question_only(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    services: list[str] | None,
    step: float,
    asks: str,
    pieces: int,
) -> None:
    backfill([Patchy()], store, NOW - HOUR, NOW, 60)
    source = Patchy()
    if asks:
        monkeypatch.setattr(Patchy, "asks", asks)
    assert backfill([source], store, NOW - HOUR, NOW, step, services).chunks == len(source.asked) == pieces


def test_a_piece_of_which_a_metric_is_missing_is_fetched_again(store: Store) -> None:
    class Halting(Patchy):
        def history(self, *range_and_step, **more) -> Collected:
            return replace(super().history(*range_and_step, **more), failures=(Failure("cpu_usage", "no"),))

    backfill([Halting()], store, NOW - HOUR, NOW, 60)
    assert backfill([Patchy()], store, NOW - HOUR, NOW, 60).chunks == 1


def test_what_a_server_said_stays_with_the_time_it_said_it_of(store: Store) -> None:
    class Grumbling(Patchy):
        def history(self, *range_and_step, **more) -> Collected:
            return replace(super().history(*range_and_step, **more), warnings=("a store is away",))

    backfill([Grumbling()], store, NOW - HOUR, NOW, 60)
    (remark,) = store.fetches.remarks(NOW - 30 * MINUTE, NOW)
    assert (remark.source, remark.text) == ("demo", "a store is away")
    assert not store.fetches.remarks(NOW + MINUTE, NOW + HOUR)


def test_pieces_get_shorter_the_more_services_there_are(store: Store) -> None:
    store.register(Service(f"s{i}", "demo") for i in range(10_000))
    source = Patchy()
    backfill([source], store, NOW - 4 * HOUR, NOW, 60)
    assert len(source.asked) == 3
    assert all((last - first) / MINUTE < CHUNK_VALUES / 10_000 for first, last in source.asked)


def test_a_live_sample_is_stored_while_history_comes_in(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("observatory.collection.backfill.SAMPLES_AT_ONCE", 100)
    live = pd.DataFrame({"service_name": ["live"], "timestamp": [pd.Timestamp(NOW)], "request_rate": [1.0]})
    write, written = store.write_samples, []

    def interrupted(frame: pd.DataFrame) -> int:
        if len(written) == 2:  # in the middle of a piece
            with ThreadPoolExecutor(1) as other:
                other.submit(write, live).result()
        written.append(len(frame))
        return write(frame)

    monkeypatch.setattr(store, "write_samples", interrupted)
    backfill([DemoSource(7, NOW)], store, NOW - HOUR, NOW, 60)
    assert max(written) == 100
    assert len(written) > 3
    assert store.newest("live") == NOW


def test_each_source_is_asked_for_its_own(store: Store) -> None:
    eu, us = Patchy(), Patchy()
    eu.name, us.name = "eu", "us"
    backfill([eu, us], store, NOW - HOUR, NOW, 60)
    assert len(eu.asked) == len(us.asked) == 1
    assert {service.source for service in store.services()} == {"eu"}


# -- gaps -------------------------------------------------------------------------------------


def test_gaps_are_told_by_time_the_largest_first_and_those_all_have_once(store: Store) -> None:
    minutes = pd.date_range(NOW - HOUR, NOW, freq="60s")
    hole = (minutes > NOW - 40 * MINUTE) & (minutes < NOW - 20 * MINUTE)
    for name, times in (("a", minutes[~hole]), ("b", minutes[~hole]), ("c", minutes[5:-3])):
        store.write_samples(pd.DataFrame({"service_name": name, "timestamp": times, "request_rate": 1.0}))
    found = [
        (gap.first.to_pydatetime(), gap.last.to_pydatetime(), gap.missing, gap.services, gap.example)
        for gap in gaps(store, NOW - HOUR, NOW, 60).itertuples()
    ]
    assert found == [
        (NOW - 39 * MINUTE, NOW - 21 * MINUTE, 19, 2, "a"),
        (NOW - HOUR, NOW - 56 * MINUTE, 5, 1, "c"),
        (NOW - 2 * MINUTE, NOW, 3, 1, "c"),
    ]
    assert gaps(store, NOW - HOUR, NOW, 60, ["a"])["missing"].tolist() == [19]


def test_complete_history_has_no_gaps_wherever_the_range_begins(store: Store) -> None:
    start = NOW - HOUR + timedelta(seconds=31)
    report = backfill([DemoSource(7, NOW)], store, start, NOW + timedelta(seconds=17), 60)
    assert report.gaps.empty


# -- coverage ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0, 1, 59])
def test_complete_history_is_covered_wholly_wherever_the_range_begins(store: Store, seconds: int) -> None:
    start = NOW - HOUR + timedelta(seconds=seconds)
    report = backfill([DemoSource(7, NOW)], store, start, NOW, 60)
    assert sorted(report.coverage.index) == sorted(SHOP)
    assert list(report.coverage.columns) == list(METRICS)
    assert (report.coverage[list(MEASURED)] == 1).all(axis=None)


def test_coverage_is_the_share_of_samples_that_are_there(store: Store) -> None:
    times = pd.date_range(NOW, periods=60, freq="60s")
    half = np.where(np.arange(60) % 2, np.nan, 1.0)
    store.write_samples(
        pd.DataFrame({"service_name": "api", "timestamp": times, "request_rate": 1.0, "latency_p95": half})
    )
    shares = coverage(store, NOW, NOW + 119 * MINUTE, 60).loc["api"]
    assert shares["request_rate"] == 0.5
    assert shares["latency_p95"] == 0.25
    assert shares["cpu_usage"] == 0


def test_coverage_is_never_more_than_everything(store: Store) -> None:
    backfill([DemoSource(7, NOW)], store, NOW - HOUR, NOW, 60)
    assert (coverage(store, NOW - HOUR, NOW, 300)[list(MEASURED)] == 1).all(axis=None)


# -- a real Prometheus ------------------------------------------------------------------------


@pytest.mark.servers
def test_history_of_a_real_prometheus_is_fetched_and_covers_what_it_saw(
    prometheus_of_three: PrometheusSource, store: Store
) -> None:
    def enough() -> bool:
        now = datetime.now(UTC)
        oldest = prometheus_of_three.client.instant("min(count_over_time(up[1m]))", now).series
        return bool(oldest) and oldest[0].values[0] >= 6

    wait_until(enough, 20, "six scrapes of each target")
    end = datetime.now(UTC)
    report = backfill([prometheus_of_three], store, end - timedelta(seconds=4), end, 1)
    assert report.failures == ()
    assert sorted(report.coverage.index) == ["alertmanager", "node", "prometheus"]
    assert (report.coverage["pod_count"] == 1).all()
    assert report.samples >= 12
    before = everything_of(store, end)
    again = backfill([prometheus_of_three], store, end - timedelta(seconds=4), end, 1, again=True)
    assert again.samples == report.samples
    pd.testing.assert_frame_equal(everything_of(store, end), before)


@pytest.mark.servers
def test_a_week_before_a_real_prometheus_was_born_is_empty_and_no_error(
    prometheus_of_three: PrometheusSource, store: Store
) -> None:
    end = datetime.now(UTC) - DAY
    report = backfill([prometheus_of_three], store, end - 7 * DAY, end, 60)
    assert (report.samples, report.failures, store.revision) == (0, (), 0)
    assert report.chunks == 8


@pytest.mark.servers
def test_the_error_of_a_real_prometheus_is_in_the_report_of_the_piece(
    prometheus_of_three: PrometheusSource, store: Store
) -> None:
    refused = METRICS["cpu_usage"].__class__("cpu_usage", "", "", "up", "identity", 0, 0, queries={"process": "sum("})
    catalog = {"cpu_usage": refused, "pod_count": METRICS["pod_count"]}
    source = PrometheusSource(prometheus_of_three.client, 8, ("process",), catalog)
    end = datetime.now(UTC)
    report = backfill([source], store, end - 2 * DAY, end, 60, parallel=1)
    assert report.chunks == 3
    assert report.failures
    assert all("parse error" in failure.error for failure in report.failures)


def everything_of(store: Store, end: datetime) -> pd.DataFrame:
    return store.history_of_all(end - HOUR, end)
