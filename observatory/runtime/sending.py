"""Sending to one destination: in order for each incident, at least once, and never more than it can take."""

from __future__ import annotations

import logging
import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from observatory.errors import DeliveryError
from observatory.integrations import Late
from observatory.model import Delivery, DeliveryState, Incident, Link
from observatory.notifications.backoff import FEWEST, GIVEN_UP, wait_after
from observatory.notifications.choosing import is_wanted, quiet_until
from observatory.notifications.message import Message, compose, summary
from observatory.runtime.hand_out import Told
from observatory.runtime.silencing import LOOKS_AGAIN, Silencing
from observatory.store import Store

log = logging.getLogger(__name__)

OLD = timedelta(hours=1)
"""What happened so long ago is not told one by one to people."""
MOST_AT_ONCE = 10
"""More messages than that at a time are summed up for people."""
BATCH = 2000
"""Deliveries read at a time."""
PICTURED = ("opened", "worse", "better", "reopened", "resolved")
"""What people are told of with a picture."""
ENDED_LATELY = timedelta(minutes=5)
"""For so long a receiver that forgets is told that something ended."""


class Lane:
    """The way to one destination; another that is slow or down holds up nothing here.

    Parameters
    ----------
    store
        Where deliveries and incidents are.
    told
        The destination, and which incidents it is told of.
    public_url
        Where people reach the dashboard.
    may_send
        Whether this process still is the one that sends; asked before each message.
    chance
        Gives a number from 0 to 1, for the jitter of waits.
    draw
        Makes the picture of an incident at a time, for a destination that takes one; None where there is none.
    links
        Where other programs show more of an incident.
    """

    def __init__(
        self,
        store: Store,
        told: Told,
        public_url: str = "",
        may_send: Callable[[], bool] = lambda: True,
        chance: Callable[[], float] = random.random,
        draw: Callable[[Incident, datetime], bytes | None] = lambda incident, now: None,
        links: Callable[[Incident, datetime], Sequence[Link]] = lambda incident, now: (),
    ) -> None:
        self.name = told.destination.name
        self.error = ""
        """Why the last attempt failed; empty once one succeeded."""
        self._store = store
        self._told = told
        self._destination = told.destination
        self._public_url = public_url
        self._may_send = may_send
        self._chance = chance
        self._draw = draw
        self._links = links
        self._failures = 0
        self._held_until: datetime | None = None
        self._sent_at: deque[datetime] = deque()
        self._refreshed_at: datetime | None = None
        self._silencing = Silencing(store, self.name)

    def send_due(self, now: datetime) -> int:
        """Send what is due, and return how many messages were taken."""
        self._refresh(now)
        if self._held_until is not None and now < self._held_until:
            return 0
        due = self._store.notifications.due(self.name, now, BATCH)
        if not due:
            return 0
        incidents = self._store.incidents.get_many(one.incident_id for one in due)
        due = self._without_orphans(due, incidents, now)
        if self._destination.late is not Late.EACH:  # a record is kept of what is silenced, too
            due = self._silencing.pass_on(due, incidents, now)
        due = self._without_quiet(due, incidents, now)
        if self._destination.late is Late.LATEST:
            due = self._latest(due, now)
        elif self._destination.late is Late.SUMMED_UP and (many := self._too_many(due, now)):
            return self._sum_up(many, now)
        sent = 0
        for delivery in due:
            if not self._may_send() or not self._has_room(now):
                break
            if self._deliver([delivery], self._message(delivery, incidents[delivery.incident_id], now), now):
                sent += 1
            elif self._held_until is not None:
                break
        return sent

    def _deliver(self, deliveries: Sequence[Delivery], message: Message, now: datetime) -> bool:
        """Hand over a message, and note down how that went for all that it stands for."""
        self._sent_at.append(now)
        try:
            self._destination.send(message)
        except DeliveryError as error:
            self._failed(deliveries, error, now)
            return False
        except Exception as error:  # an integration of others must hold up nobody else
            log.exception("%s: a message could not be sent", self.name)
            self._failed(deliveries, DeliveryError(f"{type(error).__name__}: {error}"), now)
            return False
        state = DeliveryState.SENT if message.kind != "summary" else DeliveryState.SUMMED
        reason = "" if message.kind != "summary" else f"in one message: {message.title}"
        self._store.notifications.settle(
            replace(one, state=state, reason=reason, attempts=one.attempts + 1, changed_at=now) for one in deliveries
        )
        self._failures, self._held_until, self.error = 0, None, ""
        return True

    def _failed(self, deliveries: Sequence[Delivery], error: DeliveryError, now: datetime) -> None:
        if not self.error:
            log.warning("%s cannot be told: %s", self.name, error)
        self.error = str(error)
        wait = timedelta(0)
        if not error.is_final:
            self._failures += 1
            wait = timedelta(seconds=wait_after(self._failures, error.wait, self._chance))
            self._held_until = now + wait
        settled = []
        for one in deliveries:
            is_old = one.happened_at < now - GIVEN_UP and one.attempts >= FEWEST
            is_lost = error.is_final or is_old
            settled.append(
                replace(
                    one,
                    state=DeliveryState.FAILED if is_lost else DeliveryState.WAITING,
                    attempts=one.attempts + 1,
                    due_at=now + wait,
                    changed_at=now,
                    reason=str(error),
                )
            )
        self._store.notifications.settle(settled)

    def _message(self, delivery: Delivery, incident: Incident, now: datetime) -> Message:
        events = self._store.incidents.events(incident.id)
        target = None
        if incident.merged_into is not None:
            target = self._store.incidents.get_many([incident.merged_into]).get(incident.merged_into)
        message = compose(delivery, incident, events, now, self._public_url, target, self._links(incident, now))
        if delivery.kind in PICTURED and self._destination.takes_picture:
            return replace(message, picture=self._draw(incident, now))
        return message

    def _without_orphans(
        self, due: Iterable[Delivery], incidents: dict[str, Incident], now: datetime
    ) -> list[Delivery]:
        """What is left when incidents that were removed since are told of no more."""
        found: list[Delivery] = []
        gone: list[Delivery] = []
        for one in due:
            (found if one.incident_id in incidents else gone).append(one)
        self._drop(gone, "the incident was removed", DeliveryState.DROPPED, now)
        return found

    def _without_quiet(self, due: Iterable[Delivery], incidents: dict[str, Incident], now: datetime) -> list[Delivery]:
        """What may go out in quiet hours; the rest is looked at again, for it may become urgent."""
        if self._told.settings.quiet is None:
            return list(due)
        found, held = [], []
        for one in due:
            incident = incidents[one.incident_id]
            severity = incident.severity if incident.is_active else incident.peak
            until = quiet_until(self._told.settings, severity, now)
            if until is None:
                found.append(one)
            else:
                held.append(replace(one, due_at=min(until, now + LOOKS_AGAIN), reason=f"quiet until {until:%H:%M} UTC"))
        self._store.notifications.settle(held)
        return found

    def _latest(self, due: Sequence[Delivery], now: datetime) -> list[Delivery]:
        """Of each incident that is due the last that waits; what came before it need not be told."""
        wanted = {one.incident_id for one in due}
        last: dict[str, Delivery] = {}
        passed = []
        for one in self._store.notifications.waiting(self.name):
            if one.incident_id in wanted:
                if one.incident_id in last:
                    passed.append(last[one.incident_id])
                last[one.incident_id] = one
        self._drop(passed, "a later message says what became of it", DeliveryState.SUMMED, now)
        return list(last.values())

    def _too_many(self, due: Sequence[Delivery], now: datetime) -> list[Delivery]:
        """What is told in one message: all that waits where it is too much at once, else what is old."""
        waiting = self._store.notifications.waiting(self.name)
        ids = {one.incident_id for one in due}
        ready = [one for one in waiting if one.incident_id in ids]
        if len(ready) > MOST_AT_ONCE or not self._has_room(now, len(ready)):
            return ready if len(ready) > 1 else []
        old = [one for one in ready if one.happened_at < now - OLD]
        return old if len(old) > 1 else []

    def _sum_up(self, many: Sequence[Delivery], now: datetime) -> int:
        if not self._may_send() or not self._has_room(now):
            return 0
        is_old = many[0].happened_at < now - OLD
        why = "they could not be told in time" if is_old else "they are too many to be told one by one"
        incidents = self._store.incidents.get_many(one.incident_id for one in many)
        known = [one for one in many if one.incident_id in incidents]
        return int(self._deliver(many, summary(known, list(incidents.values()), now, why), now)) if known else 0

    def _has_room(self, now: datetime, wanted: int = 1) -> bool:
        """Whether the rate leaves room for so many messages."""
        limit = self._told.settings.limit
        while self._sent_at and self._sent_at[0] <= now - timedelta(seconds=limit.get_expiry()):
            self._sent_at.popleft()
        return len(self._sent_at) + wanted <= limit.amount

    def _drop(self, deliveries: Iterable[Delivery], reason: str, state: DeliveryState, now: datetime) -> None:
        self._store.notifications.settle(replace(one, state=state, reason=reason, changed_at=now) for one in deliveries)

    def wants_refresh(self, now: datetime) -> bool:
        """Whether its receiver is to be told again what goes on."""
        every = self._destination.every
        if every is None or not self._told.settings.enabled:
            return False
        return self._refreshed_at is None or now - self._refreshed_at >= every

    def _refresh(self, now: datetime) -> None:
        """Tell a receiver that forgets what goes on, and what ended just now."""
        if not self.wants_refresh(now) or not self._may_send():
            return
        self._refreshed_at = now
        wanted = [
            one
            for one in self._store.incidents.recent(now - ENDED_LATELY)
            if is_wanted(self._told.settings, self._told.on, one, one.services, "opened")
        ]
        untold = self._silencing.untold(wanted, now)
        try:
            self._destination.refresh([one for one in wanted if one.id not in untold], now)
        except DeliveryError as error:
            if not self.error:
                log.warning("%s cannot be told what goes on: %s", self.name, error)
            self.error = str(error)
