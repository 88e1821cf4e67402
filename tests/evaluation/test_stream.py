"""Streams are scored causally, and a detector that looks ahead is found out."""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd
import pytest
from support.series import series

from observatory.detectors import make_detector
from observatory.detectors.base import Detector, Scores
from observatory.errors import InvalidInputError
from observatory.evaluation.stream import explain_stream, first_look_ahead, score_stream


class Clairvoyant(Detector):
    """Scores a row by the highest value that is still to come."""

    def fit(self, history: pd.DataFrame) -> Self:
        return self

    def score(self, frame: pd.DataFrame) -> Scores:
        coming = frame.iloc[::-1].cummax().iloc[::-1].max(axis=1)
        return Scores(coming, frame * 0)


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


def test_an_explained_stream_has_the_same_scores_and_shares_that_sum_to_one() -> None:
    frame = series(1).iloc[:900].copy()
    frame.iloc[700:720, 4] *= 20
    scores, shares = explain_stream(frame, 400, "seasonal")
    np.testing.assert_array_equal(scores, score_stream(frame, 400, "seasonal"))
    assert shares.shape == frame.shape
    assert shares.iloc[705:715].sum(axis=1).tolist() == pytest.approx([1.0] * 10)
    assert shares.iloc[705:715].mean().idxmax() == "latency_p99"
    assert shares.iloc[:400].to_numpy().sum() == 0


def test_a_detector_that_looks_ahead_is_found_out_with_the_first_row() -> None:
    index = pd.date_range("2026-01-01", periods=300, freq="60s", tz="UTC")
    frame = pd.DataFrame({"x": np.zeros(300)}, index=index)
    frame.iloc[250] = 1.0  # known from row 190 on, where the last model's rows and their context begin
    assert first_look_ahead(frame, 100, Clairvoyant()) == 200
    assert first_look_ahead(frame.iloc[:249], 100, Clairvoyant()) is None


def test_a_causal_detector_is_not_suspected() -> None:
    frame = series(1).iloc[:900]
    scores = score_stream(frame, 400, "seasonal")
    assert first_look_ahead(frame, 400, "seasonal", cuts=(0.0, 0.4, 1.0), scores=scores) is None
