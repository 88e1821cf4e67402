"""Starting beside the server: the port opens at once, the past is filled meanwhile."""

from __future__ import annotations

import gc
import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from observatory.errors import ObservatoryError, StoreError
from observatory.health.overview import STALE_INTERVALS
from observatory.process import is_ending
from observatory.runtime import Runtime

log = logging.getLogger(__name__)

HIDDEN = "not so: sign in as somebody who may see every service to read why"
LEAST_PATIENCE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so before the process is ready."""

    name: str
    ok: bool
    detail: str


class Startup:
    """Starts a runtime in a thread, remembers how that went, and ends it."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.error: str | None = None
        self.finished_at: datetime | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="observatory-start", daemon=True)

    def begin(self) -> None:
        """Start; returns at once."""
        self._thread.start()

    def wait(self, timeout: float | None = None) -> None:
        """Until starting is over, well or not."""
        self._thread.join(timeout)

    def end(self, timeout: float = 10.0) -> None:
        """Stop the worker and close the store, also when starting is still under way: it then fails, and ends."""
        self._closing = True
        self.runtime.close()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        try:
            self.runtime.start()
            settle()
            self.finished_at = self.runtime.clock()
        except Exception as error:  # whatever it is, the server goes on and /readyz tells
            if self._closing or is_ending(error):
                log.debug("starting was ended: %s", error)
                return
            self.error = str(error) if isinstance(error, ObservatoryError) else f"{type(error).__name__}: {error}"
            log.error("starting failed: %s", self.error, exc_info=not isinstance(error, ObservatoryError))


def settle() -> None:
    """Leave out of every later garbage collection what is there for good: to look through it takes 0.1 s each time."""
    gc.collect()
    gc.freeze()


def checks(runtime: Runtime, startup: Startup | None) -> list[Check]:
    """What must be so before answers can be relied on."""
    found = [] if startup is None else [_started(runtime, startup)]
    found.append(_store(runtime))
    if runtime.settings.worker and all(check.ok for check in found):
        found.append(_cycle(runtime, startup))
    return found


def _started(runtime: Runtime, startup: Startup) -> Check:
    if startup.error is not None:
        return Check(name="start", ok=False, detail=f"starting failed: {startup.error}")
    if startup.finished_at is None:
        what = "filling the demo shop's history" if runtime.settings.source_name == "demo" else "fetching history"
        return Check(name="start", ok=False, detail=f"starting: {what}")
    failures = "; ".join(f"{failure.what}: {failure.error}" for failure in runtime.failures)
    return Check(name="start", ok=True, detail=failures or "done")


def _store(runtime: Runtime) -> Check:
    try:
        runtime.store.cycles(1)
    except StoreError as error:
        return Check(name="store", ok=False, detail=str(error))
    return Check(name="store", ok=True, detail="readable")


def _cycle(runtime: Runtime, startup: Startup | None) -> Check:
    if runtime.worker.error is not None:
        return Check(name="cycle", ok=False, detail=f"the last cycle failed: {runtime.worker.error}")
    last = next(iter(runtime.store.cycles(1)), None)
    times = [] if last is None else [last.started_at + timedelta(seconds=last.seconds)]
    if startup is not None and startup.finished_at is not None:
        times.append(startup.finished_at)
    if not times:
        return Check(name="cycle", ok=False, detail="no cycle has run yet")
    age = runtime.clock() - max(times)
    patience = max(LEAST_PATIENCE, STALE_INTERVALS * timedelta(seconds=runtime.settings.interval))
    if age > patience:
        return Check(name="cycle", ok=False, detail=f"the last cycle ended {age.total_seconds():.0f} s ago")
    return Check(name="cycle", ok=True, detail="none yet" if last is None else f"last at {last.started_at.isoformat()}")
