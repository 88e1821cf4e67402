"""One state for all services: new rows are scored and learned from in a single call."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from observatory.config import Settings
from observatory.detection.scoring import Judge, Verdicts
from observatory.detectors.base import StreamingDetector
from observatory.errors import InvalidInputError
from observatory.model import SERVICE, TIMESTAMP
from observatory.store import Store
from observatory.store.tables.states import KeptState

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 500_000
"""Rows of history that are read at once for services of which too little is known."""
KEPT_EVERY = timedelta(hours=1)
KEPT_AT_ONCE = 50
"""States kept in one cycle, or a 30th of them where that is more: no cycle has to wait for all."""


class Streamed(Judge):
    """One state for all services: new rows are scored and learned from in a single call."""

    def __init__(self, store: Store, settings: Settings, detector: StreamingDetector) -> None:
        self._store = store
        self._settings = settings
        self._detector = detector
        self._fleet = detector.fleet(store.metrics, settings.interval)
        self._training = timedelta(days=settings.training_days)
        self._until: dict[str, datetime] = {}
        self._kept: dict[str, datetime] = {}
        self._changed: set[str] = set()
        self._loaded = False
        self._lock = threading.RLock()

    def scores(self, rows: pd.DataFrame, since: Mapping[str, datetime], now: datetime) -> Verdicts:
        """See `Judge.scores`; services that lag behind `since` are first brought up to it from the store."""
        with self._lock:
            self._load()
            for before in self._missing(since):
                self._advance(before)
            scores = np.full(len(rows), np.nan)
            due = (rows[TIMESTAMP] > _times(rows, since)).to_numpy() & self._is_new(rows)
            scores[due] = self._advance(rows[due])
            return Verdicts(scores)

    def replay(self, name: str, frame: pd.DataFrame, start: datetime) -> pd.Series:
        """See `Judge.replay`; what is known goes on from there, unless it is already newer than `start`."""
        with self._lock:
            self._load()
            rows = frame.reset_index().assign(**{SERVICE: name})
            scores = np.full(len(rows), np.nan)
            if name in self._until and self._until[name] > start:  # a look back leaves no trace
                fleet = self._detector.fleet(self._store.metrics, self._settings.interval)
                values = rows[list(self._store.metrics)].to_numpy(float)
                scores[:] = fleet.advance([name] * len(rows), values, pd.DatetimeIndex(frame.index)).scores
            else:
                new = self._is_new(rows)
                scores[new] = self._advance(rows[new])
            return pd.Series(scores, index=frame.index)[frame.index >= pd.Timestamp(start)]

    def forget(self, name: str) -> None:
        """See `Judge.forget`: it is learned anew from the store."""
        with self._lock:
            self._forget([name])

    def keep(self, now: datetime, *, everything: bool = False) -> None:
        """See `Judge.keep`: each service about once an hour, those first that wait longest."""
        with self._lock:
            due = [name for name in self._changed if everything or self._is_due(name, now)]
            if not everything:
                due.sort(key=lambda name: (name in self._kept, self._kept.get(name, now), name))
                due = due[: max(KEPT_AT_ONCE, len(self._until) // 30)]
            detector, fingerprint = self._settings.detector, self._fleet.fingerprint
            self._store.states.write(
                KeptState(name, detector, fingerprint, self._until[name], now, state)
                for name, state in self._fleet.dump(due).items()
            )
            self._kept.update(dict.fromkeys(due, now))
            self._changed.difference_update(due)

    def _is_due(self, name: str, now: datetime) -> bool:
        return name not in self._kept or now - self._kept[name] >= KEPT_EVERY

    def _load(self) -> None:
        """Take over what was kept, once."""
        if self._loaded:
            return
        kept = self._store.states.read(self._settings.detector)
        fitting = [one for one in kept if one.fingerprint == self._fleet.fingerprint]
        if len(fitting) < len(kept):
            log.warning(
                "what %s knew of %d services is of another version, metrics or parameters: it learns them anew",
                self._settings.detector,
                len(kept) - len(fitting),
            )
        try:
            self._fleet.load({one.service_name: one.state for one in fitting})
            self._until = {one.service_name: one.learned_until for one in fitting}
            self._kept = {one.service_name: one.kept_at for one in fitting}
        except InvalidInputError as error:
            log.warning("%s: it learns all services anew", error)
        if kept:  # services that are gone are not kept for ever
            self._store.states.forget(max(one.learned_until for one in kept) - self._training)
        self._loaded = True

    def _missing(self, since: Mapping[str, datetime]) -> Iterator[pd.DataFrame]:
        """Rows between what services were learned until and `since`, of as many at once as memory allows."""
        first = {
            name: max(self._until.get(name, at - self._training), at - self._training)
            for name, at in since.items()
            if name not in self._until or self._until[name] < at
        }
        group: list[str] = []
        for name in sorted(first, key=lambda name: first[name], reverse=True):
            span = (since[name] - first[name]).total_seconds() / self._settings.interval
            if group and (len(group) + 1) * span > ROWS_AT_ONCE:
                yield self._between(group, first, since)
                group = []
            group.append(name)
        if group:
            yield self._between(group, first, since)

    def _between(self, names: list[str], first: Mapping[str, datetime], since: Mapping[str, datetime]) -> pd.DataFrame:
        rows = self._store.history_of_all(min(first[n] for n in names), max(since[n] for n in names), names)
        inside = (rows[TIMESTAMP] >= _times(rows, first)) & (rows[TIMESTAMP] <= _times(rows, since))
        return rows[inside.to_numpy(bool) & self._is_new(rows)]

    def _is_new(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        until = _times(rows, self._until)
        return np.asarray(until.isna() | (rows[TIMESTAMP] > until), dtype=bool)

    def _advance(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Scores of rows, all of them learned from; NaN while a service has fewer than the least samples."""
        if rows.empty:
            return np.zeros(0)
        owners = rows[SERVICE]
        last = rows.groupby(SERVICE, sort=False)[TIMESTAMP].last()
        names = [str(name) for name in last.index]
        seen = pd.Series({name: self._fleet.samples(name) for name in names})
        values = rows[list(self._store.metrics)].to_numpy(float)
        try:
            scores = self._fleet.advance(owners.tolist(), values, pd.DatetimeIndex(rows[TIMESTAMP])).scores
        except BaseException:  # what was learned halfway is learned anew from the store
            self._forget(names)
            raise
        self._until.update(zip(names, (time.to_pydatetime() for time in last), strict=True))
        self._changed.update(names)
        age = owners.map(seen).to_numpy() + rows.groupby(SERVICE, sort=False).cumcount().to_numpy()
        return np.where(age >= self._settings.minimum_samples, scores, np.nan)

    def _forget(self, names: list[str]) -> None:
        self._fleet.forget(names)
        for name in names:
            self._until.pop(name, None)
        self._changed.difference_update(names)


def _times(rows: pd.DataFrame, by_service: Mapping[str, datetime]) -> pd.Series:
    """The time of each row's service; NaT where it has none."""
    return pd.to_datetime(rows[SERVICE].map(dict(by_service)), utc=True)
