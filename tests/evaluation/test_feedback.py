"""Detectors are held against what users said, and by nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from support.series import series, with_fault

from observatory.evaluation.feedback import evaluate_feedback
from observatory.model import Feedback, Verdict

FIRST = datetime(2026, 1, 5, tzinfo=UTC)


def said(service: str, verdict: Verdict, first: int, last: int) -> Feedback:
    minute = timedelta(minutes=1)
    return Feedback(service, verdict, FIRST + first * minute, FIRST + last * minute, FIRST + timedelta(days=9))


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Faults in rows 2000, 2200 and 2400, half an hour each."""
    frame = series(2)
    for first in (2000, 2200, 2400):
        frame = with_fault(frame, "latency_p99", lambda values: values * 20, first)
    return frame


def evaluate(frame: pd.DataFrame, *labels: Feedback) -> tuple:
    def history(service: str, start: datetime, end: datetime) -> pd.DataFrame:
        return frame[(frame.index >= start) & (frame.index <= end)]

    return evaluate_feedback(labels, history, ["seasonal"])


@pytest.mark.slow
def test_true_spans_are_found_false_alarms_raised_again_and_the_rest_is_not_counted(frame: pd.DataFrame) -> None:
    summary, cases, failures = evaluate(
        frame,
        said("a", Verdict.RIGHT, 2000, 2029),
        said("a", Verdict.FALSE_ALARM, 2200, 2229),
        said("a", Verdict.MISSED, 2600, 2620),
    )
    assert failures == []
    row = summary.iloc[0]
    assert (row["true spans"], row["found"], row["false alarms"], row["raised again"]) == (2, 1, 1, 1)
    assert (row["precision"], row["recall"], row["f1"]) == (0.5, 0.5, 0.5)
    assert row["other alarms"] == 1  # nobody said anything of that in row 2400
    assert row["median delay [s]"] <= 120
    assert cases["alarmed"].tolist() == [True, True, False]
    assert row["not judged"] == 0


@pytest.mark.slow
def test_an_alarm_about_a_true_span_is_not_the_false_one_beside_it(frame: pd.DataFrame) -> None:
    summary, *_ = evaluate(frame, said("a", Verdict.MISSED, 2000, 2010), said("a", Verdict.FALSE_ALARM, 2012, 2029))
    assert summary["raised again"].iloc[0] == 0
    assert summary["found"].iloc[0] == 1


@pytest.mark.slow
def test_labels_without_samples_or_without_history_are_told_and_not_evaluated(frame: pd.DataFrame) -> None:
    summary, cases, _ = evaluate(
        frame,
        said("a", Verdict.RIGHT, 30, 40),
        said("a", Verdict.RIGHT, 5000, 5010),
        said("a", Verdict.RIGHT, 2000, 2029),
    )
    assert cases["judged"].tolist() == [False, True, False]
    assert summary["not judged"].iloc[0] == 2
    assert summary["recall"].iloc[0] == 1.0


def test_a_service_without_samples_is_not_evaluated(frame: pd.DataFrame) -> None:
    summary, cases, failures = evaluate(frame.iloc[:0], said("a", Verdict.RIGHT, 2000, 2029))
    assert failures == []
    assert cases["judged"].tolist() == [False]
    assert summary["true spans"].iloc[0] == 0
    assert pd.isna(summary["f1"].iloc[0])


def test_a_service_that_fails_is_told(frame: pd.DataFrame) -> None:
    broken = frame.rename(columns={"latency_p99": "request_rate"})
    _, cases, failures = evaluate(broken, said("a", Verdict.RIGHT, 2000, 2029))
    assert failures[0].what == "seasonal on a"
    assert cases.empty
