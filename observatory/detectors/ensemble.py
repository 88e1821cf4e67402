"""Ensemble, the default: seasonal bands decide, the original ensemble weighs.

The bands find faults in a single metric and know direction, size and traffic; they alone raise an alarm, so that
every alarm can be explained by a value outside its band. What ECOD and the Isolation Forest add is that several
metrics are unusual together: where they agree, an alarm scores higher and so becomes more severe. They raise none by
themselves, being blind to direction and prone to false alarms (about .8 a day in our measurements).
"""

from __future__ import annotations

from typing import Self

import pandas as pd

from observatory.detectors import DETECTORS, make_detector
from observatory.detectors.base import ALARM_LINE, Detector, Scores
from observatory.errors import NotEnoughDataError

SUPPORT = 0.3
LONGEST = 10_080  # rows of history kept for the supporter


@DETECTORS.register("ensemble")
class Ensemble(Detector):
    """``judge × (1 + support × agreement)`` where the judge alarms, else the judge.

    Agreement goes from 0 to 1 as the supporter's score goes from ¾ to 1¼.

    Parameters
    ----------
    judge, supporter
        Names of the detectors.
    support
        How much full agreement adds.
    seed
        Passed to both.
    """

    def __init__(
        self, judge: str = "seasonal", supporter: str = "ecod_iforest", support: float = SUPPORT, seed: int = 0
    ) -> None:
        self.support = support
        self.judge = make_detector(judge, seed=seed)
        self.supporter = make_detector(supporter, seed=seed)
        self.minimum_samples = max(self.judge.minimum_samples, self.supporter.minimum_samples)

    def fit(self, history: pd.DataFrame) -> Self:
        """Fit the judge now and the supporter when it is first needed; see `Detector.fit`."""
        if len(history) < self.minimum_samples:
            raise NotEnoughDataError(len(history), self.minimum_samples, "ensemble")
        self.judge.fit(history)
        self._history: pd.DataFrame | None = history.iloc[-LONGEST:].copy()
        return self

    def score(self, frame: pd.DataFrame) -> Scores:
        """Score `frame`; shares are the judge's."""
        scored = self.judge.score(frame)
        total = scored.total.copy()
        alarms = total >= ALARM_LINE
        if alarms.any():
            agreement = (2 * self._supporter().score(frame[alarms]).total - 1.5).clip(0.0, 1.0)
            total[alarms] *= 1 + self.support * agreement
        return Scores(total, scored.shares)

    @property
    def bands(self) -> object:
        """What the judge expects, where it is one that knows bands."""
        return getattr(self.judge, "bands", None)

    def _supporter(self) -> Detector:
        """The supporter costs ten times the judge and is asked rarely: it is fitted at the first question."""
        if self._history is not None:
            self.supporter.fit(self._history)
            self._history = None
        return self.supporter
