"""Scores become episodes that a person on call can trust."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from support.series import MINUTES, series, with_fault

from observatory.detection import Threshold, detect
from observatory.detection.episodes import GAP
from observatory.detectors import make_detector
from observatory.detectors.bands import Bands
from observatory.detectors.base import Detector
from observatory.health.overview import learning
from observatory.model import Anomaly, Severity

FRAME = series(8)
DAY_EIGHT = 7 * MINUTES
HISTORY = FRAME.iloc[:DAY_EIGHT]
CONTEXT = 10


@pytest.fixture(scope="module")
def bands() -> Bands:
    return Bands().fit(HISTORY)


def scripted(bands: Bands, values: list[float], sensitivity: float = 1.0, **kwargs: Any) -> list[Anomaly]:
    frame = FRAME.iloc[DAY_EIGHT - 1 : DAY_EIGHT + len(values)]
    scores = pd.Series([0.0, *values], index=frame.index)
    threshold = Threshold(sensitivity=sensitivity)
    return detect("a", frame, scores.iloc[1:], lambda: bands, detector_name="s", threshold=threshold, **kwargs)


def test_neighbouring_alarms_are_one_episode_with_its_worst_moment(bands: Bands) -> None:
    (only,) = scripted(bands, [0, 1.2, 3.0, 1.1, *[0] * GAP])
    assert (only.score, only.is_open) == (3.0, False)
    assert only.started_at == FRAME.index[DAY_EIGHT + 1]
    assert only.peak_at == FRAME.index[DAY_EIGHT + 2]
    assert only.ended_at == FRAME.index[DAY_EIGHT + 3]


def test_an_alarm_on_a_row_that_is_fine_again_is_explained_by_the_fault_before(bands: Bands) -> None:
    first = DAY_EIGHT + 1
    frame = with_fault(FRAME, "error_rate", lambda x: x + 0.3, first, rows=2).iloc[DAY_EIGHT - 1 : first + 3]
    scores = pd.Series([0.0, 0.0, 2.0, 2.5, 2.6], index=frame.index)
    (only,) = detect("a", frame, scores.iloc[1:], lambda: bands, detector_name="s")
    assert [item.metric for item in only.evidence] == ["error_rate"]
    assert "errors 30" in only.message
    assert (only.peak_at, only.ended_at) == (frame.index[3], frame.index[4])


def test_a_gap_splits_an_episode_and_a_shorter_one_does_not(bands: Bands) -> None:
    assert len(scripted(bands, [2, *[0] * (GAP - 1), 2])) == 1
    assert len(scripted(bands, [2, *[0] * GAP, 2])) == 2


def test_an_episode_is_open_until_it_was_quiet_for_long_enough(bands: Bands) -> None:
    assert scripted(bands, [2, *[0] * (GAP - 1)])[0].is_open
    assert not scripted(bands, [2, *[0] * GAP])[0].is_open


def test_severity_never_falls_while_it_lasts(bands: Bands) -> None:
    falling = scripted(bands, [5.0, 1.1, 1.1, 1.1])
    assert falling[0].severity is Severity.CRITICAL
    rising = scripted(bands, [1.1, 1.1, 2.5])
    assert rising[0].severity is Severity.HIGH


def test_sensitivity_moves_the_line(bands: Bands) -> None:
    assert scripted(bands, [0.8]) == []
    assert len(scripted(bands, [0.8], sensitivity=1.5)) == 1
    assert scripted(bands, [1.2], sensitivity=0.5) == []


def test_row_by_row_gives_the_episodes_of_one_batch(bands: Bands) -> None:
    frame = with_fault(FRAME, "latency_p99", lambda x: x * 6, DAY_EIGHT + 20, rows=15)
    detector = make_detector("seasonal").fit(HISTORY)
    window = frame.iloc[DAY_EIGHT - CONTEXT : DAY_EIGHT + 60]
    scores = detector.score(window).total.iloc[CONTEXT:]
    batch = detect("a", window, scores, lambda: bands, detector_name="s")
    streamed: dict[datetime, Anomaly] = {}
    for row in range(DAY_EIGHT, DAY_EIGHT + 60):
        still_open = next((a for a in streamed.values() if a.is_open), None)
        piece = frame.iloc[row - CONTEXT : row + 1]
        for found in detect("a", piece, scores[piece.index[-1:]], lambda: bands, still_open, detector_name="s"):
            streamed[found.started_at] = found
    assert list(streamed.values()) == batch
    assert len(batch) == 1


def test_nothing_new_is_no_news(bands: Bands) -> None:
    frame = FRAME.iloc[:50]
    assert detect("a", frame, pd.Series(dtype=float), lambda: bands, detector_name="s") == []


FAULTS: dict[str, tuple[str, Callable[[pd.Series], pd.Series]]] = {
    "p99 × 10": ("latency_p99", lambda x: x * 10),
    "errors 50 %": ("error_rate", lambda x: x * 0 + 0.5),
    "memory × 3": ("memory_usage", lambda x: x * 3),
    "traffic to 0": ("request_rate", lambda x: x * 0),
    "pods 4 → 1": ("pod_count", lambda x: x * 0 + 1),
    "restarts + 5": ("restart_count", lambda x: x + 5),
    "CPU × 4": ("cpu_usage", lambda x: x * 4),
}


@pytest.fixture(scope="module")
def default() -> Detector:
    return make_detector("multiscale").fit(HISTORY)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("hour", [3, 15])
def test_a_fault_in_one_metric_is_found_at_once_and_is_critical_or_high(
    default: Detector, bands: Bands, name: str, hour: int
) -> None:
    metric, change = FAULTS[name]
    first = DAY_EIGHT + hour * 60
    frame = with_fault(FRAME, metric, change, first).iloc[first - CONTEXT : first + 30]
    scores = default.score(frame.iloc[CONTEXT:]).total
    found = detect("a", frame, scores, lambda: bands, detector_name="multiscale")
    assert found
    assert found[0].started_at <= frame.index[CONTEXT + 2]
    assert found[0].severity in (Severity.CRITICAL, Severity.HIGH)
    assert found[0].metrics[0] == metric


@pytest.mark.parametrize(
    ("metric", "factor"), [("latency_p99", 0.5), ("request_rate", 2.0), ("error_rate", 0.0), ("pod_count", 2.0)]
)
def test_changes_for_the_better_are_not_flagged(default: Detector, bands: Bands, metric: str, factor: float) -> None:
    frame = with_fault(FRAME, metric, lambda x: x * factor, DAY_EIGHT, rows=60)
    piece = frame.iloc[DAY_EIGHT - CONTEXT : DAY_EIGHT + 60]
    scores = default.score(piece.iloc[CONTEXT:]).total
    assert detect("a", piece, scores, lambda: bands, detector_name="e") == []


def test_the_learning_state_says_when_it_is_over() -> None:
    now = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
    state = learning(90, 120, 60, now)
    assert state is not None
    assert state.ready_at == now + timedelta(minutes=30)
    assert state.message == "learning: 90 of 120 samples, ready about 2026-01-01 12:30 UTC"
    nothing = learning(0, 120, 60, now)
    assert nothing is not None
    assert nothing.message == "learning: 0 of 120 samples"
    assert learning(120, 120, 60, now) is None
