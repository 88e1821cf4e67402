"""What a detector is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import pandas as pd

if TYPE_CHECKING:
    from observatory.detectors.multiscale.fleet import Fleet

ALARM_LINE = 1.0
"""The score from which on a row is an alarm at the usual sensitivity, whatever the detector."""


@dataclass(frozen=True, slots=True)
class Scores:
    """How anomalous each row is.

    Attributes
    ----------
    total
        One score a row, shape (n,), indexed like the frame: larger is more anomalous, 1.0 is the alarm line.
    shares
        What each metric contributed, shape (n, metrics): a row sums to 1, or to 0 where there is no evidence.
    """

    total: pd.Series
    shares: pd.DataFrame


class Detector(ABC):
    """Learns how one service behaves, and scores how far it departs from that.

    Settings go to the constructor, what is learned lives elsewhere. A score is causal: that of row *t* comes
    from what was fitted and from rows up to *t*.
    """

    minimum_samples: int = 60
    """Rows needed before `fit` makes sense."""

    @abstractmethod
    def fit(self, history: pd.DataFrame) -> Self:
        """Learn from `history`: a UTC index, any numeric columns, NaN where missing.

        Raises
        ------
        NotEnoughDataError
            Fewer than `minimum_samples` rows.
        """

    @abstractmethod
    def score(self, frame: pd.DataFrame) -> Scores:
        """Score every row of `frame`; give some rows before those of interest as context."""


class StreamingDetector(Detector):
    """A detector that learns with every row: it is fitted once and then only advanced."""

    @abstractmethod
    def advance(self, frame: pd.DataFrame) -> Scores:
        """Score the rows of `frame` that are newer than all before, and learn from them.

        In any number of pieces the scores are those of one; rows seen before score 0.
        """

    @abstractmethod
    def fleet(self, metrics: Sequence[str], interval: float) -> Fleet:
        """The state of many services that are advanced together, of none yet; `interval` between rows in seconds."""


def shares_of(evidence: pd.DataFrame) -> pd.DataFrame:
    """Rows of non-negative `evidence` scaled to sum to 1; rows without any stay 0."""
    total = evidence.sum(axis=1)
    return evidence.div(total.where(total > 0, 1.0), axis=0)
