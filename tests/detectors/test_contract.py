"""What every detector must do, whoever wrote it."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.series import series

from observatory.detectors import DETECTORS, make_detector
from observatory.detectors.base import Detector
from observatory.errors import ConfigError, NotEnoughDataError, UnknownPluginError

HISTORY, NEW = series(2).iloc[:2000], series(2).iloc[2000:2600]
FIT_LONG = {"ecod_iforest", "pyod"}
NAMES = [pytest.param(name, marks=pytest.mark.slow) if name in FIT_LONG else name for name in DETECTORS]


@pytest.fixture(scope="module", params=NAMES)
def fitted(request: pytest.FixtureRequest) -> Detector:
    return make_detector(request.param).fit(HISTORY)


def columns(count: int, rows: int, seed: int = 1) -> pd.DataFrame:
    index = pd.date_range("2026-01-05", periods=rows, freq="60s", tz="UTC")
    names = [f"m{i:02d}" for i in range(count)]
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(rows, count)), index=index, columns=names)


def check(scores: Any, frame: pd.DataFrame) -> None:
    assert scores.total.index.equals(frame.index)
    assert scores.shares.shape[0] == len(frame)
    assert np.isfinite(scores.total).all()
    assert (scores.total >= 0).all()
    sums = scores.shares.sum(axis=1)
    assert ((sums - 1).abs().lt(1e-9) | sums.abs().lt(1e-9)).all()


def test_one_finite_score_a_row_and_shares_that_sum_to_one(fitted: Detector) -> None:
    check(fitted.score(NEW), NEW)


def test_the_score_of_a_prefix_is_the_prefix_of_the_score(fitted: Detector) -> None:
    whole = fitted.score(NEW).total
    for rows in (1, 17, 300):
        np.testing.assert_allclose(fitted.score(NEW.iloc[:rows]).total, whole.iloc[:rows], rtol=1e-9)


def test_the_input_is_left_as_it_was(fitted: Detector) -> None:
    before = NEW.copy()
    fitted.score(NEW)
    pd.testing.assert_frame_equal(NEW, before)


def test_a_pickled_detector_scores_the_same(fitted: Detector) -> None:
    again = pickle.loads(pickle.dumps(fitted))
    pd.testing.assert_series_equal(again.score(NEW).total, fitted.score(NEW).total)


def test_the_same_seed_gives_the_same_scores(fitted: Detector) -> None:
    name = next(name for name in DETECTORS if isinstance(fitted, DETECTORS.get(name)))
    again = make_detector(name, seed=0).fit(HISTORY)
    pd.testing.assert_series_equal(again.score(NEW).total, fitted.score(NEW).total)


def test_missing_values_rows_and_columns_are_survived(fitted: Detector) -> None:
    holes = NEW.copy()
    holes.iloc[5:9] = np.nan
    holes["latency_p99"] = np.nan
    holes.iloc[20, 0] = np.inf
    check(fitted.score(holes), holes)
    without = NEW.drop(columns="cpu_usage")
    assert np.isfinite(fitted.score(without).total).all()
    gappy = NEW.iloc[np.r_[0:50, 200:260]]
    check(fitted.score(gappy), gappy)


@pytest.mark.parametrize("name", NAMES)
def test_odd_histories_are_survived(name: str) -> None:
    for frame in (
        columns(1, 300),
        columns(40, 300),
        columns(3, 300).assign(m01=7.0),
        columns(3, 300).assign(m00=np.nan),
    ):
        detector = make_detector(name).fit(frame)
        check(detector.score(frame), frame)
    counter = columns(2, 300).assign(m00=np.arange(300.0) * 1e6)
    check(make_detector(name).fit(counter).score(counter), counter)


@pytest.mark.parametrize("name", NAMES)
def test_the_least_history_is_enough_and_less_is_refused(name: str) -> None:
    needed = make_detector(name).minimum_samples
    frame = columns(3, needed)
    check(make_detector(name).fit(frame).score(frame), frame)
    with pytest.raises(NotEnoughDataError, match=f"{needed - 1} of {needed} samples"):
        make_detector(name).fit(frame.iloc[1:])


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_one_column_forty_columns_and_a_long_history(name: str) -> None:
    for frame in (columns(1, 64), columns(40, 64), columns(2, 100_000)):
        history, new = frame.iloc[:-4], frame.iloc[-4:]
        check(make_detector(name).fit(history).score(new), new)


@pytest.mark.parametrize("name", NAMES)
def test_a_metric_that_begins_in_the_middle_is_survived(name: str) -> None:
    frame = columns(3, 700)
    frame.iloc[:500, 1] = np.nan
    detector = make_detector(name).fit(frame.iloc[:400])
    check(detector.score(frame.iloc[400:]), frame.iloc[400:])
    wider = frame.assign(late=1.0)
    check(detector.score(wider.iloc[400:]), wider.iloc[400:])


def test_a_wrong_name_or_parameter_is_refused() -> None:
    with pytest.raises(
        UnknownPluginError, match=r"unknown detector 'oracle': choose one of ecod_iforest, ensemble, multiscale, pyod"
    ):
        make_detector("oracle")
    with pytest.raises(ConfigError, match=r"detector 'seasonal' cannot be made: .*depth"):
        make_detector("seasonal", depth=3)
