"""Incidents and their timelines as tables."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from observatory.analysis.similar_incidents import SimilarIncident
from observatory.frames import ReadableFrame
from observatory.model import Incident, IncidentEvent
from observatory.times import TIME, whole_minutes

NO_INCIDENTS = "no incidents"


def incident_table(incidents: Iterable[Incident]) -> pd.DataFrame:
    """A row an incident: id, state, severity, when, how long, who takes care of it, what happened."""
    rows = [
        {
            "incident": incident.id,
            "state": str(incident.state),
            "severity": str(incident.severity if incident.is_active else incident.peak),
            "started": f"{incident.started_at:{TIME}}",
            "minutes": whole_minutes(incident.started_at, incident.ended_at),
            "services": len(incident.services),
            "likeliest cause": _likeliest(incident),
            "assignee": incident.assignee or incident.acknowledged_by,
            "what": incident.title,
        }
        for incident in incidents
    ]
    columns = ["incident", "state", "severity", "started", "minutes", "services", "likeliest cause", "assignee", "what"]
    return ReadableFrame(rows, columns=columns, nothing=NO_INCIDENTS)


def cause_table(incident: Incident) -> pd.DataFrame:
    """A row a suspect, the likeliest first: score, since when, evidence in words."""
    rows = [
        {
            "service": cause.service_name,
            "score": round(cause.score, 1),
            "since": "" if cause.onset is None else f"{cause.onset:{TIME}}",
            "why": cause.words,
        }
        for cause in incident.causes
    ]
    return ReadableFrame(rows, columns=["service", "score", "since", "why"], nothing="no cause is known yet")


def similar_table(similar: Iterable[SimilarIncident]) -> pd.DataFrame:
    """A row an earlier incident, the most similar first, with what people noted then."""
    rows = [
        {
            "incident": one.incident.id,
            "started": f"{one.incident.started_at:{TIME}}",
            "minutes": whole_minutes(one.incident.started_at, one.incident.ended_at),
            "likeness": one.likeness,
            "likeliest cause": _likeliest(one.incident),
            "what": one.incident.title,
            "noted": "; ".join(one.notes),
        }
        for one in similar
    ]
    columns = ["incident", "started", "minutes", "likeness", "likeliest cause", "what", "noted"]
    return ReadableFrame(rows, columns=columns, nothing="nothing like it before")


def timeline_table(events: Iterable[IncidentEvent]) -> pd.DataFrame:
    """A row an event, the oldest first."""
    rows = [
        {"time": f"{event.at:{TIME}}", "who": event.who, "what": event.kind, "text": event.text} for event in events
    ]
    return ReadableFrame(rows, columns=["time", "who", "what", "text"], nothing="nothing happened")


def _likeliest(incident: Incident) -> str:
    if not incident.causes:
        return ""
    first = incident.causes[0]
    return first.service_name if first.is_clear else f"{first.service_name}?"
