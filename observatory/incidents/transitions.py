"""What changed between two lists of incidents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from observatory.incidents.grouping import Incident
from observatory.model import Severity, Transition
from observatory.times import rfc3339


def transitions(before: Sequence[Incident], now: Sequence[Incident]) -> Iterator[Transition]:
    """Incidents that began, grew, changed in severity or ended.

    An incident goes on as the one that has its anomalies: an earlier anomaly that is found late, or another incident
    it merges with, may give it another id. `was` lists the ids it had.
    """
    had, has = ([incident for incident in incidents if incident.is_open] for incidents in (before, now))
    for incident in has:
        earlier = [old for old in had if _share(old, incident)]
        if [_seen(old) for old in earlier] != [_seen(incident)]:
            was = [old.id for old in earlier if old.id != incident.id]
            yield Transition("incident", incident.services, _data(incident) | {"is_new": not earlier, "was": was})
    for old in had:
        if not any(_share(old, incident) for incident in has):
            ended = _data(old) | {"is_new": False, "is_open": False, "was": []}
            yield Transition("incident-ended", old.services, ended)


def _seen(incident: Incident) -> tuple[str, set[str], Severity]:
    """What somebody is told of an incident, and is told again when it changes."""
    return incident.id, set(incident.services), incident.severity


def _share(one: Incident, other: Incident) -> bool:
    return not _keys(one).isdisjoint(_keys(other))


def _keys(incident: Incident) -> set[tuple[str, datetime, str]]:
    return {(anomaly.service_name, anomaly.started_at, anomaly.detector) for anomaly in incident.anomalies}


def _data(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "started_at": rfc3339(incident.started_at),
        "severity": str(incident.severity),
        "is_open": incident.is_open,
        "services": list(incident.services),
        "suspects": list(incident.suspects),
        "message": incident.anomalies[0].message,
    }
