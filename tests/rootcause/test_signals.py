"""Every metric of the catalogue says what it tells of, and names of others are read."""

from __future__ import annotations

import pytest

from observatory.catalog import METRICS
from observatory.rootcause.signals import signal_of, weights_of


def test_every_metric_of_the_catalogue_declares_its_signal() -> None:
    assert [name for name, metric in METRICS.items() if metric.signal is None] == []


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.detect])
def test_the_direction_in_which_a_metric_gets_worse_counts_most(name: str) -> None:
    rise, fall = weights_of(name)
    worse = METRICS[name].worse
    assert max(rise, fall) > 0
    assert rise >= fall if worse == "up" else fall >= rise


@pytest.mark.parametrize("name", ["certificate_expiry", "push_age"])
def test_what_only_counts_down_or_up_is_no_evidence(name: str) -> None:
    assert weights_of(name) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("name", "signal"),
    [
        ("PodServerLatencyP90s", "latency"),
        ("CpuUsageRate", "resource"),
        ("NetworkReceiveBytes", "network"),
        ("PodSuccessRate", "success"),
        ("availability_Average", "success"),
        ("requests_Sum", "traffic"),
        ("container_oom_events", "event"),
        ("http_5xx", "error"),
        ("m07", "other"),
    ],
)
def test_names_are_read(name: str, signal: str) -> None:
    assert signal_of(name) == signal


def test_a_metric_of_calls_to_others_counts_less() -> None:
    assert weights_of("PodClientLatencyP90s") == pytest.approx((0.7, 0.175))
