"""A metric is one row, and its values can be read by people."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from observatory.catalog import METRICS, detected, metric, present


def test_common_metrics_are_there_in_reading_order() -> None:
    assert [name for name, row in METRICS.items() if row.common] == [
        "request_rate",
        "error_rate",
        "latency_p50",
        "latency_p95",
        "latency_p99",
        "cpu_usage",
        "memory_usage",
        "restart_count",
        "pod_count",
    ]


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("latency_p99", 4.1, "4.1 s"),
        ("latency_p99", 0.2, "200 ms"),
        ("error_rate", 0.12, "12 %"),
        ("error_rate", 0.0, "0 %"),
        ("memory_usage", 512e6, "512 MB"),
        ("memory_usage", 2.5e9, "2.5 GB"),
        ("memory_usage", 900, "900 B"),
        ("request_rate", 1234.5, "1,234 req/s"),
        ("pod_count", 3.0, "3"),
        ("cpu_usage", 0.25, "0.25 cores"),
        ("cpu_usage", None, "–"),
        ("cpu_usage", float("nan"), "–"),
    ],
)
def test_values_are_shown_in_units_people_use(name: str, value: float | None, shown: str) -> None:
    assert METRICS[name].show(value) == shown


@given(st.sampled_from(sorted(METRICS)), st.floats(0, 1e9))
def test_transforms_are_undone(name: str, value: float) -> None:
    values = np.array([value])
    np.testing.assert_allclose(METRICS[name].invert(METRICS[name].apply(values)), values, rtol=1e-6, atol=1e-3)


def test_what_counts_down_or_grows_by_nature_is_not_detected_on() -> None:
    assert set(METRICS) - set(detected(METRICS)) == {"certificate_expiry", "push_age"}


def test_metrics_that_few_services_have_are_shown_where_they_have_values() -> None:
    assert present(["error_rate", "queue_lag", "up"], lambda name: name == "queue_lag") == ["error_rate", "queue_lag"]


def test_a_column_nobody_declared_gets_worse_both_ways() -> None:
    unknown = metric("m17")
    assert (unknown.name, unknown.worse) == ("m17", "both")


def test_missing_stays_missing() -> None:
    assert all(np.isnan(row.apply(np.array([np.nan]))).all() for row in METRICS.values())
