"""Events and alarms are counted as a person on call would count them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.labelled import case

from observatory.evaluation.events import EventCounts, alarm_rows, best_line, count_events

cases = st.builds(case, st.integers(0, 10_000), st.integers(40, 300), st.integers(0, 5), st.booleans())


def rows(length: int, *spans: tuple[int, int], value: float = 1.0) -> np.ndarray:
    """Zero but for the spans, both ends included."""
    values = np.zeros(length)
    for first, last in spans:
        values[first : last + 1] = value
    return values


def test_an_event_counts_once_however_long_it_is_alarmed_about() -> None:
    counts = count_events(rows(300, (100, 149), (200, 209)), rows(300, (103, 104), (110, 149), (50, 50)))
    assert counts == EventCounts(events=2, found=1, false_alarms=1, delays=(3,))
    assert (counts.precision, counts.recall, counts.f1) == (0.5, 0.5, 0.5)


def test_quiet_rows_between_two_alarms_are_closed_up_to_four_of_them() -> None:
    assert alarm_rows(rows(30, (5, 6), (11, 11))).sum() == 7
    assert alarm_rows(rows(30, (5, 6), (12, 12))).sum() == 3
    assert count_events(rows(100, (8, 9)), rows(100, (5, 6), (11, 11))).found == 1


def test_an_alarm_while_a_service_recovers_is_not_false_and_one_after_that_is() -> None:
    labels = rows(200, (50, 59))
    assert count_events(labels, rows(200, (74, 74))).false_alarms == 0
    assert count_events(labels, rows(200, (75, 75))).false_alarms == 1
    assert count_events(labels, rows(200, (40, 55))).false_alarms == 1


def test_a_stuck_alarm_is_one_false_alarm_every_sixty_rows() -> None:
    nothing = np.zeros(500, bool)
    assert count_events(nothing, rows(500, (100, 159))).false_alarms == 1
    assert count_events(nothing, rows(500, (100, 160))).false_alarms == 2
    assert count_events(nothing, rows(500, (100, 399))).false_alarms == 5


def test_nothing_alarmed_about_and_nothing_to_find() -> None:
    silent = count_events(rows(100, (5, 9)), np.zeros(100))
    assert (silent.precision, silent.recall, silent.f1) == (0.0, 0.0, 0.0)
    quiet = count_events(np.zeros(100), np.full(100, np.nan))
    assert (quiet.events, quiet.false_alarms) == (0, 0)
    assert np.isnan([quiet.recall, quiet.f1]).all()


# Computed with an evaluator that loops over alarms: best F1, its line, false alarms there; then at the line of 1.0.
KNOWN = [
    ((1, 400, 3), (0.5714285714, 2.1289458477, 3), (2, 2, 19, (0, 1))),
    ((2, 400, 5, True), (0.8333333333, 3.0, 2), (5, 5, 18, (0, 0, 0, 0, 0))),
    ((3, 1500, 8), (0.2777777778, 1.9721175330, 24), (7, 7, 96, (0, 0, 0, 3, 0, 0, 1))),
    ((4, 200, 1), (1.0, 2.4337691854, 0), (1, 1, 12, (1,))),
]


@pytest.mark.parametrize(("arguments", "best", "at_line"), KNOWN)
def test_counts_are_those_of_the_reference(arguments: tuple, best: tuple, at_line: tuple) -> None:
    labels, scores = case(*arguments)
    line, counts = best_line(labels, scores)
    assert (counts.f1, line, counts.false_alarms) == pytest.approx(best)
    found = count_events(labels, scores)
    assert (found.found, found.events, found.false_alarms, found.delays) == at_line


@pytest.mark.slow
@given(cases)
@settings(max_examples=40)
def test_hindsight_is_never_worse_and_shares_stay_shares(labelled: tuple) -> None:
    labels, scores = labelled
    _, best = best_line(labels, scores)
    for line in np.quantile(scores, [0.7, 0.9, 0.99]):
        counts = count_events(labels, scores, line)
        assert counts.found + counts.false_alarms <= len(labels)
        assert counts.found <= counts.events
        if counts.events:
            assert 0 <= counts.f1 <= 1
    assert best.events == count_events(labels, scores).events


@given(cases, st.floats(0.1, 3))
@settings(max_examples=30)
def test_a_lower_line_never_loses_an_event_nor_finds_it_later(labelled: tuple, step: float) -> None:
    labels, scores = labelled
    high, low = count_events(labels, scores, 1 + step), count_events(labels, scores, 1.0)
    assert low.found >= high.found
    assert sum(low.delays[: low.found]) <= sum(high.delays) or low.found > high.found
