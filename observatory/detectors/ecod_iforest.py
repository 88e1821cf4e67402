"""The original ensemble: PyOD's ECOD and Isolation Forest on the trailing day, averaged.

Kept for comparison and as supporting evidence. Its weaknesses are known: a fault in one metric vanishes in the
sum over all, and as ECOD is built on ranks, worse than ever seen and much worse than ever seen score alike.

ECOD: Li et al. 2022, doi:10.1109/TKDE.2022.3159580. Isolation Forest: Liu et al. 2008, doi:10.1109/ICDM.2008.17.
"""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
import pandas as pd

from observatory.catalog import FloatArray
from observatory.detectors import DETECTORS
from observatory.detectors.base import Detector, Scores, shares_of
from observatory.detectors.calibration import HELD_BACK, alarm_line
from observatory.errors import NotEnoughDataError

Moments = tuple[FloatArray, FloatArray, FloatArray, FloatArray]


@DETECTORS.register("ecod_iforest")
class EcodIforest(Detector):
    """Mean of the standardised ECOD and Isolation Forest scores, 1.0 where held-back rows hardly ever get.

    Parameters
    ----------
    window
        Rows of history to fit on, counted from the newest; a day of minutes.
    trees
        Trees of the forest.
    seed
        For the forest.
    """

    minimum_samples = 60

    def __init__(self, window: int = 1440, trees: int = 100, seed: int = 0) -> None:
        self.window = window
        self.trees = trees
        self.seed = seed

    def fit(self, history: pd.DataFrame) -> Self:
        """Calibrate on held-back rows, then fit on all of the window; see `Detector.fit`."""
        if len(history) < self.minimum_samples:
            raise NotEnoughDataError(len(history), self.minimum_samples, "ecod_iforest")
        recent = history.iloc[-self.window :]
        self.metrics = [str(name) for name in recent.columns if np.isfinite(recent[name]).any()]
        self._filling = recent[self.metrics].replace([np.inf, -np.inf], np.nan).median()
        if not self.metrics:
            return self  # nothing but holes: nothing will be unusual
        values = self._matrix(recent)
        cut = int(len(values) * (1 - HELD_BACK))
        trial = _Pair(values[:cut], self.trees, self.seed)
        self._line = alarm_line(trial.score(values[cut:]))
        self._pair = _Pair(values, self.trees, self.seed)
        return self

    def score(self, frame: pd.DataFrame) -> Scores:
        """Score `frame`; a row's score does not depend on the others."""
        if frame.empty or not self.metrics:
            nothing = pd.Series(0.0, index=frame.index, name="score")
            return Scores(nothing, pd.DataFrame(0.0, index=frame.index, columns=frame.columns))
        values = self._matrix(frame)
        total = np.maximum(self._pair.score(values) / self._line, 0.0)
        parts = pd.DataFrame(self._pair.ecod_parts(values), index=frame.index, columns=self.metrics)
        parts = parts.sub(parts.min(axis=1), axis=0).reindex(columns=frame.columns, fill_value=0.0)
        return Scores(pd.Series(total, index=frame.index, name="score"), shares_of(parts))

    def _matrix(self, frame: pd.DataFrame) -> FloatArray:
        """Known columns, missing values replaced by the history's median: neither model knows NaN."""
        known = frame.reindex(columns=self.metrics).replace([np.inf, -np.inf], np.nan).fillna(self._filling)
        return np.ascontiguousarray(known.to_numpy(float))


class _Pair:
    """Both models fitted on the same rows, each standardised by its scores on them."""

    def __init__(self, values: FloatArray, trees: int, seed: int) -> None:
        from pyod.models.ecod import ECOD
        from pyod.models.iforest import IForest

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # the skewness of a constant column
            ecod = ECOD(n_jobs=1).fit(values)
        self._forest: Any = IForest(n_estimators=trees, random_state=seed, n_jobs=1).fit(values)
        self._ordered = np.sort(np.asarray(ecod.X_train, dtype=float), axis=0)
        self._moments = _moments(self._ordered)
        self._scales = [_scale(self._ecod(values)), _scale(self._forest.decision_scores_)]

    def score(self, values: FloatArray) -> FloatArray:
        (m1, s1), (m2, s2) = self._scales
        forest = np.asarray(self._forest.decision_function(values))
        return np.asarray(((self._ecod(values) - m1) / s1 + (forest - m2) / s2) / 2)

    def ecod_parts(self, values: FloatArray) -> FloatArray:
        """Tail surprise of each value, as ECOD sees it when the row is scored alone: shape (n, metrics).

        PyOD ranks a batch together with the training rows, so that a row's score depends on its
        neighbours; ranking each row by itself gives what PyOD gives for a batch of one.
        """
        n = len(self._ordered) + 1
        below = np.empty_like(values)
        above = np.empty_like(values)
        for j in range(values.shape[1]):
            below[:, j] = np.searchsorted(self._ordered[:, j], values[:, j], side="right")
            above[:, j] = n - 1 - np.searchsorted(self._ordered[:, j], values[:, j], side="left")
        left, right = -np.log((below + 1) / n), -np.log((above + 1) / n)
        skewness = _skew_sign(self._moments, n - 1, values)
        skewed = -left * np.sign(skewness - 1) + right * np.sign(skewness + 1)
        return np.asarray(np.maximum(np.maximum(left, right), skewed))

    def _ecod(self, values: FloatArray) -> FloatArray:
        return np.asarray(self.ecod_parts(values).sum(axis=1))


def _moments(values: FloatArray) -> Moments:
    """Centre and scale of each column, and means of the second and third powers about it."""
    centre = values.mean(axis=0)
    size = np.abs(values - centre).max(axis=0)
    size = np.where(size > 0, size, 1.0)
    unit = (values - centre) / size
    return centre, size, (unit**2).mean(axis=0), (unit**3).mean(axis=0)


def _skew_sign(
    moments: tuple[FloatArray, FloatArray, FloatArray, FloatArray], n: int, values: FloatArray
) -> FloatArray:
    """Sign of the skewness of the training column with one more value in it."""
    centre, size, second, third = moments
    x = (values - centre) / size
    mean = x / (n + 1)
    m2 = (n * second + x**2) / (n + 1)
    m3 = (n * third + x**3) / (n + 1)
    skew = m3 - 3 * mean * m2 + 2 * mean**3
    spread = np.maximum(m2 - mean**2, 0.0)
    skew = np.where(np.abs(skew) <= 1e-12 * np.maximum(spread, 1e-300) ** 1.5, 0.0, skew)
    return np.asarray(np.sign(skew))


def _scale(scores: Any) -> tuple[float, float]:
    """Median and standard deviation, the latter from the central half so that outliers do not count."""
    low, middle, high = np.quantile(np.asarray(scores, dtype=float), (0.25, 0.5, 0.75))
    return float(middle), float(max((high - low) / 1.349, 1e-9))
