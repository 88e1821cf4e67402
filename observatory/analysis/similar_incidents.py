"""Earlier incidents that resemble one, with what people noted then."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import timedelta

from observatory.model import Incident
from observatory.store.reader import StoreReader

LOOK_BACK = timedelta(days=365)
MOST_READ = 2000
"""Newest earlier incidents with a service in common that are compared."""
MOST_CAUSES = 3
LEAST = 0.25
"""Less alike than this is no help."""
TELLING = ("note", "resolved", "acknowledged")
"""Lines of a timeline that may say what helped."""


@dataclass(frozen=True, slots=True)
class SimilarIncident:
    """An earlier incident; `likeness` is from 0 to 1, `notes` is what people said, the oldest first."""

    incident: Incident
    likeness: float
    notes: tuple[str, ...]


def similar_incidents(store: StoreReader, incident: Incident, most: int = 5) -> list[SimilarIncident]:
    """The incidents before `incident` that are most like it, the most similar first."""
    before = store.incidents.read(
        incident.started_at - LOOK_BACK, incident.started_at, list(incident.services), limit=MOST_READ
    )
    found = [(likeness(incident, other), other) for other in before if other.id != incident.id]
    alike = sorted((item for item in found if item[0] >= LEAST), key=lambda item: (-item[0], -_age(item[1])))
    return [SimilarIncident(other, round(value, 2), _notes(store, other)) for value, other in alike[:most]]


def likeness(one: Incident, other: Incident) -> float:
    """Mean of two Jaccard indices: of the affected services, and of the likeliest causes with the metrics to blame.

    Where either has no known cause, that of the services alone.
    """
    services = _jaccard(set(one.services), set(other.services))
    first, second = _blamed(one), _blamed(other)
    return (services + _jaccard(first, second)) / 2 if first and second else services


def _blamed(incident: Incident) -> set[Hashable]:
    """Clear causes with their metrics; of several the first few."""
    clear = [cause for cause in incident.causes if cause.is_clear][:MOST_CAUSES] or incident.causes[:1]
    return {(cause.service_name, cause.metric) for cause in clear}


def _jaccard(one: set[Hashable] | set[str], other: set[Hashable] | set[str]) -> float:
    either = one | other
    return len(one & other) / len(either) if either else 0.0


def _age(incident: Incident) -> float:
    return incident.started_at.timestamp()


def _notes(store: StoreReader, incident: Incident) -> tuple[str, ...]:
    events = store.incidents.events(incident.id)
    return tuple(event.text for event in events if event.who and event.kind in TELLING and event.text)
