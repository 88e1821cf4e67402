"""A scorer with one state for all services: new rows are scored and learned from in a single call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from observatory.catalog import detected
from observatory.detection.scoring import HistoryRequest, Scored, Scorer, Snapshot, requests_in_pieces, times_of
from observatory.detectors.base import StreamingDetector, StreamState
from observatory.model import SERVICE, TIMESTAMP

KEPT_EVERY = timedelta(hours=1)
KEPT_AT_ONCE = 50
"""Snapshots taken in one cycle, or a 30th of the services where that is more: no cycle has to wait for all."""


@dataclass(frozen=True, slots=True)
class StreamingState:
    """What was learned of all services.

    Attributes
    ----------
    learned
        By the detector; it is changed in place.
    until
        The time of the last row learned, by service.
    kept
        When the last snapshot of a service was taken.
    changed
        Services that learned something since their last snapshot.
    """

    learned: StreamState
    until: Mapping[str, datetime] = field(default_factory=dict)
    kept: Mapping[str, datetime] = field(default_factory=dict)
    changed: frozenset[str] = frozenset()


class StreamingScorer(Scorer[StreamingState]):
    """Scores with a detector that learns with every row.

    Parameters
    ----------
    detector
        Makes the states.
    metrics
        Names of the columns; those that are not detected on are left out.
    interval
        Usual time between rows [s].
    minimum_samples
        Rows of a service before its first score.
    training
        History to learn of a service that is new here.
    """

    def __init__(
        self,
        detector: StreamingDetector,
        metrics: Iterable[str],
        *,
        interval: float,
        minimum_samples: int,
        training: timedelta,
    ) -> None:
        self._detector = detector
        self._metrics = tuple(detected(metrics))
        self._interval = interval
        self._minimum_samples = minimum_samples
        self._training = training
        self._fingerprint = self.start().learned.fingerprint

    @property
    def fingerprint(self) -> str:
        """Version, metrics and parameters of the detector's states."""
        return self._fingerprint

    def start(self) -> StreamingState:
        """See `Scorer.start`."""
        return StreamingState(self._detector.fleet(self._metrics, self._interval))

    def missing(self, state: StreamingState, since: Mapping[str, datetime], now: datetime) -> list[HistoryRequest]:
        """See `Scorer.missing`: the rows between what was learned of a service and its time in `since`."""
        until = state.until
        start = {
            name: max(until.get(name, at - self._training), at - self._training)
            for name, at in since.items()
            if name not in until or until[name] < at
        }
        return list(requests_in_pieces(start, since, self._interval, now))

    def learn(self, state: StreamingState, request: HistoryRequest, rows: pd.DataFrame) -> StreamingState:
        """See `Scorer.learn`."""
        return self._advance(state, rows)[0]

    def score(
        self, state: StreamingState, rows: pd.DataFrame, since: Mapping[str, datetime]
    ) -> tuple[StreamingState, Scored]:
        """See `Scorer.score`; rows that were learned already are not scored again."""
        due = (rows[TIMESTAMP] > times_of(rows, since)).to_numpy()
        scores = np.full(len(rows), np.nan)
        state, scores[due] = self._advance(state, rows[due])
        return state, Scored(scores)

    def replay(
        self, state: StreamingState, service: str, frame: pd.DataFrame, start: datetime
    ) -> tuple[StreamingState, pd.Series]:
        """See `Scorer.replay`; live scoring goes on from there, unless more is known of the service already."""
        rows = frame.reset_index().assign(**{SERVICE: service})
        if service in state.until and state.until[service] > start:  # a look back leaves no trace
            _, scores = self._advance(self.start(), rows)
        else:
            state, scores = self._advance(state, rows)
        return state, pd.Series(scores, index=frame.index)[frame.index >= pd.Timestamp(start)]

    def forget(self, state: StreamingState, services: Iterable[str]) -> StreamingState:
        """See `Scorer.forget`: they are `missing` from now on."""
        gone = set(services)
        state.learned.forget(gone)
        until = {name: time for name, time in state.until.items() if name not in gone}
        return replace(state, until=until, changed=state.changed - gone)

    def keep(
        self, state: StreamingState, now: datetime, *, everything: bool = False
    ) -> tuple[StreamingState, list[Snapshot]]:
        """See `Scorer.keep`: each service about once an hour, those first that wait longest."""
        kept = state.kept
        due = [name for name in state.changed if everything or name not in kept or now - kept[name] >= KEPT_EVERY]
        if not everything:
            due.sort(key=lambda name: (name in kept, kept.get(name, now), name))
            due = due[: max(KEPT_AT_ONCE, len(state.until) // 30)]
        snapshots = [
            Snapshot(name, state.until[name], now, learned) for name, learned in state.learned.dump(due).items()
        ]
        kept = {**kept, **dict.fromkeys(due, now)}
        return replace(state, kept=kept, changed=state.changed.difference(due)), snapshots

    def restore(self, state: StreamingState, snapshots: Iterable[Snapshot]) -> StreamingState:
        """See `Scorer.restore`."""
        known = {one.service_name: one for one in snapshots}
        state.learned.load({name: one.state for name, one in known.items()})
        return replace(
            state,
            until={**state.until, **{name: one.learned_until for name, one in known.items()}},
            kept={**state.kept, **{name: one.taken_at for name, one in known.items()}},
            changed=state.changed.difference(known),
        )

    def _advance(self, state: StreamingState, rows: pd.DataFrame) -> tuple[StreamingState, NDArray[np.float64]]:
        """Learn from the rows that are new, and their scores: NaN for others, and while there are too few samples."""
        scores = np.full(len(rows), np.nan)
        until = times_of(rows, state.until)
        new = np.asarray(until.isna() | (rows[TIMESTAMP] > until), dtype=bool)
        rows = rows[new]
        if rows.empty:
            return state, scores
        services = rows.groupby(SERVICE, sort=False)
        last = services[TIMESTAMP].last()
        names = [str(name) for name in last.index]
        seen = pd.Series({name: state.learned.samples(name) for name in names})
        values = rows[list(self._metrics)].to_numpy(float)
        scored = state.learned.advance(rows[SERVICE].tolist(), values, pd.DatetimeIndex(rows[TIMESTAMP])).scores
        age = rows[SERVICE].map(seen).to_numpy() + services.cumcount().to_numpy()
        scores[new] = np.where(age >= self._minimum_samples, scored, np.nan)
        times = zip(names, (time.to_pydatetime() for time in last), strict=True)
        return replace(state, until={**state.until, **dict(times)}, changed=state.changed.union(names)), scores
