"""Open incidents as sentences: what happens, since when, whom it reaches, and what most likely caused it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from observatory.model import Incident
from observatory.store.reader import StoreReader
from observatory.views.components.base import Component, module
from observatory.views.components.words import plural, span, when

LISTED = 12
"""Incidents shown at most; the worst and newest are among them."""
JUST_ENDED = timedelta(hours=1)
"""One that ended is shown for so long."""


class IncidentStrip(Component):
    """A line for each incident that goes on or has just ended; nothing where there is none."""

    _esm = module("incidents.js")
    _sheets = ("incidents.css",)


def read_incidents(store: StoreReader, now: datetime) -> list[Incident]:
    """Incidents that go on, the worst first, and then those that have just ended."""
    found = store.incidents.read(now - JUST_ENDED, now)
    return sorted(found, key=_order)


def incident_strip(
    incidents: Sequence[Incident],
    now: datetime,
    link: str | None,
    *,
    away: bool,
    error: str = "",
    opened: str = "",
    found: Incident | None = None,
) -> dict[str, Any]:
    """What the strip draws; `link` is put in front of a service's name to lead to it.

    `opened` is the id of the incident whose details are shown, and `found` that incident once it has been read: a link
    may lead to one that is over for long.
    """
    listed = list(incidents[:LISTED])
    if found is not None and found.id not in [incident.id for incident in listed]:
        listed.insert(0, found)
    listed = [found if found is not None and found.id == incident.id else incident for incident in listed]
    return {
        "items": [item(incident, now) for incident in listed],
        "left_out": len({incident.id for incident in incidents} - {incident.id for incident in listed}),
        "error": error,
        "opened": opened,
        "link": link,
        "away": away,
    }


def item(incident: Incident, now: datetime) -> dict[str, Any]:
    """One incident in words."""
    end = now if incident.is_active else incident.ended_at
    lasted = span((end - incident.started_at).total_seconds())
    first = incident.causes[0] if incident.causes else None
    return {
        "id": incident.id,
        "open": incident.is_active,
        "severity": str(incident.severity if incident.is_active else incident.peak),
        "title": incident.title,
        "service": incident.origin,
        "since": f"since {when(incident.started_at, now)}",
        "lasted": f"for {lasted}" if incident.is_active else f"resolved, lasted {lasted}",
        "reach": plural(len(incident.services), "service"),
        "cause": "" if first is None else first.service_name,
        "clear": first is not None and first.is_clear,
        "why": "" if first is None else first.words,
        "by": _by(incident),
    }


def _by(incident: Incident) -> str:
    if incident.assignee:
        return f"with {incident.assignee}"
    if incident.acknowledged_by and incident.is_active:
        return f"acknowledged by {incident.acknowledged_by}"
    return ""


def _order(incident: Incident) -> tuple[bool, int, float]:
    return not incident.is_active, incident.severity.rank, -incident.started_at.timestamp()
