"""Changes shortly before an incident, as evidence against the service that was changed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from observatory.model import Change, ChangeKind, Incident
from observatory.rootcause import Contribution

BEFORE = timedelta(minutes=30)
"""A change counts for so long, less and less."""
AFTER = timedelta(minutes=2)
"""An incident may be noticed before the metrics show what was changed."""
POINTS = {ChangeKind.DEPLOYMENT: 1.5, ChangeKind.CONFIG: 1.5, ChangeKind.FLAG: 1.5, ChangeKind.OTHER: 1.0}
OF_OTHERS = 0.5
"""A restart or another number of pods is as often what follows from a fault."""


def span_of(incident: Incident) -> tuple[datetime, datetime]:
    """From when to when a change may have caused an incident."""
    return incident.started_at - BEFORE, incident.started_at + AFTER


def evidence_of(changes: Iterable[Change], incident: Incident) -> dict[str, list[Contribution]]:
    """By service the change that speaks most against it: all of its points at the onset, none `BEFORE` it."""
    found: dict[str, list[Contribution]] = {}
    for change in changes:
        minutes = max(0.0, (incident.started_at - change.at) / timedelta(minutes=1))
        points = POINTS.get(change.kind, OF_OTHERS) * max(0.0, 1 - minutes / (BEFORE / timedelta(minutes=1)))
        if points <= 0:
            continue
        when = f"{minutes:.0f} min before" if minutes >= 1 else "just before"
        part = Contribution("known", points, f"{change.title} {when}", service=change.service_name)
        before = found.get(change.service_name)
        if before is None or before[0].points < points:
            found[change.service_name] = [part]
    return found


def told(change: Change) -> str:
    """A change in the timeline of an incident."""
    return f"{change.service_name}: {change.title}{f' ({change.url})' if change.url else ''}"
