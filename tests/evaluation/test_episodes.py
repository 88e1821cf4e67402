"""Episodes are held against faults by arithmetic that can be checked by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from observatory.errors import InvalidInputError, UnknownPluginError
from observatory.evaluation import demo_series, evaluate_demo, event_scores
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_demo_as_labelled_series_has_its_faults_after_the_time_for_learning() -> None:
    shop = demo_series(7, 2.2)
    assert len(shop) == 12
    assert {one.train_rows for one in shop} == {2880}
    assert sum(one.labels[:2880].sum() for one in shop) == 0
    assert sum(one.labels.sum() for one in shop) > 20
    assert all(len(one.frame) == len(one.labels) and one.step == 60 for one in shop)
