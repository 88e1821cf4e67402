"""A destination that does what a test tells it, and incidents that are told of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from support.incidents import NOON, at, symptom

from observatory.config.notify import NotifySettings
from observatory.errors import DeliveryError
from observatory.integrations import Destination, Late, Options
from observatory.model import EventKind, Incident, IncidentChanges, IncidentEvent, IncidentState, Severity
from observatory.notifications.message import Message
from observatory.runtime.hand_out import Told
from observatory.store import Store

Refusal = DeliveryError | Exception | None


class Recorder(Destination[Options]):
    """Keeps what it was sent; before, it raises what the test gave it, one after the other."""

    def __init__(self, name: str = "desk", late: Late = Late.SUMMED_UP) -> None:
        super().__init__(name, Options())
        self.late = late  # type: ignore[misc]
        self.taken: list[Message] = []
        self.refusals: Iterator[Refusal] = iter(())
        self.before: Callable[[Message], None] = lambda message: None
        self.refreshed: list[tuple[datetime, list[str]]] = []

    def send(self, message: Message) -> None:
        self.before(message)
        refusal = next(self.refusals, None)
        if refusal is not None:
            raise refusal
        self.taken.append(message)

    def refresh(self, active: Sequence[Incident], now: datetime) -> None:
        self.refreshed.append((now, [incident.id for incident in active]))

    @property
    def keys(self) -> list[str]:
        return [message.key for message in self.taken]

    @property
    def kinds(self) -> list[tuple[str, str]]:
        return [(message.incident.id if message.incident else "", message.kind) for message in self.taken]


def told(destination: Destination[Any], **settings: Any) -> Told:
    return Told(NotifySettings(kind="log", **settings), destination)


def an_incident(key: str = "a", severity: Severity = Severity.HIGH, service: str = "shop/cart") -> Incident:
    """Open since noon."""
    return Incident(key, IncidentState.OPEN, severity, severity, NOON, NOON, (symptom(service, 0, 5, severity),))


def happens(store: Store, incident: Incident, kind: EventKind, minute: float = 0, text: str = "", **facts: Any) -> None:
    """Keep an incident as it is then, with the line of its timeline that says so."""
    if kind == "resolved":
        facts = {"state": IncidentState.RESOLVED, "resolved_at": at(minute)} | facts
    changed = replace(incident, changed_at=at(minute), **facts)
    event = IncidentEvent(incident.id, at(minute), kind, text)
    store.incidents.update(NOON - timedelta(days=365), lambda held: IncidentChanges((changed,), (event,)))


def open_all(store: Store, incidents: Iterable[Incident]) -> None:
    """Open many at once."""
    opened = tuple(incidents)
    events = tuple(IncidentEvent(incident.id, incident.opened_at, "opened", "") for incident in opened)
    store.incidents.update(NOON - timedelta(days=365), lambda held: IncidentChanges(opened, events))
