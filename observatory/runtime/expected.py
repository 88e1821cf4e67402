"""What is expected of every service now, ready before it is asked for.

The bands that a chart draws take a while to learn, and to evaluate. Who wants those of all services at once, such as
``/metrics``, finds here the edges for the next hour; they are made in the background, a few services at a time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from observatory.catalog import FloatArray
from observatory.detectors.bands import Bands
from observatory.errors import NotEnoughDataError, ObservatoryError
from observatory.model import SERVICE, TIMESTAMP
from observatory.process import is_ending

log = logging.getLogger(__name__)

AHEAD = timedelta(hours=1)
"""Edges are evaluated for so long at once, or for `FEWEST` samples where that is longer."""
FEWEST = 8
RENEWED = 0.75
"""Share of that time after which they are evaluated anew, so that there is never none."""
ROWS_AT_ONCE = 200_000
"""Rows of history read at once."""
ROWS_FITTED = 20_000
"""Most rows that bands are fitted on: of a short interval every second, third … one."""
SERVICES_AT_ONCE = 50
"""Services that are learned before it is asked again: so a start with many does not take the processor for minutes."""

History = Callable[[datetime, datetime, Sequence[str]], pd.DataFrame]
"""Reads the samples of services between two times, with the columns of `Store.history_of_all`."""
Edges = Mapping[str, tuple[float, float]]
"""By metric the lower and the upper edge of its band [base units]."""


@dataclass(frozen=True, slots=True)
class _Ahead:
    """Edges from `start` on, one row an interval: shape (rows, metrics). Bands are None where too little is known."""

    bands: Bands | None
    fitted: datetime
    start: datetime
    metrics: tuple[str, ...]
    lower: FloatArray
    upper: FloatArray


class ExpectedRanges:
    """The bands of all services for the time of their newest sample. Safe to use from several threads.

    Parameters
    ----------
    history
        Reads what they are learned from.
    interval
        Time between samples [s].
    training
        How much history they are learned from.
    refit_after
        Age at which they are learned anew.
    """

    def __init__(self, history: History, *, interval: float, training: timedelta, refit_after: timedelta) -> None:
        self._history = history
        self._interval = interval
        self._training = training
        self._refit_after = refit_after
        self._ahead = max(AHEAD, FEWEST * timedelta(seconds=interval))
        self._known: dict[str, _Ahead] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def edges(self, service: str, at: datetime) -> Edges:
        """The band of each metric of a service at a time; empty where that is not known (yet)."""
        known = self._known.get(service)
        if known is None or not known.metrics:
            return {}
        place = (at - known.start).total_seconds() / self._interval
        row = round(place)
        if not 0 <= row < len(known.lower) or abs(place - row) > 0.5:
            return {}
        pairs = zip(known.metrics, known.lower[row].tolist(), known.upper[row].tolist(), strict=True)
        return {name: (lower, upper) for name, lower, upper in pairs if lower == lower and upper == upper}

    def follow(self, newest: Mapping[str, datetime], existing: Container[str]) -> None:
        """Learn in the background what is missing for the newest samples, the first services first.

        Services that do not exist any more are forgotten; others may be asked for by somebody else.
        """
        with self._lock:
            if self._closing.is_set() or (self._thread is not None and self._thread.is_alive()):
                return
            due = {name: at for name, at in newest.items() if self._is_due(name, at)}
            self._known = {name: known for name, known in self._known.items() if name in existing}
            if not due:
                return
            chosen = dict(list(due.items())[:SERVICES_AT_ONCE])
            thread = threading.Thread(target=self._run, args=(chosen,), name="observatory-bands", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # the system has no thread left; the next who asks tries again
                log.warning("bands are not learned: %s", error)
                return
            self._thread = thread

    def wait(self) -> None:
        """Wait until what runs in the background has ended."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def close(self) -> None:
        """End what runs in the background."""
        with self._lock:
            self._closing.set()
        self.wait()

    def _is_due(self, service: str, at: datetime) -> bool:
        known = self._known.get(service)
        return known is None or not timedelta(0) <= at - known.start <= RENEWED * self._ahead

    def _run(self, due: Mapping[str, datetime]) -> None:
        try:
            old = {name: at for name, at in due.items() if self._is_old(name, at)}
            for name, at in due.items():
                if name not in old:
                    self._keep(name, self._known[name].bands, self._known[name].fitted, at)
            for name, at, frame in self._read(old):
                if self._closing.is_set():
                    return
                self._keep(name, _fit(frame), at, at)
        except ObservatoryError as error:  # whoever asks next tries again
            if not self._closing.is_set():
                log.warning("bands could not be learned: %s", error)
        except Exception as error:
            if not (is_ending(error) or self._closing.is_set()):
                log.exception("learning bands failed")

    def _is_old(self, service: str, at: datetime) -> bool:
        known = self._known.get(service)
        return known is None or known.bands is None or not timedelta(0) <= at - known.fitted <= self._refit_after

    def _read(self, due: Mapping[str, datetime]) -> Iterator[tuple[str, datetime, pd.DataFrame]]:
        """Each service with the time of its newest sample, and the samples before it."""
        rows = max(1, int(self._training.total_seconds() / self._interval))
        size = max(1, ROWS_AT_ONCE // rows)
        names = list(due)
        for first in range(0, len(names), size):
            part = names[first : first + size]
            if self._closing.is_set():
                return
            start = min(due[name] for name in part) - self._training
            frames = dict(list(self._history(start, max(due[name] for name in part), part).groupby(SERVICE)))
            for name in part:
                frame = frames.get(name)
                yield name, due[name], pd.DataFrame() if frame is None else frame.drop(columns=SERVICE)

    def _keep(self, service: str, bands: Bands | None, fitted: datetime, at: datetime) -> None:
        """Keep the edges from `at` on."""
        count = int(self._ahead.total_seconds() // self._interval) + 1
        if bands is None:
            none = np.empty((0, 0))
            self._known[service] = _Ahead(None, fitted, at, (), none, none)
            return
        index = pd.DatetimeIndex([at + timedelta(seconds=self._interval * step) for step in range(count)])
        expected = bands.evaluate(index)
        lower, upper = (frame.to_numpy(dtype=float) for frame in (expected.lower, expected.upper))
        self._known[service] = _Ahead(bands, fitted, at, bands.metrics, lower, upper)


def _fit(frame: pd.DataFrame) -> Bands | None:
    """Bands of a service's samples, of the metrics that it has; None where there are too few."""
    if frame.empty:
        return None
    own = frame.set_index(TIMESTAMP).dropna(axis="columns", how="all")
    try:
        return Bands().fit(own.iloc[:: -(-len(own) // ROWS_FITTED)])
    except NotEnoughDataError:
        return None
