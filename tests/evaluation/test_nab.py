"""NAB's score by hand, against known figures, and at its ends."""

from __future__ import annotations

import numpy as np
import pytest
from support.labelled import case

from observatory.evaluation.nab import nab_score, weight


def series(*alarms: int, first: int = 60, last: int = 79, rows: int = 100) -> tuple[np.ndarray, np.ndarray]:
    labels, scores = np.zeros(rows, bool), np.zeros(rows)
    labels[first : last + 1] = True
    scores[list(alarms)] = 1.0
    return labels, scores


def test_weights_are_those_of_the_publication() -> None:
    assert weight(np.array([-1.0, -0.5, 0.0, 1.0, 3.0, 9.0])) == pytest.approx(
        [0.98661, 0.84828, 0.0, -0.98661, -1.0, -1.0], abs=1e-5
    )


def test_an_alarm_three_widths_behind_a_window_costs_in_full_and_a_nearer_one_not_quite() -> None:
    near, far = weight(np.array([2.99, 3.0]))
    assert near > far == -1.0


def test_the_perfect_detector_has_a_hundred_and_the_silent_one_none() -> None:
    assert nab_score([series(60), series(60)]) == pytest.approx(100)
    assert nab_score([series(), series()], line=1.0) == 0


def test_only_the_first_alarm_in_a_window_counts_and_a_later_one_is_worth_less() -> None:
    early, late = nab_score([series(60, 70)], line=1.0), nab_score([series(70)], line=1.0)
    assert early == pytest.approx(100)
    assert late == pytest.approx(100 * (1 + weight(np.array([-0.5]))[0] / weight(np.array([-1.0]))[0]) / 2)


def test_false_alarms_cost_by_hand() -> None:
    before, behind, far = (nab_score([series(60, row)], line=1.0) for row in (40, 80, 99))
    assert before == pytest.approx(100 - 100 * 0.11 / 2)
    assert behind == pytest.approx(100 + 100 * 0.11 * weight(np.array([1 / 19]))[0] / 2)
    assert before < far < behind


def test_probation_does_not_count() -> None:
    assert nab_score([series(60, 14)], line=1.0) == pytest.approx(100)
    assert nab_score([series(60, 15)], line=1.0) < 100


def test_one_line_is_chosen_for_the_whole_corpus() -> None:
    good, noisy = series(60), series(60)
    noisy[1][20:50] = 0.9
    both = [good, noisy]
    assert nab_score(both) == pytest.approx(100)
    noisy[1][20:50] = 1.0
    assert nab_score(both) == nab_score(both, line=1.0) < 50
    good[1][60] = 2.0
    assert nab_score(both) == pytest.approx(50)


def test_rows_of_equal_score_alarm_together() -> None:
    labels, scores = series(60, 20, 30, 40)
    assert nab_score([(labels, scores)]) == pytest.approx(nab_score([(labels, scores)], line=1.0))


# Computed row by row with an implementation of the publication.
@pytest.mark.parametrize(
    ("corpus", "known"),
    [
        ([(1, 400, 3), (3, 1500, 8)], 64.96519),
        ([(5, 400, 3), (6, 1500, 8), (2, 400, 5, True)], 86.78392),
    ],
)
def test_scores_of_whole_corpora_are_those_known(corpus: list, known: float) -> None:
    assert nab_score([case(*arguments) for arguments in corpus]) == pytest.approx(known, abs=1e-4)


def test_without_a_window_there_is_no_score() -> None:
    assert np.isnan(nab_score([]))
    assert np.isnan(nab_score([(np.zeros(50, bool), np.ones(50))]))
