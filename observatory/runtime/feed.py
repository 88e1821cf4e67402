"""Feed: one look at all services for everybody who wants to know what changed.

The dashboard, the event stream and whatever else reports changes subscribe here. One thread of a process looks
while somebody is subscribed, compares with what it saw before, and hands on the difference.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from observatory.errors import ObservatoryError
from observatory.health.overview import Overview
from observatory.health.transitions import transitions as service_transitions
from observatory.incidents.transitions import transitions as incident_transitions
from observatory.model import Incident, Transition

log = logging.getLogger(__name__)

POLL = 1.0
"""Time between looks [s], unless all subscribers want fewer; one that finds the same revision is all but free."""
REMEMBERED = 1000
"""Events that somebody who lost the connection can be given again."""


@dataclass(frozen=True, slots=True)
class Event:
    """A transition with an id, by which a client tells what it saw last."""

    id: str
    transition: Transition


@dataclass(frozen=True, slots=True)
class Look:
    """All services, or why they could not be read; and what changed since the look that a subscriber got before."""

    overview: Overview | None
    error: str = ""
    events: tuple[Event, ...] = ()


Callback = Callable[[Look], None]


@dataclass(slots=True)
class Subscriber:
    """How often one of them wants to be called [s], when that is due next, and what waits until then."""

    every: float
    due: float
    waiting: list[Event] = field(default_factory=list)


class Feed:
    """The looks and events of one process.

    Parameters
    ----------
    overview
        Reads all services.
    incidents
        Reads the incidents that go on at a time, or ended just before.
    poll
        Time between looks [s].
    """

    def __init__(
        self,
        overview: Callable[[], Overview],
        incidents: Callable[[datetime], Sequence[Incident]],
        poll: float = POLL,
    ) -> None:
        self._read = overview
        self._read_incidents = incidents
        self.poll = poll
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._subscribers: dict[Callback, Subscriber] = {}
        self._thread: threading.Thread | None = None
        self._is_forced = False
        self._seen: tuple[Overview, Sequence[Incident]] | None = None
        self._error = ""
        self._remembered: deque[Event] = deque(maxlen=REMEMBERED)
        self._birth = secrets.token_hex(4)
        self._number = 0

    def subscribe(self, callback: Callback, every: float | None = None) -> None:
        """Call `callback` in the feed's thread every so many seconds, at each look unless told otherwise.

        It must not block. Events that happen meanwhile wait for it.
        """
        period = self.poll if every is None else every
        with self._lock:
            self._subscribers[callback] = Subscriber(period, time.monotonic() + period)
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="observatory-feed", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # no thread is left: nothing is subscribed, and the next may try
                    del self._subscribers[callback]
                    raise
                self._thread = thread
        self._wake.set()

    def unsubscribe(self, callback: Callback) -> None:
        """Forget a subscriber; with the last one the looking ends."""
        with self._lock:
            self._subscribers.pop(callback, None)
        self._wake.set()

    def refresh(self) -> None:
        """Look now and call everybody; many calls at once are one look."""
        self._is_forced = True
        self._wake.set()

    @property
    def subscribers(self) -> int:
        """How many there are."""
        return len(self._subscribers)

    @property
    def has_looked(self) -> bool:
        """Whether there is something to compare the next look with."""
        return self._seen is not None

    def since(self, last: str) -> list[Event] | None:
        """The events after the one with that id; None where that is too long ago to tell."""
        with self._lock:
            known = list(self._remembered)
        place = next((number for number, event in enumerate(known) if event.id == last), None)
        return None if place is None else known[place + 1 :]

    def close(self, timeout: float = 5.0) -> None:
        """Forget everybody, and wait for the look in progress [s]."""
        with self._lock:
            self._subscribers.clear()
            thread = self._thread
        self._wake.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._subscribers:
                    self._thread, self._seen = None, None
                    return
            forced, self._is_forced = self._is_forced, False
            self._hand_out(self._look(), forced=forced)
            with self._lock:
                due = min((one.due for one in self._subscribers.values()), default=0.0)
            self._wake.wait(max(0.0, due - time.monotonic()))
            self._wake.clear()

    def _look(self) -> Look:
        try:
            found = self._read()
            look = Look(found, events=tuple(self._compare(found)))
            self._error = ""
        except ObservatoryError as error:
            look = Look(None, str(error))
            if look.error != self._error:  # what goes on failing is logged once
                log.warning("looking at the services failed: %s", error)
        except Exception as error:  # the next look may succeed
            look = Look(None, f"{type(error).__name__}: {error}")
            if look.error != self._error:
                log.exception("looking at the services failed")
        self._error = look.error
        return look

    def _compare(self, now: Overview) -> list[Event]:
        """What changed since the look before; the first one has nothing to compare with."""
        if self._seen is None:
            self._seen = now, self._read_incidents(now.at)
            return []
        before, incidents = self._seen
        if before is now:
            return []
        earlier, incidents = incidents, self._read_incidents(now.at)
        found = [*service_transitions(before, now), *incident_transitions(earlier, incidents)]
        self._seen = now, incidents
        with self._lock:
            events = [Event(f"{self._birth}-{self._number + n}", one) for n, one in enumerate(found, 1)]
            self._number += len(events)
            self._remembered.extend(events)
        return events

    def _hand_out(self, look: Look, *, forced: bool) -> None:
        now = time.monotonic()
        calls: list[tuple[Callback, Look]] = []
        with self._lock:
            for callback, one in self._subscribers.items():
                one.waiting += look.events
                if forced or one.due <= now:
                    calls.append((callback, Look(look.overview, look.error, tuple(one.waiting))))
                    one.waiting, one.due = [], now + one.every
        for callback, own in calls:
            try:
                callback(own)
            except Exception:  # one of them must not stop the others
                log.exception("a subscriber failed")
