"""From the outbox to deliveries: each transition goes to the destinations that want it, and no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from observatory.config import Settings
from observatory.config.notify import NotifySettings
from observatory.integrations import Destination, make_destination
from observatory.model import Delivery, DeliveryState, EventKind, Incident, OutboxEntry
from observatory.notifications.backoff import GIVEN_UP
from observatory.notifications.choosing import is_wanted
from observatory.store import Store
from observatory.times import rfc3339


@dataclass(frozen=True, slots=True)
class Told:
    """A destination, and which incidents it is told of."""

    settings: NotifySettings
    destination: Destination[Any]

    @property
    def kind(self) -> str:
        """What the destination is."""
        return self.settings.kind or self.destination.name

    @property
    def on(self) -> Sequence[EventKind]:
        """The transitions that it is told of."""
        return self.settings.on or self.destination.defaults


def destinations_of(settings: Settings) -> dict[str, Told]:
    """The destinations of the settings, by name; the demo shows in its log what would be told. Raises ConfigError."""
    tables = settings.notify
    if not tables and settings.source_name == "demo":
        tables = {"log": NotifySettings.model_validate({})}
    return {name: Told(table, make_destination(name, table)) for name, table in tables.items()}


def note_destinations(store: Store, told: Mapping[str, Told], now: datetime) -> None:
    """Note down since when each destination is there."""
    for name in told:
        _known_since(store, name, now)


def hand_out(store: Store, told: Mapping[str, Told], now: datetime) -> int:
    """Make deliveries of all that is in the outbox; returns how many.

    A destination hears of what happened since it was first there: nobody is told of the past that a new store was
    filled with.
    """
    entries = store.notifications.outbox()
    if not entries:
        return 0
    since = {name: _known_since(store, name, now) for name in told}
    incidents = store.incidents.get_many(entry.incident_id for entry in entries)
    merged = [one.merged_into for one in incidents.values() if one.merged_into]
    incidents |= store.incidents.get_many(merged) if merged else {}
    deliveries = [
        delivery
        for entry in entries
        if (incident := incidents.get(entry.incident_id)) is not None
        for delivery in _deliveries(entry, incident, incidents, told, since, now)
    ]
    store.notifications.hand_out(entries, deliveries)
    return len(deliveries)


def _deliveries(
    entry: OutboxEntry,
    incident: Incident,
    incidents: Mapping[str, Incident],
    told: Mapping[str, Told],
    since: Mapping[str, datetime],
    now: datetime,
) -> Iterator[Delivery]:
    subject = incidents.get(incident.merged_into or "", incident)  # what was merged has left its services to another
    for name, one in told.items():
        if entry.happened_at < since[name] or not is_wanted(
            one.settings, one.on, incident, subject.services, entry.kind
        ):
            continue
        is_past = entry.happened_at < now - GIVEN_UP
        yield Delivery(
            name,
            entry.incident_id,
            entry.number,
            entry.kind,
            entry.happened_at,
            DeliveryState.DROPPED if is_past else DeliveryState.WAITING,
            now,
            now,
            reason="it had happened more than a day before" if is_past else "",
        )


def _known_since(store: Store, name: str, now: datetime) -> datetime:
    note = f"destination {name}"
    known = store.note(note)
    if known is None:
        store.write_note(note, rfc3339(now))
        return now
    return datetime.fromisoformat(known)
