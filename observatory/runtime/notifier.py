"""Telling people: of the processes that share a store one empties the outbox, with a thread for each destination."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from observatory.errors import NotFoundError, ObservatoryError
from observatory.model import Incident, Link
from observatory.runtime.hand_out import Told, hand_out, note_destinations
from observatory.runtime.leader import LeaderElection
from observatory.runtime.sending import Lane
from observatory.store import Store

log = logging.getLogger(__name__)

POLL = 2.0
"""Time between looks into the outbox [s]; a cycle of this process wakes it at once."""
LEASE = timedelta(seconds=60)
"""How long a process that fell silent is waited for."""
ASKS_AGAIN = timedelta(seconds=10)
"""Where another process has the work, it is asked for so often."""
MARGIN = timedelta(seconds=5)
"""A claim that is about to run out is not relied on."""


class Notifier:
    """Hands out what is in the outbox, and has each destination send what waits for it.

    Parameters
    ----------
    store
        Shared with any number of processes; one of them sends.
    told
        The destinations by name.
    clock
        Tells the time, in UTC.
    public_url
        Where people reach the dashboard; empty: nowhere.
    draw, links
        Make pictures, and links to other programs; see `observatory.runtime.sending.Lane`.
    """

    def __init__(
        self,
        store: Store,
        told: Mapping[str, Told],
        clock: Callable[[], datetime],
        public_url: str = "",
        draw: Callable[[Incident, datetime], bytes | None] = lambda incident, now: None,
        links: Callable[[Incident, datetime], Sequence[Link]] = lambda incident, now: (),
    ) -> None:
        self._store = store
        self.told = told
        """The destinations by name."""
        self._clock = clock
        self._leader = LeaderElection(store, "notify", clock, LEASE)
        self._ours_until: datetime | None = None
        self._asked_at: datetime | None = None
        self._is_known = False
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._threads: list[threading.Thread] = []
        self._wakers: dict[str, threading.Event] = {name: threading.Event() for name in told}
        self.lanes = {
            name: Lane(store, one, public_url, self._may_send, draw=draw, links=links) for name, one in told.items()
        }
        self.error = ""
        """Why the outbox could not be emptied; empty once it was."""

    def of(self, name: str) -> Told:
        """The destination of that name. Raises NotFoundError."""
        if name not in self.told:
            there = ", ".join(self.told) or "none is set up, see `observatory help notifications`"
            raise NotFoundError(f"there is no destination {name!r}: {there}")
        return self.told[name]

    def start(self) -> None:
        """Begin, in daemon threads; once."""
        if self._threads:
            return
        self._threads = [threading.Thread(target=self._hand_out, name="observatory-notifier", daemon=True)]
        for name, lane in self.lanes.items():
            thread = threading.Thread(target=self._send, args=(lane,), name=f"observatory-notify-{name}", daemon=True)
            self._threads.append(thread)
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Something happened: look now."""
        self._woken.set()

    def stop(self, timeout: float = 10.0) -> None:
        """End: a message on its way is waited for, and what waits stays for the next start."""
        self._stopping.set()
        for waker in (self._woken, *self._wakers.values()):
            waker.set()
        for thread in self._threads:
            thread.join(timeout)
        self._leader.release()
        for one in self.told.values():
            one.destination.close()

    def step(self) -> None:
        """Claim, hand out and send what is due, one destination after the other: what the threads do all the time."""
        self._claim_and_hand_out()
        for lane in self.lanes.values():
            lane.send_due(self._clock())

    def _hand_out(self) -> None:
        while not self._stopping.is_set():
            try:
                self._claim_and_hand_out()
                self.error = ""
            except Exception as error:  # the thread must outlive whatever it meets
                if not self.error and not self._stopping.is_set():
                    log.warning("what happened cannot be told for now: %s", error, exc_info=_is_unknown(error))
                self.error = str(error)
            for waker in self._wakers.values():
                waker.set()
            self._woken.wait(POLL)
            self._woken.clear()

    def _send(self, lane: Lane) -> None:
        waker = self._wakers[lane.name]
        while not self._stopping.is_set():
            waker.wait()
            waker.clear()
            try:
                while self._may_send() and lane.send_due(self._clock()):
                    pass
            except Exception as error:  # the thread must outlive whatever it meets
                if not self._stopping.is_set():
                    log.warning("%s: %s", lane.name, error, exc_info=_is_unknown(error))

    def _claim_and_hand_out(self) -> None:
        """Claim where there is anything to do, and only then: each claim is a write, and in a lake a snapshot."""
        now = self._clock()
        if not self._is_known:
            note_destinations(self._store, self.told, now)
            self._is_known = True
        wants_refresh = any(lane.wants_refresh(now) for lane in self.lanes.values())
        if not wants_refresh and not self._store.notifications.has_work():
            return
        if self._is_claim_due(now):
            self._ours_until = now + LEASE - MARGIN if self._leader.claim() else None
            self._asked_at = now
        if self._may_send():
            hand_out(self._store, self.told, now)

    def _is_claim_due(self, now: datetime) -> bool:
        if self._ours_until is not None:
            return self._ours_until - now < LEASE / 2
        return self._asked_at is None or abs(now - self._asked_at) >= ASKS_AGAIN

    def _may_send(self) -> bool:
        """Whether the claim of this process still holds: one that was held up must not go on where it was."""
        return not self._stopping.is_set() and self._ours_until is not None and self._clock() < self._ours_until


def _is_unknown(error: Exception) -> bool:
    """Whether it is none that is raised on purpose, and so worth its traceback."""
    return not isinstance(error, ObservatoryError)
