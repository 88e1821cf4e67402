"""Multiscale, the default: three kinds of evidence, each as surprise against its own history, vote.

- *Worst metrics*: the most unusual few, each by a Mahalanobis distance over averages from one row to six hours,
  with its usual value for the time of day.
- *Breadth*: jumps over all metrics together.
- *Long memory*: distance of all metrics together from what was usual for weeks, from an anchor that is renewed
  only out of alarms.

Deviations for the better, smaller than the catalogue finds worth a word, or of ratios of too few requests are
no evidence. A metric that is surprising enough by itself, or a known one that is far from its hour or has drifted
away, alarms without the others. While an alarm lasts hardly anything is learned: the fast parts give in after some
six hours to a day, the long memory after a week. State and kernel are in the modules beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
import pandas as pd

from observatory.detectors import DETECTORS
from observatory.detectors.base import Scores, StreamingDetector, shares_of
from observatory.detectors.multiscale.fleet import Fleet
from observatory.errors import NotEnoughDataError

ONLY = "the service"
NOTEWORTHY = 2.0
"""Surprise below which a metric has no share: one row in seven has as much."""


@DETECTORS.register("multiscale")
class Multiscale(StreamingDetector):
    """Voting tails of many time scales and long memory.

    Parameters
    ----------
    seed
        Taken for the sake of the interface; nothing here is random.
    options
        Of the method, for research: see `observatory.detectors.multiscale.options.Options`.
    """

    minimum_samples = 60

    def __init__(self, seed: int = 0, **options: float) -> None:
        self.seed = seed
        self.options = options
        self._fleet: Fleet | None = None
        self._last: pd.Timestamp | None = None

    def fit(self, history: pd.DataFrame) -> Self:
        """Learn from `history` alone; see `Detector.fit`."""
        if len(history) < self.minimum_samples:
            raise NotEnoughDataError(len(history), self.minimum_samples, "multiscale")
        self._fleet, self._last = None, None
        self.advance(history)
        return self

    def advance(self, frame: pd.DataFrame) -> Scores:
        """Score the rows that are newer than all before, and learn from them; older ones score 0."""
        names = [str(column) for column in frame.columns]
        if frame.empty or not names:
            return Scores(
                pd.Series(0.0, index=frame.index, name="score"), pd.DataFrame(0.0, index=frame.index, columns=names)
            )
        index = pd.DatetimeIndex(frame.index)
        if self._fleet is None:
            steps = np.diff(index.as_unit("ns").asi8) / 1e9
            self._fleet = self.fleet(names, float(np.median(steps)) if len(steps) else 60.0)
        unknown = [name for name in names if name not in self._fleet.metrics]
        if unknown:
            self._fleet = self._fleet.with_metrics([*self._fleet.metrics, *unknown])
        new = np.ones(len(index), dtype=bool) if self._last is None else np.asarray(index > self._last)
        rows = frame.set_axis(names, axis=1).reindex(columns=list(self._fleet.metrics))[new]
        scored = self._fleet.advance([ONLY] * len(rows), rows.to_numpy(float), index[new])
        if len(rows):
            self._last = index[-1]
        total = np.zeros(len(frame))
        total[new] = scored.scores
        evidence = np.zeros((len(frame), len(names)))
        places = [self._fleet.metrics.index(name) for name in names]
        evidence[new] = np.maximum(scored.evidence - NOTEWORTHY, 0.0)[:, places]
        shares = shares_of(pd.DataFrame(evidence, index=frame.index, columns=names))
        return Scores(pd.Series(total, index=frame.index, name="score"), shares)

    def score(self, frame: pd.DataFrame) -> Scores:
        """Score `frame` as `advance` does, but forget it."""
        return self._copy().advance(frame)

    def fleet(self, metrics: Sequence[str], interval: float) -> Fleet:
        """See `StreamingDetector.fleet`; each service's scores are those of a detector of its own."""
        return Fleet(metrics, interval, **self.options)

    def _copy(self) -> Multiscale:
        other = Multiscale(self.seed, **self.options)
        other._fleet, other._last = self._fleet.copy() if self._fleet else None, self._last
        return other
