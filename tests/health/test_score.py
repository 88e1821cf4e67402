"""The health score keeps the arithmetic that was agreed, and never rewards a worse metric."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observatory.health.score import Targets, band, score
from observatory.model import Band, Health, Service, Severity

SERVICE = Service("shop/cart", cpu_limit=4.0, memory_limit=1e9, desired_pods=4)
TARGETS = Targets(objective=0.999, latency=0.5)
HEALTHY: dict[str, float | None] = {
    "request_rate": 50.0,
    "error_rate": 0.0005,
    "latency_p50": 0.05,
    "latency_p95": 0.2,
    "latency_p99": 0.4,
    "cpu_usage": 1.0,
    "memory_usage": 5e8,
    "restart_count": 0.0,
    "pod_count": 4.0,
}


def judge(service: Service = SERVICE, worst: Severity | None = None, **changes: float | None) -> Health:
    return score(HEALTHY | changes, service, TARGETS, window=300, worst=worst)


@pytest.mark.parametrize(
    ("changes", "points", "coverage"),
    [
        ({}, 100, 100),
        ({"error_rate": 0.01}, 73, 100),
        ({"error_rate": 0.05}, 39, 100),
        ({"latency_p95": 2.0}, 59, 100),
        ({"request_rate": 0.0, "error_rate": None, "latency_p95": None}, 100, 75),
        ({"pod_count": 0.0}, 0, 100),
    ],
    ids=["healthy", "errors 1 %", "errors 5 %", "p95 at 4T", "idle", "no pods"],
)
def test_worked_figures(changes: dict[str, float | None], points: int, coverage: int) -> None:
    health = judge(**changes)
    assert (health.score, health.coverage) == (points, coverage)


@pytest.mark.parametrize(
    ("severity", "points"),
    [(Severity.CRITICAL, 90), (Severity.HIGH, 94), (Severity.MEDIUM, 97), (Severity.LOW, 99)],
)
def test_an_open_anomaly_costs_by_its_severity(severity: Severity, points: int) -> None:
    assert judge(worst=severity).score == points


def test_the_arithmetic_adds_up_to_the_score() -> None:
    health = judge(error_rate=0.004, latency_p95=0.8, cpu_usage=3.4, restart_count=1.0, worst=Severity.MEDIUM)
    assert health.score == round(sum(part.points for part in health.parts))
    assert all(part.detail for part in health.parts)


def test_missing_parts_are_dropped_and_the_rest_renormalised() -> None:
    health = judge(service=Service("bare"), latency_p95=None)
    assert (health.score, health.coverage) == (100, 60)


def test_too_little_known_is_unknown_and_never_100() -> None:
    health = judge(request_rate=None, error_rate=None, latency_p95=None)
    assert (health.score, health.band) == (None, Band.UNKNOWN)
    assert "availability" in health.reason


def test_stale_data_is_unknown_with_its_reason() -> None:
    health = score(HEALTHY, SERVICE, TARGETS, window=300, stale="stale: 10 minutes old")
    assert (health.score, health.band, health.reason) == (None, Band.UNKNOWN, "stale: 10 minutes old")


def test_no_pods_is_critical_even_when_nothing_else_is_known() -> None:
    health = score({"pod_count": 0.0}, Service("gone"), TARGETS, window=300)
    assert (health.score, health.band) == (0, Band.CRITICAL)


def test_nineteen_requests_do_not_make_a_ratio() -> None:
    few = judge(request_rate=19 / 300, error_rate=1.0, latency_p95=9.0)
    enough = judge(request_rate=20 / 300, error_rate=1.0, latency_p95=9.0)
    assert (few.score, few.coverage) == (100, 75)
    assert enough.score == 35


def test_a_learning_service_is_not_credited_with_calm() -> None:
    health = score(HEALTHY, SERVICE, TARGETS, window=300, learning=True)
    assert health.coverage == 90


def test_caps_hold_while_the_rest_is_perfect() -> None:
    assert judge(error_rate=1.0).caps == ("availability at its bad bound: at most 39",)
    assert judge(latency_p95=60.0).caps == ("latency at its bad bound: at most 59",)


def test_limits_decide_saturation_by_the_worse_of_the_two() -> None:
    assert judge(cpu_usage=4.0).score == 85
    assert judge(memory_usage=1e9, cpu_usage=0.1).score == 85
    assert judge(service=replace(SERVICE, cpu_limit=None), cpu_usage=400.0).score == 100


@pytest.mark.parametrize(
    ("points", "word"),
    [
        (100, Band.HEALTHY),
        (85, Band.HEALTHY),
        (84, Band.DEGRADED),
        (60, Band.DEGRADED),
        (59, Band.POOR),
        (40, Band.POOR),
        (39, Band.CRITICAL),
        (0, Band.CRITICAL),
    ],
)
def test_bands(points: int, word: Band) -> None:
    assert band(points) is word


WORSE_UP = ("error_rate", "latency_p95", "cpu_usage", "memory_usage", "restart_count")


@given(
    name=st.sampled_from(WORSE_UP),
    factor=st.floats(1.0, 1e6),
    start=st.floats(0.0, 1e10),
    rate=st.floats(1.0, 1e6),
)
def test_a_worse_metric_never_raises_health(name: str, factor: float, start: float, rate: float) -> None:
    better = judge(request_rate=rate, **{name: start}).score
    worse = judge(request_rate=rate, **{name: start * factor}).score
    assert better is not None
    assert worse is not None
    assert worse <= better


@given(pods=st.integers(0, 20), fewer=st.integers(0, 20))
def test_fewer_pods_never_raise_health(pods: int, fewer: int) -> None:
    more, less = judge(pod_count=float(pods)).score, judge(pod_count=float(max(0, pods - fewer))).score
    assert more is not None
    assert less is not None
    assert less <= more
