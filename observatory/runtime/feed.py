"""News of services as they happen, so that clients need not ask again and again (server-sent events).

One thread of a process compares each new overview with the last one, while somebody listens; every listener gets
what concerns the services it may see. The stream itself is Tornado's: a quiet listener holds no thread.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from observatory.errors import ObservatoryError
from observatory.health.overview import Overview
from observatory.health.transitions import changes
from observatory.runtime import Runtime

log = logging.getLogger(__name__)

POLL = 1.0
"""Time between looks at the store [s]; a look that finds the same revision is all but free."""
REMEMBERED = 1000
"""Events that a client which lost its connection can be given again."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to one service. `kind` is ``anomaly``, ``anomaly-ended`` or ``health``."""

    id: str
    kind: str
    service: str
    data: dict[str, Any]

    def text(self) -> str:
        """As it stands in the stream."""
        return f"id: {self.id}\nevent: {self.kind}\ndata: {json.dumps(self.data, allow_nan=False)}\n\n"


RESYNC = "event: resync\ndata: {}\n\n"
"""Tells a client that it missed too much: it should read the summary again."""
Listener = Callable[[Event], None]


class Feed:
    """The events of one process.

    Parameters
    ----------
    runtime
        What is watched.
    poll
        Time between looks [s].
    """

    def __init__(self, runtime: Runtime, poll: float = POLL) -> None:
        self._runtime = runtime
        self._poll = poll
        self._lock = threading.Lock()
        self._listeners: dict[int, Listener] = {}
        self._remembered: deque[Event] = deque(maxlen=REMEMBERED)
        self._number = 0
        self._seen: Overview | None = None
        self._watching = False
        self._wake = threading.Event()
        self._birth = f"{int(runtime.clock().timestamp() * 1000):x}"

    def listen(self, listener: Listener) -> int:
        """Call `listener` with each event, in the watching thread, until `leave`."""
        with self._lock:
            self._number += 1
            self._listeners[self._number] = listener
            if not self._watching:
                self._watching = True
                self._wake.clear()
                threading.Thread(target=self._watch, name="observatory-events", daemon=True).start()
            return self._number

    def leave(self, number: int) -> None:
        """Forget a listener; with the last one the watching ends."""
        with self._lock:
            self._listeners.pop(number, None)
            if not self._listeners:
                self._wake.set()

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def since(self, last: str, sees: Callable[[str], bool]) -> Iterator[str]:
        """What a client that sees these services missed after the event `last`, as text; or that it missed too much."""
        with self._lock:
            known = list(self._remembered)
        place = next((number for number, event in enumerate(known) if event.id == last), None)
        if place is None:
            yield RESYNC
            return
        yield from (event.text() for event in known[place + 1 :] if sees(event.service))

    def look(self) -> None:
        """Compare what is with what was, and tell everybody."""
        now = self._runtime.overview()
        before, self._seen = self._seen, now
        if before is None or before is now:
            return
        for kind, service, data in changes(before, now):
            with self._lock:
                self._number += 1
                event = Event(f"{self._birth}-{self._number}", kind, service, data)
                self._remembered.append(event)
                listeners = list(self._listeners.values())
            for listener in listeners:
                listener(event)

    def _watch(self) -> None:
        while True:
            try:
                self.look()
            except ObservatoryError as error:
                log.warning("events: %s", error)
            except Exception:  # the next look may succeed
                log.exception("events: a look at the store failed")
            self._wake.wait(self._poll)
            with self._lock:
                if not self._listeners:
                    self._watching, self._seen = False, None
                    return
