"""Samples that silences leave out: those that are not judged, and those that are not learned from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from observatory.annotations.in_force import under_new_names
from observatory.annotations.occurrences import spans
from observatory.model import SERVICE, TIMESTAMP, Silence
from observatory.store.reader import StoreReader

History = Callable[[str, datetime, datetime], pd.DataFrame]


@dataclass(frozen=True, slots=True)
class Masks:
    """Silences of some time that do more than to keep people from being told."""

    silences: tuple[Silence, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.silences)

    def unjudged(self, service: str, times: pd.DatetimeIndex) -> NDArray[np.bool_]:
        """Which of these times of a service are not judged, shape (n,)."""
        return _inside(self.silences, service, times)

    def unlearned(self, service: str, times: pd.DatetimeIndex) -> NDArray[np.bool_]:
        """Which of these times of a service are not learned from, shape (n,)."""
        return _inside((one for one in self.silences if not one.learns), service, times)

    def learned(self, service: str, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of a service that are learned from, of a frame indexed by time."""
        if not self or frame.empty:
            return frame
        return frame[~self.unlearned(service, pd.DatetimeIndex(frame.index))]

    def learned_of_all(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows that are learned from, of a frame as `Store.history_of_all` has it."""
        return rows[~self._of_all(rows, self.unlearned)] if self else rows

    def unjudged_of_all(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        """Which rows are not judged, of a frame as `Store.history_of_all` has it; shape (n,)."""
        return self._of_all(rows, self.unjudged)

    def _of_all(
        self, rows: pd.DataFrame, inside: Callable[[str, pd.DatetimeIndex], NDArray[np.bool_]]
    ) -> NDArray[np.bool_]:
        found = np.zeros(len(rows), dtype=bool)
        if not self or rows.empty:
            return found
        for name, places in rows.groupby(SERVICE, sort=False).indices.items():
            if any(one.covers_service(str(name)) for one in self.silences):
                found[places] = inside(str(name), pd.DatetimeIndex(rows[TIMESTAMP].iloc[places]))
        return found


def masks_of(store: StoreReader, start: datetime, end: datetime) -> Masks:
    """What silences of a store leave out between two times."""
    held = [one for one in store.silences.read(start, end) if not one.judges]
    if not held:
        return Masks()
    rules = store.names.rules()
    return Masks(tuple(under_new_names(one, rules) for one in held))


def learned_history(store: StoreReader) -> History:
    """Reads the samples of a service that are learned from."""

    def read(service: str, start: datetime, end: datetime) -> pd.DataFrame:
        return masks_of(store, start, end).learned(service, store.history(service, start, end))

    return read


def learned_history_of_all(store: StoreReader) -> Callable[[datetime, datetime, Sequence[str]], pd.DataFrame]:
    """Reads the samples of many services that are learned from."""

    def read(start: datetime, end: datetime, services: Sequence[str]) -> pd.DataFrame:
        return masks_of(store, start, end).learned_of_all(store.history_of_all(start, end, services))

    return read


def _inside(silences: Iterable[Silence], service: str, times: pd.DatetimeIndex) -> NDArray[np.bool_]:
    found = np.zeros(len(times), dtype=bool)
    if times.empty:
        return found
    first, last = times[0].to_pydatetime(), times[-1].to_pydatetime() + pd.Timedelta(microseconds=1)
    for silence in silences:
        if silence.covers_service(service):
            for since, until in spans(silence, first, last):
                found |= np.asarray((times >= pd.Timestamp(since)) & (times < pd.Timestamp(until)))
    return found
