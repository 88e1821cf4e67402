"""Detectors are judged causally, and by arithmetic that can be checked by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from series import series

from observatory.detectors import make_detector
from observatory.errors import InvalidInputError, UnknownPluginError
from observatory.evaluation import evaluate_demo, event_scores, score_stream
from observatory.model import Anomaly, Fault, Severity

T = datetime(2026, 1, 1, tzinfo=UTC)
WEEK = timedelta(weeks=1)


def fault(service: str, first: int, last: int) -> Fault:
    return Fault(service, "kind", T + timedelta(minutes=first), T + timedelta(minutes=last), ("cpu_usage",), service)


def anomaly(service: str, first: int, last: int) -> Anomaly:
    start, end = T + timedelta(minutes=first), T + timedelta(minutes=last)
    return Anomaly(service, start, end, start, False, Severity.LOW, 1.0, "d", "", ())


def test_faults_found_and_false_alarms_are_counted_once() -> None:
    faults = [fault("a", 10, 20), fault("a", 100, 110), fault("b", 10, 20)]
    found = [anomaly("a", 12, 14), anomaly("a", 16, 40), anomaly("b", 60, 61), anomaly("c", 10, 20)]
    scores = event_scores(faults, found, services=2, span=WEEK)
    assert (scores.recall, scores.precision) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert scores.f1 == pytest.approx(1 / 3)
    assert (scores.false_alarms, scores.false_alarms_per_service_week) == (2, 1.0)
    assert scores.delay == 120
    assert scores.faults["found"].tolist() == [True, False, False]


def test_alarms_while_a_service_recovers_are_no_false_alarms() -> None:
    found = [anomaly("a", 30, 31)]
    assert event_scores([fault("a", 10, 20)], found, 1, WEEK).false_alarms == 0
    assert event_scores([fault("a", 10, 14)], found, 1, WEEK).false_alarms == 1


def test_an_alarm_that_was_up_before_has_no_delay() -> None:
    assert event_scores([fault("a", 10, 20)], [anomaly("a", 5, 15)], 1, WEEK).delay == 0


def test_nothing_found_and_nothing_to_find() -> None:
    nothing = event_scores([fault("a", 10, 20)], [], 1, WEEK)
    assert (nothing.recall, nothing.precision, nothing.f1) == (0, 0, 0)
    assert np.isnan(nothing.delay)
    assert event_scores([], [], 1, WEEK).false_alarms == 0


@pytest.mark.parametrize("detector", [None, "seasonal", "instance"])
def test_a_score_a_row_from_the_training_rows_on(detector: str | None) -> None:
    frame = series(1).iloc[:900]
    chosen = make_detector("seasonal") if detector == "instance" else detector
    scores = score_stream(frame, 400, chosen)
    assert scores.shape == (900,)
    assert np.isnan(scores[:400]).all()
    assert (scores[400:] >= 0).all()


def test_the_score_of_a_prefix_is_the_prefix_of_the_score() -> None:
    frame = series(2).iloc[:2000].copy()
    frame.iloc[1500:1520, 4] *= 20
    whole = score_stream(frame, 400)
    for rows in (401, 1000, 1510, 1999):
        np.testing.assert_allclose(score_stream(frame.iloc[:rows], 400), whole[:rows])
    assert np.nanmax(whole[1500:1520]) >= 1


def test_unknown_metrics_count_both_ways_and_holes_are_survived() -> None:
    random = np.random.default_rng(3)
    index = pd.date_range("2026-01-01", periods=1200, freq="5min", tz="UTC")
    frame = pd.DataFrame(random.normal(size=(1200, 5)), index=index, columns=list("abcde"))
    frame.iloc[900:910, 2] = -30.0
    frame.iloc[1000:1010, 3] = 30.0
    frame.iloc[950:960] = np.nan
    frame["empty"] = np.nan
    scores = score_stream(frame.drop(index[600:620]), 500)
    assert np.isfinite(scores[500:]).all()
    assert scores[880:890].max() >= 1
    assert scores[980:990].max() >= 1


@pytest.mark.parametrize(
    ("change", "rows", "message"),
    [
        (lambda f: f.tz_localize(None), 100, "DatetimeIndex with a time zone"),
        (lambda f: f.iloc[::-1], 100, "increasing"),
        (lambda f: f, 0, "train_rows = 0"),
        (lambda f: f, 10_000, "train_rows = 10000"),
    ],
)
def test_bad_input_is_named(change, rows: int, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        score_stream(change(series(0.2)), rows)


def test_the_demo_tells_a_good_detector_from_a_poor_one() -> None:
    told: list[str] = []
    table = evaluate_demo(7, ["seasonal"], 3.0, lambda done, total, what: told.append(what))
    row = table.iloc[0]
    assert (row["detector"], row["recall"]) == ("seasonal", 1.0)
    assert row["false alarms a service-week"] <= 1
    assert row["median delay [s]"] <= 180
    assert set(told) == {"seasonal"}


def test_wrong_detectors_and_lengths_are_refused() -> None:
    with pytest.raises(UnknownPluginError):
        evaluate_demo(7, ["oracle"])
    with pytest.raises(InvalidInputError, match="days = 2: must be more than the 2 days"):
        evaluate_demo(7, ["seasonal"], 2.0)
