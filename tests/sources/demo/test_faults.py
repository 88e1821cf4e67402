"""Labels tell the truth: where a label is the metrics move, where none is they do not, and values stay possible."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from observatory.catalog import METRICS
from observatory.model import SERVICE, TIMESTAMP, Fault
from observatory.sources.demo.faults import KINDS, Injection, apply, reach
from observatory.sources.demo.shop import CALLS, MEASURED, SHOP, DemoSource

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WELL = NOW - 3650 * DAY
FACTOR = {"latency_p50": 1.3, "latency_p95": 1.8, "latency_p99": 1.25, "memory_usage": 1.3, "request_rate": 1 / 0.5}
"""By how much a labelled metric moves at least, at its worst, even two calls away from the cause."""


@pytest.fixture(scope="module")
def week() -> tuple[list[Fault], pd.DataFrame, pd.DataFrame]:
    """Labels of a week, its samples, and what they would have been without faults: indexed by service and time."""
    ill, well = DemoSource(7, NOW), DemoSource(7, WELL)
    index = [SERVICE, TIMESTAMP]
    frames = [source.history(NOW - 7 * DAY, NOW, 60).frame.set_index(index) for source in (ill, well)]
    return ill.faults(NOW - 7 * DAY, NOW), frames[0], frames[1]


def during(fault: Fault, frame: pd.DataFrame) -> pd.DataFrame:
    rows: pd.DataFrame = frame.loc[fault.service_name].loc[fault.start : fault.end]
    return rows


# -- what the past holds ----------------------------------------------------------------------


@pytest.mark.slow
def test_every_kind_happens_in_the_week_before_the_anchor(week: tuple) -> None:
    faults, _, _ = week
    assert {fault.kind for fault in faults} == set(KINDS)
    assert {fault.service_name for fault in faults} <= set(SHOP)
    assert faults == sorted(faults, key=lambda fault: (fault.start, fault.service_name))


def test_two_days_to_learn_from_are_clean(week: tuple) -> None:
    faults, ill, well = week
    assert min(fault.start for fault in faults) >= NOW - 5 * DAY
    until = NOW - 5 * DAY
    early = ill.index.get_level_values(TIMESTAMP) < until
    pd.testing.assert_frame_equal(ill[early], well[early])


@pytest.mark.parametrize("days", [0.05, 0.1, 0.5, 1, 3, 7, 30])
def test_nothing_happens_in_the_45_minutes_before_the_anchor(days: float) -> None:
    faults = DemoSource(7, NOW, days=days).faults()
    assert all(fault.end <= NOW - 45 * MINUTE for fault in faults)
    assert all(fault.start > NOW - timedelta(days=days) for fault in faults)


def test_labels_that_overlap_a_range_are_given() -> None:
    source = DemoSource(7, NOW)
    (fault,) = [fault for fault in source.faults() if fault.kind == "memory_leak"]
    inside = fault.start + HOUR
    assert fault in source.faults(inside, inside)
    assert fault in source.faults(fault.end, fault.end)
    assert fault not in source.faults(fault.end + MINUTE, fault.end + 2 * MINUTE)
    assert fault not in source.faults(fault.start - HOUR, fault.start - MINUTE)


# -- labels and samples agree -----------------------------------------------------------------


def test_labelled_metrics_move_a_lot(week: tuple) -> None:
    faults, ill, well = week
    for fault in faults:
        sick, fine = during(fault, ill), during(fault, well)
        for metric in fault.metrics:
            where = (fault.kind, fault.service_name, metric)
            if metric == "error_rate":
                assert (sick[metric] - fine[metric]).max() > 0.05, where
            elif metric in ("restart_count", "pod_count"):
                assert (sick[metric] - fine[metric]).abs().max() >= 2, where
            else:
                change = np.abs(np.log(sick[metric] / fine[metric])).max()
                assert change > np.log(FACTOR.get(metric, 1.3)), where


def test_the_first_labelled_sample_is_already_changed(week: tuple) -> None:
    faults, ill, well = week
    for fault in faults:
        if fault.kind != "memory_leak":  # a leak takes its time
            (metric, *_) = fault.metrics
            assert during(fault, ill)[metric].iloc[0] != during(fault, well)[metric].iloc[0], fault


def test_what_no_label_names_does_not_move(week: tuple) -> None:
    faults, ill, well = week
    changed = (ill != well).stack()
    for (service, at), metric in ((key[:2], key[2]) for key in changed[changed].index):
        assert any(
            fault.service_name == service and fault.start <= at <= fault.end and metric in fault.metrics
            for fault in faults
        ), (service, at, metric)


def test_metrics_move_the_way_they_get_worse(week: tuple) -> None:
    faults, ill, well = week
    for fault in faults:
        for metric in fault.metrics:
            change = during(fault, ill)[metric] - during(fault, well)[metric]
            down = METRICS[metric].worse == "down" or (fault.kind, metric) == ("traffic_drop", "cpu_usage")
            assert (change <= 0 if down else change >= 0).all(), (fault.kind, metric)


def test_values_stay_possible_whatever_happens(week: tuple) -> None:
    _, ill, _ = week
    assert (ill >= 0).all(axis=None)
    assert ill["error_rate"].max() <= 1
    assert (ill["latency_p50"] <= ill["latency_p95"]).all()
    assert (ill["latency_p95"] <= ill["latency_p99"]).all()
    assert (ill[["restart_count", "pod_count"]] % 1 == 0).all(axis=None)


@pytest.mark.slow
@settings(max_examples=60)
@given(
    injections=st.lists(
        st.builds(
            lambda kind, service, start, length: Injection(
                kind, service, NOW + start * MINUTE, NOW + (start + length) * MINUTE
            ),
            st.sampled_from(sorted(KINDS)),
            st.sampled_from(sorted(SHOP)),
            st.integers(-30, 60),
            st.integers(0, 60),
        ),
        max_size=6,
    ),
    errors=st.floats(0, 1),
    pods=st.integers(0, 3),
)
def test_faults_on_top_of_each_other_stay_possible(injections: list[Injection], errors: float, pods: int) -> None:
    times = pd.date_range(NOW, periods=60, freq="60s")
    values = {"error_rate": errors, "latency_p50": 0.1, "latency_p95": 0.1, "latency_p99": 0.1, "pod_count": pods}
    frame = pd.DataFrame(dict.fromkeys(MEASURED, 1.0) | values, index=times, dtype=float)
    for injection in injections:
        for reached in reach(injection, CALLS):
            frame = apply(reached, frame)
    assert (frame >= 0).all(axis=None)
    assert frame["error_rate"].max() <= 1
    assert (frame["latency_p50"] <= frame["latency_p95"]).all()
    assert (frame["latency_p95"] <= frame["latency_p99"]).all()


# -- how faults spread ------------------------------------------------------------------------


def test_a_cascade_reaches_every_caller_later_and_weaker_and_names_its_cause() -> None:
    reached = reach(Injection("cascade", "shop/orders-db", NOW, NOW + HOUR), CALLS)
    felt = {item.fault.service_name: item for item in reached}
    assert next(iter(felt)) == "shop/orders-db"
    assert {"shop/payments", "shop/inventory", "shop/catalog", "shop/checkout", "shop/frontend"} <= set(felt)
    assert "shop/sessions" not in felt  # called by all of them, calls nobody
    assert {item.fault.root_cause for item in reached} == {"shop/orders-db"}
    for name, item in felt.items():
        if name != "shop/orders-db":
            called = [felt[callee] for caller, callee in CALLS if caller == name and callee in felt]
            nearest = max(called, key=lambda one: one.strength)
            assert item.strength < nearest.strength
            assert item.fault.start > nearest.fault.start


def test_a_cascade_is_felt_less_by_those_further_away(week: tuple) -> None:
    faults, ill, well = week
    change = {
        fault.service_name: (during(fault, ill)["error_rate"] - during(fault, well)["error_rate"]).max()
        for fault in faults
        if fault.kind == "cascade"
    }
    assert change["shop/inventory"] > change["shop/catalog"] > change["shop/search"] > 0.05


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"cascade"}))
def test_other_faults_stay_where_they_are(kind: str) -> None:
    (reached,) = reach(Injection(kind, "shop/orders-db", NOW, NOW + HOUR), CALLS)
    assert (reached.fault.service_name, reached.fault.root_cause) == ("shop/orders-db", "shop/orders-db")
    assert reached.strength == 1


def test_calls_in_a_circle_come_to_an_end() -> None:
    reached = reach(Injection("cascade", "a", NOW, NOW + HOUR), [("a", "b"), ("b", "a"), ("c", "a")])
    assert [item.fault.service_name for item in reached] == ["a", "b", "c"]


def test_a_fault_outside_the_frame_changes_nothing() -> None:
    frame = DemoSource(7, WELL).history(NOW, NOW + HOUR, 60, ["shop/cart"]).frame
    frame = frame.set_index(TIMESTAMP)[list(MEASURED)]
    (reached,) = reach(Injection("error_burst", "shop/cart", NOW - HOUR, NOW - MINUTE), CALLS)
    pd.testing.assert_frame_equal(apply(reached, frame), frame)


def test_applying_a_fault_leaves_the_frame_it_was_given_alone() -> None:
    frame = DemoSource(7, WELL).history(NOW, NOW + HOUR, 60, ["shop/cart"]).frame
    frame = frame.set_index(TIMESTAMP)[list(MEASURED)]
    before = frame.copy()
    (reached,) = reach(Injection("error_burst", "shop/cart", NOW, NOW + HOUR), CALLS)
    assert not apply(reached, frame).equals(before)
    pd.testing.assert_frame_equal(frame, before)


# -- while somebody watches -------------------------------------------------------------------


@pytest.mark.parametrize("second", [0, 17, 45, 59])
def test_a_fault_begins_within_two_minutes_and_is_plain_from_its_second_sample_on(second: int) -> None:
    since = NOW + timedelta(seconds=second)
    live, well = DemoSource(7, NOW, live_since=since), DemoSource(7, WELL)
    end = since + 10 * MINUTE
    (fault,) = [fault for fault in live.faults(since, end) if fault.service_name == "shop/payments"]
    assert (fault.kind, fault.root_cause) == ("cascade", "shop/payments")
    assert since < fault.start <= since + 2 * MINUTE
    frames = [source.history(since, end, 60, ["shop/payments"]).frame.set_index(TIMESTAMP) for source in (live, well)]
    sick, fine = (frame.loc[fault.start :]["error_rate"] for frame in frames)
    added = (sick - fine).to_numpy() / 0.25
    assert added[0] >= 0.5
    assert added[1] >= 0.75
    assert added[2:] == pytest.approx(1.0)
    assert (sick.index[1] - since) <= 4 * MINUTE


def test_further_faults_follow_every_few_hours_and_are_the_same_each_time_asked() -> None:
    source = DemoSource(7, NOW, live_since=NOW)
    day = source.faults(NOW, NOW + DAY)
    starts = sorted({fault.start for fault in day if fault.service_name == fault.root_cause})
    assert len(starts) >= 7
    assert all(second - first > 90 * MINUTE for first, second in pairwise(starts))
    assert [fault for fault in day if fault.start <= NOW + 6 * HOUR] == source.faults(NOW, NOW + 6 * HOUR)


def test_without_a_viewer_nothing_happens_after_the_anchor() -> None:
    assert DemoSource(7, NOW).faults(NOW, NOW + DAY) == []
