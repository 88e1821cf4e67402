"""Areas under curves are those that the definitions give, on cases small enough to check."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score
from support.labelled import case

from observatory.errors import InvalidInputError
from observatory.evaluation.ranking import PERIOD, average_precision, period, precision_recall, vus_pr

# Computed with an implementation of TSB-AD's definition that loops over widths, thresholds and rows.
KNOWN = [
    ((1, 400, 3), {1: 0.3136362309, 17: 0.3467712483, 32: 0.3916233561, 96: 0.5179608797, 125: 0.5614644415}),
    ((2, 400, 5, True), {1: 0.6393673945, 17: 0.6905631825, 32: 0.7170216310, 96: 0.8031847888, 125: 0.8352455756}),
    ((3, 1500, 8), {1: 0.1155364605, 17: 0.1538223461, 32: 0.1932052710, 96: 0.3257890383, 125: 0.3741290535}),
    ((4, 200, 1), {1: 0.5995229822, 17: 0.6206841514, 32: 0.6344607430, 96: 0.7100591985, 125: 0.7277296231}),
]

cases = st.builds(case, st.integers(0, 10_000), st.integers(40, 300), st.integers(1, 5), st.booleans())


@pytest.mark.parametrize(("arguments", "widths"), KNOWN)
def test_the_volume_is_the_one_that_tsb_ad_computes(arguments: tuple, widths: dict[int, float]) -> None:
    labels, scores = case(*arguments)
    assert {w: vus_pr(labels, scores, w) for w in widths} == pytest.approx(widths, abs=1e-9)


@given(cases, st.integers(0, 40))
@settings(max_examples=30)
def test_only_the_order_of_scores_matters_and_areas_are_shares(labelled: tuple, window: int) -> None:
    labels, scores = labelled
    volume = vus_pr(labels, scores, window)
    assert 0 <= volume <= 1
    assert vus_pr(labels, np.exp(scores) * 3 - 7, window) == pytest.approx(volume)
    assert average_precision(labels, scores) == pytest.approx(average_precision_score(labels, scores))


@given(cases)
@settings(max_examples=20)
def test_scores_that_are_the_labels_are_perfect_and_a_window_of_none_is_the_plain_area(labelled: tuple) -> None:
    labels, _ = labelled
    assert average_precision(labels, labels) == 1.0
    assert vus_pr(labels, labels.astype(float), 0) == pytest.approx(1.0)


def test_precision_and_recall_by_hand() -> None:
    precision, recall = precision_recall([True, False, True, False], [4.0, 3.0, 2.0, 2.0])
    assert precision.tolist() == [1.0, 0.5, 0.5]
    assert recall.tolist() == [0.5, 0.5, 1.0]
    assert average_precision([True, False, True, False], [4.0, 3.0, 2.0, 2.0]) == 0.75


def test_a_miss_by_a_few_rows_is_forgiven_by_the_volume_alone() -> None:
    labels, near, far = np.zeros(400, bool), np.zeros(400), np.zeros(400)
    labels[200:220] = True
    near[190:215], far[100:125] = 1.0, 1.0
    assert vus_pr(labels, near, 60) > average_precision(labels, near) > average_precision(labels, far)


def test_holes_count_as_the_lowest_score() -> None:
    labels, scores = case(1, 400, 3)
    holes = scores.copy()
    holes[~labels & (scores < 0)] = np.nan
    filled = np.where(np.isnan(holes), np.nanmin(holes), holes)
    assert vus_pr(labels, holes, 20) == vus_pr(labels, filled, 20)
    assert average_precision(labels, np.full(400, np.nan)) == pytest.approx(labels.mean())


def test_without_anomalous_rows_there_is_no_area() -> None:
    nothing = np.zeros(50, bool)
    assert np.isnan(vus_pr(nothing, np.ones(50), 10))
    assert np.isnan(average_precision(nothing, np.ones(50)))
    assert precision_recall(nothing, np.ones(50))[0].size == 0


def test_labels_and_scores_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"labels of shape \(3,\) and scores of shape \(2,\)"):
        average_precision([True, False, True], [1.0, 2.0])


@pytest.mark.parametrize("length", [7, 24, 37, 96])
def test_the_period_of_a_wave_is_its_length(length: int) -> None:
    assert period(np.sin(np.arange(2000) * 2 * np.pi / length)) == length


def test_what_has_no_period_or_a_long_one_gets_the_widest_window() -> None:
    assert period(np.ones(500)) == PERIOD
    assert period(np.arange(3.0)) == PERIOD
    assert period(np.arange(500.0)) == PERIOD
    assert period(np.sin(np.arange(4000) * 2 * np.pi / 200)) == PERIOD
