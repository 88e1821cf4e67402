"""From which score on a row is an alarm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from observatory.detectors.base import ALARM_LINE


@dataclass(frozen=True, slots=True)
class Threshold:
    """Decides which scores are alarms, apart from the detector that gives them.

    Attributes
    ----------
    line
        The score that is an alarm at the usual sensitivity.
    sensitivity
        Multiplies every score: at 2.0 half of the line is enough.

    Examples
    --------
    >>> Threshold(sensitivity=2.0).classify([0.4, 0.5, float("nan")]).tolist()
    [False, True, False]
    """

    line: float = ALARM_LINE
    sensitivity: float = 1.0

    def classify(self, scores: ArrayLike) -> NDArray[np.bool_]:
        """Whether each score is an alarm, of the shape of `scores`; a missing score is none."""
        return np.asarray(np.asarray(scores, dtype=float) * self.sensitivity >= self.line)

    def relative(self, scores: ArrayLike) -> NDArray[np.float64]:
        """How many times the line each score is, of the shape of `scores`: 1.0 is just an alarm."""
        return np.asarray(np.asarray(scores, dtype=float) * self.sensitivity / self.line)


DEFAULT = Threshold()
