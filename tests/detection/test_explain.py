"""An anomaly is explained in words that a person on call understands."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.series import MINUTES, series

from observatory.detection.explain import evidence, sentence, severity
from observatory.detectors.bands import Bands
from observatory.model import Evidence, Severity

FRAME = series(8)
ROW = FRAME.iloc[[-1]]


@pytest.fixture(scope="module")
def bands() -> Bands:
    return Bands().fit(FRAME.iloc[: 7 * MINUTES])


def item(metric: str, actual: float, typical: float, lower: float, upper: float) -> Evidence:
    return Evidence(metric, actual, typical, lower, upper, 1.0, "up" if actual > typical else "down")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([item("latency_p99", 4.1, 0.3, 0.2, 0.4)], "p99 latency 4.1 s, typically 200–400 ms at this hour"),
        ([item("latency_p99", 4.1, 0.9, 0.5, 1.5)], "p99 latency 4.1 s, typically 500 ms–1.5 s at this hour"),
        ([item("error_rate", 0.12, 0.001, 0.0, 0.005)], "errors 12 %, typically below 0.5 % at this hour"),
        ([item("request_rate", 2, 100, 80, 120)], "request rate 2 req/s, typically 80–120 req/s at this hour"),
        ([item("restart_count", 3.0, 0.0, -1.5, 1.5)], "3 restarts, typically none"),
        ([item("restart_count", 1.25, 0.0, -1.5, 1.5)], "2 restarts, typically none"),
        ([item("pod_count", 1.0, 4.0, 2.5, 5.5)], "1 running pod, typically 4"),
        ([item("pod_count", 0.0, 4.0, 2.5, 5.5)], "no running pods, typically 4"),
        ([item("m07", 5.0, 1.0, 0.5, 1.5)], "m07 5, typically 0.5–1.5 at this hour"),
        ([], "several metrics are unusual together"),
    ],
)
def test_sentences(found: list[Evidence], words: str) -> None:
    assert sentence("shop/checkout", found) == f"shop/checkout: {words}"


def test_a_sentence_names_three_metrics_and_counts_the_others() -> None:
    found = [item(name, 9.0, 1.0, 0.5, 2.0) for name in ("cpu_usage", "memory_usage", "latency_p50", "latency_p95")]
    text = sentence("a", found)
    assert text.endswith("; and 1 more")
    assert text.count("at this hour") == 1


def test_evidence_is_what_lies_outside_the_band_the_largest_share_first(bands: Bands) -> None:
    found = evidence(ROW.assign(latency_p99=9.0, error_rate=0.05), bands)
    assert [e.metric for e in found] == ["error_rate", "latency_p99"] or found[0].metric == "latency_p99"
    assert sum(e.share for e in found) == pytest.approx(1.0)
    assert [e.share for e in found] == sorted((e.share for e in found), reverse=True)
    worst = next(e for e in found if e.metric == "latency_p99")
    assert worst.actual == 9.0
    assert worst.lower <= worst.typical <= worst.upper < worst.actual
    assert worst.direction == "up"


def test_traffic_that_is_gone_is_down(bands: Bands) -> None:
    (only,) = evidence(ROW.assign(request_rate=0.0), bands)
    assert (only.metric, only.direction) == ("request_rate", "down")


def test_missing_values_are_never_evidence(bands: Bands) -> None:
    found = evidence(ROW.assign(latency_p99=np.nan, error_rate=0.5), bands)
    assert [e.metric for e in found] == ["error_rate"]
    assert "nan" not in sentence("a", found).lower()
    nothing = pd.DataFrame(np.nan, index=ROW.index, columns=ROW.columns)
    assert evidence(nothing, bands) == ()


@pytest.mark.parametrize(
    ("score", "metrics", "rows", "level"),
    [
        (1.0, ["cpu_usage"], 1, Severity.LOW),
        (1.5, ["cpu_usage"], 1, Severity.MEDIUM),
        (2.0, ["cpu_usage"], 1, Severity.HIGH),
        (4.0, ["cpu_usage"], 1, Severity.CRITICAL),
        (1.0, ["cpu_usage", "error_rate", "latency_p50"], 1, Severity.MEDIUM),
        (1.0, ["latency_p50", "latency_p95", "latency_p99"], 1, Severity.LOW),
        (1.0, ["cpu_usage"], 60, Severity.MEDIUM),
        (9.0, ["cpu_usage"], 600, Severity.CRITICAL),
    ],
)
def test_severity_grows_with_distance_breadth_and_length(
    score: float, metrics: list[str], rows: int, level: Severity
) -> None:
    assert severity(score, [item(name, 2, 1, 0, 1) for name in metrics], rows) is level
