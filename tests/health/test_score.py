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


@pytest.mark.parametrize(
    ("requests", "failed", "points"),
    [(19, 1, 100), (10, 1, 100), (1, 1, 99), (10, 2, 82), (10, 3, 39), (5, 5, 39), (19, 19, 39)],
)
def test_of_a_few_requests_only_what_they_make_certain_counts(requests: int, failed: int, points: int) -> None:
    assert judge(request_rate=requests / 300, error_rate=failed / requests).score == points


def test_a_few_requests_tell_no_latency() -> None:
    few = judge(request_rate=19 / 300, latency_p95=9.0)
    enough = judge(request_rate=20 / 300, latency_p95=9.0)
    assert (few.score, few.coverage, enough.score) == (100, 75, 59)


def test_a_few_requests_without_an_error_rate_are_not_known_to_succeed() -> None:
    health = judge(request_rate=5 / 300, error_rate=None)
    assert next(part for part in health.parts if part.name == "availability").value is None


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


PROBED: dict[str, float | None] = {"probe_success": 1.0, "certificate_expiry": 80 * 86400.0}


def judge_only(known: dict[str, float | None], **changes: float | None) -> Health:
    return score(known | changes, Service("shop.example"), TARGETS, window=60)


@pytest.mark.parametrize(
    ("left", "points", "why"),
    [
        (80 * 86400.0, 100, ""),
        (7 * 86400.0 + 60, 60, "its certificate ends in 7 days"),
        (3600.0, 0, "its certificate ends in less than a day"),
        (-60.0, 0, "its certificate has ended"),
    ],
)
def test_a_certificate_counts_from_two_weeks_before_its_end(left: float, points: int, why: str) -> None:
    health = judge_only(PROBED, certificate_expiry=left)
    assert health.score == pytest.approx(points, abs=25)
    assert health.why == why
    assert (health.band is Band.HEALTHY) == (not why)


def test_a_certificate_that_lasts_says_nothing_of_the_service() -> None:
    assert judge_only({"certificate_expiry": 80 * 86400.0}).score is None


def test_errors_count_where_most_targets_are_up() -> None:
    health = judge(up=0.75, error_rate=0.5)
    assert health.parts[0].value == 0
    assert health.why.startswith("errors 50 %")


def test_targets_that_are_down_count_where_the_others_answer() -> None:
    assert judge(up=0.5).why == "50 % of its targets are up"


def test_failed_jobs_cost_stability() -> None:
    health = judge(failed_jobs=2.0)
    assert {part.name: part.detail for part in health.parts if part.value == 0} == {"stability": "2 jobs failed"}


@pytest.mark.parametrize(("failed", "band"), [(0.0, Band.HEALTHY), (1.0, Band.CRITICAL)])
def test_what_has_nothing_but_jobs_is_judged_by_them(failed: float, band: Band) -> None:
    assert judge_only({"failed_jobs": failed}).band is band


def test_what_was_pushed_long_ago_is_stale_and_not_healthy() -> None:
    health = judge(push_age=3 * 86400.0)
    assert (health.score, health.band) == (None, Band.UNKNOWN)
    assert health.why == "stale: it last pushed 3 days ago"


@pytest.mark.parametrize("known", [{"up": 0.0}, {"probe_success": 0.0}, {"up": 0.0, "pod_count": 0.0}])
def test_what_is_down_is_critical_whatever_else_is_not_known(known: dict[str, float | None]) -> None:
    health = judge_only(known)
    assert health.band is Band.CRITICAL
    assert health.why in ("it is down", "its probe fails")


def test_the_mean_stands_in_for_a_quantile_that_is_not_known() -> None:
    health = judge(latency_p95=None, latency_mean=1.8)
    assert health.why == "mean 1.8 s, target 500 ms (p95 is not known)"


@given(st.floats(0, 1), st.floats(0, 1), st.floats(-1e6, 1e7))
def test_no_part_hides_what_another_tells_of_availability(up: float, errors: float, left: float) -> None:
    together = judge(up=up, error_rate=errors, certificate_expiry=left).parts[0].value
    assert together is not None
    for alone in (judge(up=up), judge(error_rate=errors), judge(certificate_expiry=left)):
        assert alone.parts[0].value is not None
        assert together <= alone.parts[0].value
