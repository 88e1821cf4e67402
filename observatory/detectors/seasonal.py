"""Seasonal: each metric against its own band for the time of day.

What `Bands.deviation` measures, made insensitive to single blips: a deviation counts in full once it is in two of
three rows in a row, and a third of it at once, so that a fault three bands wide alarms with its first sample.
"""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd

from observatory.detectors import DETECTORS
from observatory.detectors.bands import MINIMUM, Bands
from observatory.detectors.base import Detector, Scores, shares_of
from observatory.errors import NotEnoughDataError

AT_ONCE = 3.0
NOTEWORTHY = 0.5


@DETECTORS.register("seasonal")
class Seasonal(Detector):
    """Worst deviation of any metric from its hour-of-day median/MAD band.

    Parameters
    ----------
    seed
        Taken for the sake of the interface; nothing here is random.
    """

    minimum_samples = MINIMUM

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.bands = Bands()

    def fit(self, history: pd.DataFrame) -> Self:
        """Learn the bands; see `Detector.fit`."""
        if len(history) < self.minimum_samples:
            raise NotEnoughDataError(len(history), self.minimum_samples, "seasonal")
        self.bands = Bands().fit(history)
        return self

    def score(self, frame: pd.DataFrame) -> Scores:
        """Score `frame`; two rows of context are enough."""
        deviation = self.bands.deviation(frame)
        now = deviation.to_numpy()
        one, two = _shifted(now, 1), _shifted(now, 2)
        lasting = np.maximum(np.minimum(now, one), np.minimum(np.maximum(now, one), two))  # second largest of three
        evidence = np.maximum(lasting, now / AT_ONCE)
        total = evidence.max(axis=1, initial=0.0)
        noteworthy = pd.DataFrame(np.maximum(evidence - NOTEWORTHY, 0.0), index=frame.index, columns=deviation.columns)
        return Scores(pd.Series(total, index=frame.index, name="score"), shares_of(noteworthy))


def _shifted(values: np.ndarray, rows: int) -> np.ndarray:
    """Each row's predecessor `rows` before; where there is none, no deviation."""
    result = np.zeros_like(values)
    result[rows:] = values[:-rows] if rows < len(values) else values[:0]
    return result
