"""OverviewCache: one read of all services for everybody who looks."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from observatory.errors import ObservatoryError
from observatory.health.overview import Overview

log = logging.getLogger(__name__)

FRESH, USABLE = timedelta(seconds=15), timedelta(seconds=30)
"""Age up to which an overview of unchanged data is handed out, and up to which it is while another is read."""


class OverviewCache:
    """Keeps the newest overview until the store changes.

    While it does not, only ages go on: after `FRESH` a thread reads again, and nobody waits for it.

    Parameters
    ----------
    read
        Reads every service as of a time.
    revision
        Tells which state of the store an overview is of.
    clock
        Tells the time, in UTC.
    """

    def __init__(
        self, read: Callable[[datetime], Overview], revision: Callable[[], int], clock: Callable[[], datetime]
    ) -> None:
        self._read = read
        self._revision = revision
        self._clock = clock
        self._kept: tuple[int, Overview] | None = None
        self._reading = threading.Lock()
        self._lock = threading.Lock()
        self._is_refreshing = False

    def get(self) -> Overview:
        """Every service now. Raises what reading raises."""
        now, revision = self._clock(), self._revision()
        found = self._usable(now, revision, USABLE)
        if found is None:
            with self._reading:  # of those who wait for the same one reads
                return self._usable(now, revision, USABLE) or self._read_now(now, revision)
        if self._usable(now, revision, FRESH) is None:
            self._refresh(now, revision)
        return found

    def _usable(self, now: datetime, revision: int, age: timedelta) -> Overview | None:
        """What was read of this revision, if it is younger."""
        kept = self._kept
        if kept is None or kept[0] != revision:
            return None
        return kept[1] if timedelta(0) <= now - kept[1].at < age else None

    def _read_now(self, now: datetime, revision: int) -> Overview:
        found = self._read(now)
        self._kept = revision, found
        return found

    def _refresh(self, now: datetime, revision: int) -> None:
        """Read again in a thread, unless one does so already."""
        with self._lock:
            if self._is_refreshing:
                return
            self._is_refreshing = True
        try:
            threading.Thread(target=self._run, args=(now, revision), name="observatory-overview").start()
        except RuntimeError as error:  # the system has no thread left; the next who asks tries again
            self._is_refreshing = False
            log.warning("the overview is not read again: %s", error)

    def _run(self, now: datetime, revision: int) -> None:
        try:
            with self._reading:
                self._read_now(now, revision)
        except ObservatoryError as error:
            log.warning("the overview could not be read again: %s", error)
        except Exception:  # whoever asks next reads it themselves, and is told
            log.exception("reading the overview again failed")
        finally:
            self._is_refreshing = False
