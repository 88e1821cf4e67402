"""What a detector is, and what a streaming one keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import pandas as pd

from observatory.catalog import FloatArray

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
    def fleet(self, metrics: Sequence[str], interval: float) -> StreamState:
        """The state of many services that are advanced together, of none yet; `interval` between rows in seconds."""


@dataclass(frozen=True, slots=True)
class RowScores:
    """Scores of rows, shape (n,), and the evidence in each metric, shape (n, metrics): both 0 or more."""

    scores: FloatArray
    evidence: FloatArray


class StreamState(Protocol):
    """What a streaming detector has learned of many services that share their metrics; it is changed in place.

    Each service's scores are those of a detector of its own, whatever the others do.
    """

    @property
    def services(self) -> tuple[str, ...]:
        """Names of the services that are known, in the order in which they came."""
        ...

    @property
    def fingerprint(self) -> str:
        """Version, metrics and parameters: what `dump` gives fits states in which these are the same."""
        ...

    def samples(self, service: str) -> int:
        """Rows of `service` learned from so far."""
        ...

    def advance(self, services: Sequence[str], values: FloatArray, times: pd.DatetimeIndex) -> RowScores:
        """Score rows and learn from them: those of one service in order of time, services in any order.

        Parameters
        ----------
        services
            The service of each row, (n,); unknown ones begin to be known.
        values
            In base units, NaN where missing, (n, metrics).
        times
            UTC, (n,).
        """
        ...

    def forget(self, services: Iterable[str]) -> None:
        """Drop what is known about `services`; unknown ones are passed over."""
        ...

    def dump(self, services: Iterable[str]) -> dict[str, bytes]:
        """The state of each of `services` as bytes."""
        ...

    def load(self, states: Mapping[str, bytes]) -> None:
        """Take over what `dump` gave.

        Raises
        ------
        InvalidInputError
            Not such bytes; nothing was taken over.
        """
        ...


def shares_of(evidence: pd.DataFrame) -> pd.DataFrame:
    """Rows of non-negative `evidence` scaled to sum to 1; rows without any stay 0."""
    total = evidence.sum(axis=1)
    return evidence.div(total.where(total > 0, 1.0), axis=0)
