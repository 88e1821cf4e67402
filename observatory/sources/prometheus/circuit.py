"""A circuit that opens when a server is down: it is left alone for a while, and said once.

The circuit breakers on PyPI hold a lock while they call, or none at all; this one lets calls run at the same time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from observatory.errors import SourceBusyError, SourceError, SourceTimeoutError, SourceUnreachableError

T = TypeVar("T")

REST = 30.0
"""How long a server that is down is left alone [s]."""
LONGEST_REST = 900.0
PATIENCE = 3
"""Calls in a row that may be too slow, or refused for now, before the server counts as down."""

log = logging.getLogger(__name__)


class Circuit:
    """Calls of one kind to one server.

    Closed, it lets every call through. It opens when the server cannot be reached, asks to be left alone for a while,
    or fails `PATIENCE` times in a row; calls then fail at once, with the error that opened it. After `REST` seconds
    one call is let through while others wait for what becomes of it: it closes the circuit, or keeps it open.

    Parameters
    ----------
    clock
        Counts seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._error: SourceError | None = None
        self._until = 0.0
        self._trying = False
        self._failures = 0

    @property
    def is_open(self) -> bool:
        """Whether calls fail at once."""
        return self._error is not None and not self._trying

    def call(self, ask: Callable[[], T]) -> T:
        """What `ask` returns.

        Raises
        ------
        SourceError
            What `ask` raises, or what opened the circuit.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._trying)
            if self._error is not None:
                if self._clock() < self._until:
                    raise type(self._error)(str(self._error))
                self._trying = True
        error: BaseException | None = None
        try:
            return ask()
        except BaseException as raised:
            error = raised
            raise
        finally:
            self._settle(error)

    def _settle(self, error: BaseException | None) -> None:
        with self._changed:
            self._trying = False
            if isinstance(error, SourceUnreachableError | SourceTimeoutError | SourceBusyError):
                self._failures += 1
                rest = min(LONGEST_REST, max(REST, getattr(error, "wait", None) or 0.0))
                if self._error or self._failures >= PATIENCE or _is_clear(error):
                    if self._error is None:
                        log.warning("%s; it is asked again every %.0f s", error, rest)
                    self._error, self._until = error, self._clock() + rest
            elif error is None or isinstance(error, SourceError):  # it answered, if only to refuse
                if self._error is not None:
                    log.info("it answers again, after: %s", self._error)
                self._error, self._failures = None, 0
            self._changed.notify_all()


def _is_clear(error: SourceError) -> bool:
    """Whether one such error is enough."""
    return isinstance(error, SourceUnreachableError) or getattr(error, "wait", None) is not None
