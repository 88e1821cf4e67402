"""Range queries in pieces that a server accepts: what hits a limit is halved, and what passed is remembered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from observatory.errors import AnswerTooLargeError, QueryLimitError, QueryTooLongError

T = TypeVar("T")

MOST_POINTS = 11_000  # Prometheus refuses a range of more points a series
FORGOTTEN_AFTER = 3600.0
"""A limit may be raised: sizes that were refused are tried again after so long [s]."""


@dataclass(frozen=True, slots=True)
class _Size:
    """Points to ask for, and the least that were refused; `until` is when both are forgotten."""

    points: int = MOST_POINTS
    refused: int = MOST_POINTS + 1
    until: float = float("inf")

    def smaller(self, refused: int, until: float) -> _Size:
        return _Size(max(1, refused // 2), refused, until)

    def larger(self) -> _Size:
        """After a success: a piece of another time may have been smaller, so grow where that was not refused."""
        return self if 2 * self.points >= self.refused else _Size(2 * self.points, self.refused, self.until)


class Pieces:
    """Splits ranges of queries to one server; may be used by several threads.

    Parameters
    ----------
    clock
        Counts seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sizes: dict[str, _Size] = {}

    def answers(
        self, query: str, start: float, end: float, step: float, ask: Callable[[float, float], T]
    ) -> Iterator[T]:
        """What `ask` returns for the first and last time [s] of each piece, both included, in the order of time.

        Raises
        ------
        QueryLimitError, AnswerTooLargeError
            A single point is refused too.
        """
        count, done = int((end - start) / step + 1e-6) + 1, 0
        while done < count:
            points = min(self._size(query).points, count - done)
            try:
                answer = ask(start + done * step, start + (done + points - 1) * step)
            except QueryTooLongError:
                raise  # as long for a shorter range
            except (QueryLimitError, AnswerTooLargeError):
                self._refused(query, points)
                if points == 1:
                    raise
                continue
            self._passed(query, points)
            done += points
            yield answer

    def _size(self, query: str) -> _Size:
        with self._lock:
            size = self._sizes.get(query, _Size())
            if size.until <= self._clock():
                del self._sizes[query]
                return _Size()
            return size

    def _refused(self, query: str, points: int) -> None:
        with self._lock:
            size = self._sizes.get(query, _Size())
            if points < size.refused:
                self._sizes[query] = size.smaller(points, self._clock() + FORGOTTEN_AFTER)

    def _passed(self, query: str, points: int) -> None:
        with self._lock:
            size = self._sizes.get(query)
            if size is None:
                return
            if points >= size.refused:  # another time has fewer series
                size = _Size(points, MOST_POINTS + 1, size.until)
            if points == size.points:
                self._sizes[query] = size.larger()
