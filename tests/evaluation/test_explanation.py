"""Explanations are held against true causes, with figures that can be worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from observatory.errors import InvalidInputError
from observatory.evaluation.explanation import Cause, evaluate_explanations, hit_rate, ndcg, read_causes

CONTRIBUTION = np.array([0.1, 0.5, 0.0, 0.3, 0.1])


@pytest.mark.parametrize(
    ("causes", "rate_100", "rate_150"),
    [
        ((1,), 1.0, 1.0),
        ((3,), 0.0, 0.0),
        ((1, 3), 1.0, 1.0),
        ((1, 0), 0.5, 1.0),
        ((2, 4), 0.0, 0.0),
        ((1, 2), 0.5, 0.5),
    ],
)
def test_the_hit_rate_is_the_share_of_causes_among_the_first(causes: tuple, rate_100: float, rate_150: float) -> None:
    assert hit_rate(CONTRIBUTION, causes, 1.0) == rate_100
    assert hit_rate(CONTRIBUTION, causes, 1.5) == rate_150


def test_a_metric_without_any_share_is_not_named() -> None:
    assert hit_rate(np.array([0.0, 0.0, 1.0]), (0, 2), 1.0) == 0.5
    assert ndcg(np.array([0.0, 0.0, 1.0]), (0, 2)) == pytest.approx(1 / (1 + 1 / np.log2(3)))


def test_gain_is_discounted_by_rank() -> None:
    assert ndcg(CONTRIBUTION, (1, 3)) == 1.0
    second = (1 / np.log2(3)) / (1 + 1 / np.log2(3))
    assert ndcg(CONTRIBUTION, (3, 4)) == pytest.approx(second)
    assert ndcg(CONTRIBUTION, (2,)) == 0.0


def test_rows_count_by_their_score_and_events_alike() -> None:
    shares = pd.DataFrame({"a": [1.0, 0.0, 0.0, 1.0], "b": [0.0, 1.0, 1.0, 0.0]})
    scores = np.array([9.0, 1.0, np.nan, 2.0])
    explained = evaluate_explanations(shares, scores, [Cause(0, 1, (0,)), Cause(2, 2, (1,)), Cause(3, 3, (0,))])
    assert explained.events == 3
    assert explained.hit_rate_100 == pytest.approx(2 / 3)
    assert explained.ndcg == pytest.approx(2 / 3)
    assert np.isnan(evaluate_explanations(shares, scores, []).ndcg)


def test_causes_are_read_with_metrics_from_one(tmp_path: Path) -> None:
    file = tmp_path / "one.txt"
    file.write_text("246-252:1,2\n\n653-658:3\n")
    assert read_causes(file, 3) == [Cause(246, 252, (0, 1)), Cause(653, 658, (2,))]


@pytest.mark.parametrize(
    ("text", "message"),
    [("1-5:1,2\n7:1\n", "one.txt, line 2: '7:1' is not first-last:metrics"), ("1-5:4", "line 1: .* from 1 to 3")],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "one.txt").write_text(text)
    with pytest.raises(InvalidInputError, match=message):
        read_causes(tmp_path / "one.txt", 3)
