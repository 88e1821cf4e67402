"""Scorers: new rows in, scores out. A scorer is handed what it needs to know and does no reading or writing itself.

A scorer knows how to score; what it has learned is a state of its own, which goes into every method and comes back
changed. Whoever holds the state (in a live process `observatory.runtime.scoring`) does the reading and writing:

1. `Scorer.missing` says which history is needed; each answer goes in through `Scorer.learn`;
2. `Scorer.score` gives the scores of new rows;
3. `Scorer.keep` gives what is worth keeping for the next process, which `Scorer.restore` takes back.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from observatory.detectors import make_detector
from observatory.detectors.base import Detector
from observatory.model import SERVICE, TIMESTAMP

if TYPE_CHECKING:
    from observatory.config import Settings

ROWS_AT_ONCE = 500_000
"""Rows of history asked for at once."""

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """Samples that a scorer needs: of each service from its `start` to its `end`, both included.

    What is asked for at `asked_at` `in_background` is for later: the scores due now do not wait for it.
    """

    start: Mapping[str, datetime]
    end: Mapping[str, datetime]
    asked_at: datetime
    in_background: bool = False

    @property
    def services(self) -> list[str]:
        """Names of the services."""
        return list(self.start)

    def only(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Those of `rows` that were asked for, of many with the columns of `Store.history_of_all`."""
        inside = (rows[TIMESTAMP] >= times_of(rows, self.start)) & (rows[TIMESTAMP] <= times_of(rows, self.end))
        return rows[inside]


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores of rows, shape (n,), NaN where none is due; and why services could not be scored."""

    scores: NDArray[np.float64]
    failed: Mapping[str, Exception] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a scorer knew of a service at `taken_at`, once it had learned the row at `learned_until`."""

    service_name: str
    learned_until: datetime
    taken_at: datetime
    state: bytes


class Scorer(ABC, Generic[S]):
    """Scores the rows of many services; `S` is what it has learned of them.

    A state that was handed in is used up: go on with the one that comes back, as large parts of it are changed in
    place. Where `learn`, `score` or `replay` raises, go on with what `forget` makes of it for the services concerned.

    Rows are a frame with the columns of `Store.history_of_all`: service, time and metrics, by service and time.
    """

    @property
    def fingerprint(self) -> str:
        """Snapshots are of use to a scorer whose fingerprint is that of the one that gave them."""
        return ""

    @abstractmethod
    def start(self) -> S:
        """The state of a scorer that has learned nothing yet."""

    @abstractmethod
    def missing(self, state: S, since: Mapping[str, datetime], now: datetime) -> list[HistoryRequest]:
        """The history to learn before rows after the time of each service in `since` can be scored, in pieces."""

    @abstractmethod
    def learn(self, state: S, request: HistoryRequest, rows: pd.DataFrame) -> S:
        """Learn from the answer to a request.

        What was asked for in the background is learned by a fresh state in another thread, and joined by `merge`.
        """

    def merge(self, state: S, learned: S) -> S:
        """Take over what another state has learned in the background."""
        raise NotImplementedError(f"{type(self).__name__} asks for nothing in the background")

    @abstractmethod
    def score(self, state: S, rows: pd.DataFrame, since: Mapping[str, datetime]) -> tuple[S, Scored]:
        """Score the rows of each service after its time in `since`; those before are context."""

    @abstractmethod
    def replay(self, state: S, service: str, frame: pd.DataFrame, start: datetime) -> tuple[S, pd.Series]:
        """Scores of one service's rows from `start` on, each from what was known then: NaN where none is due.

        `frame` is indexed by time, and begins early enough to learn from before `start`.
        """

    def forget(self, state: S, services: Iterable[str]) -> S:
        """Be ready to score the last rows of services once more: what came of their scores was lost."""
        return state  # most can score the same rows again

    def keep(self, state: S, now: datetime, *, everything: bool = False) -> tuple[S, list[Snapshot]]:
        """What would be lost with the process and should be kept now: what is due, or all that has changed.

        Go on with the state that comes back once the snapshots are safe, and with the old one if they are not.
        """
        return state, []

    def restore(self, state: S, snapshots: Iterable[Snapshot]) -> S:
        """Take over snapshots of the same fingerprint.

        Raises
        ------
        InvalidInputError
            They cannot be read; nothing was taken over.
        """
        return state


def requests_in_pieces(
    start: Mapping[str, datetime], end: Mapping[str, datetime], interval: float, now: datetime
) -> Iterator[HistoryRequest]:
    """Ask for what services need, of as many at once as memory allows; `interval` is that between rows [s]."""
    group: list[str] = []
    for name in sorted(start, key=lambda name: start[name], reverse=True):
        rows = (end[name] - start[name]).total_seconds() / interval
        if group and (len(group) + 1) * rows > ROWS_AT_ONCE:
            yield _request(group, start, end, now)
            group = []
        group.append(name)
    if group:
        yield _request(group, start, end, now)


def times_of(rows: pd.DataFrame, by_service: Mapping[str, datetime]) -> pd.Series:
    """The time in `by_service` of each row's service; NaT where it has none."""
    return pd.to_datetime(rows[SERVICE].map(dict(by_service)), utc=True)


def configured_detector(settings: Settings) -> Detector:
    """The detector that the settings name, with their parameters, of which nothing is known yet."""
    return make_detector(settings.detector, **settings.detector_parameters)


def _request(
    names: list[str], start: Mapping[str, datetime], end: Mapping[str, datetime], now: datetime
) -> HistoryRequest:
    return HistoryRequest({name: start[name] for name in names}, {name: end[name] for name in names}, now)
