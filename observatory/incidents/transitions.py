"""What changed between two looks at the incidents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from observatory.model import Incident, Transition
from observatory.times import rfc3339


def transitions(before: Sequence[Incident], now: Sequence[Incident]) -> Iterator[Transition]:
    """Incidents that began, grew, changed in severity or state, or ended.

    One that became part of another ended, and says of which; the other lists it in `was`.
    """
    had = {incident.id: incident for incident in before}
    merged: dict[str, list[str]] = {}
    for incident in now:
        if incident.merged_into is not None:
            merged.setdefault(incident.merged_into, []).append(incident.id)
    for incident in now:
        old = had.get(incident.id)
        if incident.is_active:
            if old is None or _told(old) != _told(incident):
                was = [one for one in merged.get(incident.id, ()) if one in had and had[one].is_active]
                yield Transition(
                    "incident", incident.services, describe(incident) | {"is_new": old is None, "was": was}
                )
        elif old is not None and old.is_active:
            services = incident.services or old.services
            yield Transition("incident-ended", services, describe(incident) | {"is_new": False, "was": []})


def describe(incident: Incident) -> dict[str, Any]:
    """An incident as clients are sent it, ready for JSON."""
    return {
        "id": incident.id,
        "state": str(incident.state),
        "started_at": rfc3339(incident.started_at),
        "severity": str(incident.severity),
        "is_open": incident.is_active,
        "title": incident.title,
        "services": list(incident.services),
        "suspects": [cause.service_name for cause in incident.causes],
        "assignee": incident.assignee,
        "merged_into": incident.merged_into,
    }


def _told(incident: Incident) -> tuple[object, ...]:
    """What somebody is told of an incident, and is told again when it changes."""
    first = incident.causes[0].service_name if incident.causes else None
    return incident.state, set(incident.services), incident.severity, incident.assignee, first
