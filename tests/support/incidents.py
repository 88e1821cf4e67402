"""Symptoms and incidents at minutes of a day, for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from observatory.incidents.grouping import Grouping
from observatory.incidents.tracking import IncidentBook
from observatory.model import Incident, IncidentChanges, Severity, Symptom

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHOP = ("shop/web", "shop/search", "shop/checkout", "shop/payments", "shop/db")
CALLS = (
    ("shop/web", "shop/search"),
    ("shop/web", "shop/checkout"),
    ("shop/checkout", "shop/payments"),
    ("shop/payments", "shop/db"),
)


def at(minute: float) -> datetime:
    return NOON + timedelta(minutes=minute)


def symptom(
    service: str,
    first: float,
    last: float,
    severity: Severity = Severity.HIGH,
    *,
    is_open: bool = True,
    detector: str = "multiscale",
    says: str = "errors 12 %",
) -> Symptom:
    return Symptom(service, at(first), at(last), is_open, severity, detector, f"{service}: {says}")


class Told:
    """Incidents as they go on, step by step, the way a store would hold them between two cycles."""

    def __init__(self, calls: tuple[tuple[str, str], ...] = CALLS, services: tuple[str, ...] = SHOP) -> None:
        self.grouping = Grouping(calls, services)
        self.incidents: dict[str, Incident] = {}
        self.lines: list[tuple[str, str]] = []

    def step(self, minute: float, *symptoms: Symptom) -> IncidentChanges:
        book = IncidentBook(self.incidents.values(), self.grouping)
        book.step(at(minute), symptoms)
        changes = book.changes
        self.incidents |= {incident.id: incident for incident in changes.incidents}
        self.lines += [(event.incident_id, event.kind) for event in changes.events]
        return changes

    def kinds(self, incident_id: str = "") -> list[str]:
        return [kind for key, kind in self.lines if incident_id in ("", key)]

    @property
    def active(self) -> list[Incident]:
        return [incident for incident in self.incidents.values() if incident.is_active]

    @property
    def only(self) -> Incident:
        (incident,) = self.incidents.values()
        return incident
