"""Rows of the store that are relied on for a moment, so that a request need not ask it for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

Row = TypeVar("Row")

FRESH = 2.0
"""How long rows read from the store are relied on [s]: so long may one ended elsewhere still work."""
UNKNOWN_FRESH = 0.25
"""The same before a row is said to be unknown [s]: one made elsewhere works at once."""


class Snapshot(Generic[Row]):
    """All rows of a table by a key, read again when they are old.

    Parameters
    ----------
    read
        Reads all rows.
    key
        What a row is found by.
    """

    def __init__(self, read: Callable[[], Iterable[Row]], key: Callable[[Row], str]) -> None:
        self._read, self._key = read, key
        self._lock = threading.Lock()
        self._rows: dict[str, Row] = {}
        self._read_at = float("-inf")

    def all(self) -> Mapping[str, Row]:
        """Every row, at most `FRESH` seconds old."""
        return self._rows_of(FRESH)

    def find(self, key: str) -> Row | None:
        """The row of that key; None where even the newest rows have none."""
        return self._rows_of(FRESH).get(key) or self._rows_of(UNKNOWN_FRESH).get(key)

    def forget(self) -> None:
        """Read anew the next time: something was written."""
        with self._lock:
            self._read_at = float("-inf")

    def _rows_of(self, fresh: float) -> Mapping[str, Row]:
        with self._lock:
            if time.monotonic() - self._read_at > fresh:
                self._rows = {self._key(row): row for row in self._read()}
                self._read_at = time.monotonic()
            return self._rows
