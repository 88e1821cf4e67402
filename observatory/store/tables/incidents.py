"""Incidents with their symptoms, likeliest causes and timelines, kept by any number of processes at once."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from observatory.errors import NotFoundError
from observatory.model import (
    SERVICE,
    TRANSITIONS,
    Incident,
    IncidentChanges,
    IncidentEvent,
    IncidentState,
    LikelyCause,
    OutboxEntry,
    Reason,
    Severity,
    Symptom,
)
from observatory.store.engine.database import Database, Statement
from observatory.store.engine.homes.base import Session
from observatory.store.sql import incidents, notifications
from observatory.store.sql.literals import Row
from observatory.store.tables.base import Column, ValueTable
from observatory.store.tables.notifications import DeliveryTable, OutboxTable
from observatory.store.tables.watermarks import WatermarkTable

FOLLOWED = "incidents"
"""The watermark of how far incidents were followed."""
CLOCK_SET_BACK = timedelta(minutes=10)
"""A look that is older than the last one by so much was not late: the clock was set back."""
NOT_MERGED = (IncidentState.OPEN, IncidentState.ACKNOWLEDGED, IncidentState.RESOLVED)


def _load_incident(**row: Any) -> Incident:
    facts = {name: value for name, value in row.items() if name not in ("started_at", "ended_at")}
    return Incident(symptoms=(), **facts)


class IncidentTable(ValueTable[Incident]):
    """Incidents, without what the other tables have of them."""

    name = "incidents"
    keys = ("id",)
    value = staticmethod(_load_incident)
    columns = (
        Column("id"),
        Column("state", dump=str, load=IncidentState),
        Column("severity", dump=str, load=Severity),
        Column("peak", dump=str, load=Severity),
        Column("started_at"),
        Column("ended_at"),
        Column("opened_at"),
        Column("changed_at"),
        Column("acknowledged_at"),
        Column("acknowledged_by"),
        Column("assignee"),
        Column("resolved_at"),
        Column("resolved_by"),
        Column("merged_into"),
    )


@dataclass(frozen=True, slots=True)
class KeptSymptom:
    """A symptom, and the incident that it belongs to."""

    incident_id: str
    symptom: Symptom


def _load_symptom(incident_id: str, **facts: Any) -> KeptSymptom:
    return KeptSymptom(incident_id, Symptom(**facts))


class SymptomTable(ValueTable[KeptSymptom]):
    """The symptoms of incidents; each belongs to one."""

    name = "incident_symptoms"
    keys = (SERVICE, "started_at", "detector")
    service_columns = (SERVICE,)
    value = staticmethod(_load_symptom)
    columns = (
        Column(SERVICE),
        Column("started_at"),
        Column("detector"),
        Column("incident_id"),
        Column("ended_at"),
        Column("is_open"),
        Column("severity", load=Severity),
        Column("message"),
    )

    def to_row(self, value: KeptSymptom) -> Row:
        """See `ValueTable.to_row`."""
        symptom = asdict(value.symptom)
        return symptom | {"severity": str(value.symptom.severity), "incident_id": value.incident_id}


@dataclass(frozen=True, slots=True)
class KeptCause:
    """A likely cause, and its place among those of an incident, from 0."""

    incident_id: str
    place: int
    cause: LikelyCause


def _load_cause(incident_id: str, place: int, **facts: Any) -> KeptCause:
    return KeptCause(incident_id, place, LikelyCause(**facts))


def _load_reasons(text: str) -> tuple[Reason, ...]:
    return tuple(Reason(**item) for item in json.loads(text))


class CauseTable(ValueTable[KeptCause]):
    """The likeliest causes of incidents, as they were last computed. Their reasons are JSON."""

    name = "incident_causes"
    keys = ("incident_id", SERVICE)
    service_columns = (SERVICE,)
    value = staticmethod(_load_cause)
    columns = (
        Column("incident_id"),
        Column(SERVICE),
        Column("place"),
        Column("score"),
        Column("is_clear"),
        Column("metric"),
        Column("onset"),
        Column("words"),
        Column("reasons", load=_load_reasons),
    )

    def to_row(self, value: KeptCause) -> Row:
        """See `ValueTable.to_row`."""
        facts = asdict(value.cause)
        return facts | {
            "reasons": json.dumps(facts["reasons"]),
            "incident_id": value.incident_id,
            "place": value.place,
        }


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """A line of a timeline, and its number in it, from 1."""

    number: int
    event: IncidentEvent


def _load_event(number: int, **facts: Any) -> KeptEvent:
    return KeptEvent(number, IncidentEvent(**facts))


class EventTable(ValueTable[KeptEvent]):
    """The timelines of incidents; lines are only added."""

    name = "incident_events"
    keys = ("incident_id", "number")
    service_columns = (SERVICE,)
    value = staticmethod(_load_event)
    columns = (
        Column("incident_id"),
        Column("number"),
        Column("happened_at", "at"),
        Column("kind"),
        Column("who"),
        Column(SERVICE, load=lambda name: name or None),  # empty once the service was removed
        Column("text"),
    )

    def to_row(self, value: KeptEvent) -> Row:
        """See `ValueTable.to_row`."""
        facts = asdict(value.event)
        return {"number": value.number, "happened_at": facts.pop("at"), **facts}


class Incidents:
    """The incidents of a store.

    What changes them reads, thinks and writes in one transaction: of two processes that do so at once the second
    sees what the first did.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = IncidentTable(database)
        self._symptoms = SymptomTable(database)
        self._causes = CauseTable(database)
        self._events = EventTable(database)
        self._outbox = OutboxTable(database)
        self._deliveries = DeliveryTable(database)

    def read(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        services: Sequence[str] | None = None,
        states: Sequence[IncidentState] = NOT_MERGED,
        severities: Sequence[str] | None = None,
        limit: int | None = None,
        after: tuple[datetime, str] | None = None,
    ) -> list[Incident]:
        """Incidents that overlap the time given, the newest first.

        `services` are those of which it must have one; `after` leaves out those up to and including the one with
        that start and id.
        """
        last, last_id = after or (None, None)
        values = {
            "start": start,
            "end": end,
            "services": None if services is None else list(services),
            "states": [str(state) for state in states],
            "severities": None if severities is None else [str(severity) for severity in severities],
            "limit": limit,
            "last": last,
            "last_id": last_id,
        }
        rows = self._database.rows(incidents.INCIDENTS, values)
        return self._complete(rows, self._database.rows)

    def get(self, incident_id: str) -> Incident:
        """The incident of that id; raises NotFoundError."""
        rows = self._database.rows(incidents.INCIDENT, [incident_id])
        return _one(self._complete(rows, self._database.rows), incident_id)

    def get_many(self, ids: Iterable[str]) -> dict[str, Incident]:
        """The incidents of those ids that there are, by id."""
        rows = self._database.rows(incidents.INCIDENTS_OF, [sorted(set(ids))])
        return {one.id: one for one in self._complete(rows, self._database.rows)}

    def events(self, incident_id: str) -> list[IncidentEvent]:
        """The timeline of an incident, the oldest line first; with what destinations were told of it, or were not."""
        found = [kept.event for kept in self._events.find(incidents.EVENTS, [incident_id])]
        told = [delivery.as_event for delivery in self._deliveries.find(notifications.SETTLED, [incident_id])]
        return sorted([*found, *told], key=lambda event: event.at) if told else found

    def newest_change(self) -> datetime | None:
        """When any incident last changed."""
        found: datetime | None = self._database.value(incidents.NEWEST_CHANGE)
        return found

    def recent(self, since: datetime) -> list[Incident]:
        """Those that go on, and those that ended since a time."""
        return self._complete(self._database.rows(incidents.RECENT, [since]), self._database.rows)

    def update(
        self,
        since: datetime,
        change: Callable[[Sequence[Incident]], IncidentChanges],
        at: datetime | None = None,
    ) -> IncidentChanges:
        """Have `change` tell what becomes of those that go on, and of those that ended since a time; and keep it.

        It may be called more than once, each time with what there is then. What it looked at is of the time `at`:
        where another process has just looked at a later one, it is not called, for it would undo what that has done.
        """

        def work(session: Session) -> IncidentChanges:
            if at is not None:
                seen = WatermarkTable.read(session, FOLLOWED)
                if seen is not None and timedelta(0) < seen - at < CLOCK_SET_BACK:
                    return IncidentChanges()
                for statement in WatermarkTable.moving(FOLLOWED, at):
                    session.execute(statement.sql, statement.parameters)
            held = self._complete(session.rows(incidents.RECENT, [since]), session.rows)
            changes = change(held)
            self._save(session, {one.id: one for one in held}, changes)
            return changes

        return self._database.transaction(work)

    def change(self, incident_id: str, change: Callable[[Incident], IncidentChanges]) -> Incident:
        """Have `change` tell what becomes of one incident, keep it, and return the incident as it is then.

        Raises
        ------
        NotFoundError
            There is none of that id. What `change` raises is raised, and nothing is changed.
        """

        def work(session: Session) -> Incident:
            held = _one(self._complete(session.rows(incidents.INCIDENT, [incident_id]), session.rows), incident_id)
            changes = change(held)
            self._save(session, {held.id: held}, changes)
            return next((one for one in changes.incidents if one.id == held.id), held)

        return self._database.transaction(work)

    def forgetting(self, before: datetime) -> list[Statement]:
        """Statements that remove what ended, and was last worked on, before a time."""
        old = [row["id"] for row in self._database.rows(incidents.OLD, [before])]
        return [Statement(sql, [old]) for sql in incidents.FORGET] if old else []

    def _complete(self, rows: Iterable[Row], read: Callable[..., list[Row]]) -> list[Incident]:
        """Incidents with what the other tables have of them."""
        found = [self._table.from_row(row) for row in rows]
        ids = [[incident.id for incident in found]]
        if not found:
            return []
        symptoms: defaultdict[str, list[Symptom]] = defaultdict(list)
        for row in read(incidents.SYMPTOMS, ids):
            kept = self._symptoms.from_row(row)
            symptoms[kept.incident_id].append(kept.symptom)
        causes: defaultdict[str, list[LikelyCause]] = defaultdict(list)
        for row in read(incidents.CAUSES, ids):
            likely = self._causes.from_row(row)
            causes[likely.incident_id].append(likely.cause)
        return [replace(one, symptoms=tuple(symptoms[one.id]), causes=tuple(causes[one.id])) for one in found]

    def _save(self, session: Session, held: Mapping[str, Incident], changes: IncidentChanges) -> None:
        """Write what differs from what is held."""
        owned = {(one.id, symptom) for one in held.values() for symptom in one.symptoms}
        for incident in changes.incidents:
            self._table.put(session, incident)
            for symptom in incident.symptoms:
                if (incident.id, symptom) not in owned:
                    self._symptoms.put(session, KeptSymptom(incident.id, symptom))
            before = held.get(incident.id)
            if incident.causes != (before.causes if before else ()):
                session.execute(incidents.FORGET_CAUSES, [incident.id])
                for place, cause in enumerate(incident.causes):
                    self._causes.put(session, KeptCause(incident.id, place, cause))
        numbers: dict[str, int] = {}
        for event in changes.events:
            if event.incident_id not in numbers:
                (last,) = session.rows(incidents.LAST_NUMBER, [event.incident_id])[0].values()
                numbers[event.incident_id] = int(last)
            number = numbers[event.incident_id] = numbers[event.incident_id] + 1
            self._events.put(session, KeptEvent(number, event))
            if event.kind in TRANSITIONS:
                self._outbox.put(session, OutboxEntry(event.incident_id, number, event.kind, event.at))


def _one(found: Sequence[Incident], incident_id: str) -> Incident:
    if not found:
        raise no_incident(incident_id)
    return found[0]


def no_incident(incident_id: str) -> NotFoundError:
    """What is raised where there is no incident of that id, or none that may be seen."""
    return NotFoundError(f"there is no incident {incident_id!r}: list them with `observatory incidents list`")
