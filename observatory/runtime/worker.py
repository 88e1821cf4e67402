"""The background worker: one cycle of collecting and detecting every interval, in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from observatory.process import is_ending
from observatory.times import floor_to

log = logging.getLogger(__name__)


class Worker:
    """Runs `run_cycle` at each multiple of `interval` seconds.

    A cycle that takes longer than the interval makes the next ones skip; they never pile up. A cycle that
    raises is logged and kept as `error`, and the worker goes on.

    Parameters
    ----------
    run_cycle
        Gets the time the cycle is for, and how many before it were skipped.
    interval
        Time between cycles [s].
    clock
        Tells the time, in UTC.
    wait
        Waits for at most so many seconds; True when the worker must stop.
    """

    def __init__(
        self,
        run_cycle: Callable[[datetime, int], object],
        interval: float,
        clock: Callable[[], datetime],
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        self._run_cycle = run_cycle
        self._interval = interval
        self._clock = clock
        self._stopping = threading.Event()
        self._wait = wait or self._stopping.wait
        self._thread: threading.Thread | None = None
        self.error: str | None = None
        self.skipped = 0

    @property
    def is_running(self) -> bool:
        """Whether the thread is alive."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin, in a daemon thread; a worker that runs already is left alone."""
        if self.is_running:
            return
        self._stopping.clear()
        self._thread = threading.Thread(target=self.run, name="observatory-worker", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 20.0) -> None:
        """Ask the thread to end, and wait for the cycle in progress; one that takes longer is left."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def run(self) -> None:
        """Cycle until `stop`; what the thread does."""
        tick = floor_to(self._clock(), self._interval).timestamp()
        missed = 0
        while True:
            now = self._clock().timestamp()
            due = tick + self._interval
            if now > due + self._interval:
                late = int((now - due) // self._interval)
                missed += late
                self.skipped += late
                log.warning("a cycle took longer than %s s: %d skipped", self._interval, late)
                due += late * self._interval
            if self._wait(max(0.0, due - now)):
                return
            tick = due
            try:
                self._run_cycle(self._clock(), missed)
                self.error, missed = None, 0
            except Exception as error:  # the worker must outlive whatever a cycle meets
                if self._stopping.is_set() or is_ending(error):
                    log.info("the cycle in progress was left: %s", error)
                    return
                self.error = f"{type(error).__name__}: {error}"
                log.exception("a cycle failed")
