"""One incident as a person works on it: what is ill, what likely caused it, what happened, who calls whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from observatory.analysis.call_graph import call_graph
from observatory.analysis.links import incident_links
from observatory.analysis.similar_incidents import SimilarIncident, similar_incidents
from observatory.annotations.in_force import InForce, over_one
from observatory.config.links import LinkSettings
from observatory.incidents.actions import LONGEST_NOTE
from observatory.model import Incident, IncidentEvent, IncidentState, LikelyCause, Link, Symptom
from observatory.store.reader import StoreReader
from observatory.views.components.words import plural, span, when

MOST_CAUSES = 3
MOST_REASONS = 4
"""Of one cause; the points of the smaller ones are summed up."""
MOST_SYMPTOMS = 50
MOST_EVENTS = 200
"""Lines of the timeline that are sent to a page; the newest are among them."""
MOST_CALLS = 50
MOST_SIMILAR = 3
MORE = "observatory incidents show"

VERBS = {
    IncidentState.OPEN: ("acknowledge", "assign", "note", "resolve"),
    IncidentState.ACKNOWLEDGED: ("assign", "note", "resolve"),
    IncidentState.RESOLVED: ("note", "reopen"),
    IncidentState.MERGED: (),
}
"""What there is a button for."""


@dataclass(frozen=True, slots=True)
class Details:
    """An incident with what the store knows around it; `calls` are pairs of its services, caller first."""

    incident: Incident
    events: Sequence[IncidentEvent]
    calls: Sequence[tuple[str, str]]
    similar: Sequence[SimilarIncident]
    silence: InForce | None = None
    links: Sequence[Link] = ()


def read_details(
    store: StoreReader, incident_id: str, now: datetime, links: Mapping[str, LinkSettings] = MappingProxyType({})
) -> Details:
    """All of one incident; raises NotFoundError."""
    found = store.incidents.get(incident_id)
    inside = set(found.services)
    edges = call_graph(store).edges if len(inside) > 1 else ()
    calls = [
        (edge.caller.name, edge.callee.name)
        for edge in edges
        if all(end.is_service and end.name in inside for end in (edge.caller, edge.callee))
    ]
    similar = similar_incidents(store, found, MOST_SIMILAR)
    return Details(
        found,
        store.incidents.events(incident_id),
        calls,
        similar,
        over_one(store, found, now),
        incident_links(links, found, now),
    )


def details(found: Details, now: datetime) -> dict[str, Any]:
    """What is drawn of it; the timeline with the newest line last."""
    incident, events = found.incident, found.events
    return {
        "id": incident.id,
        "state": str(incident.state),
        "verbs": list(VERBS[incident.state]),
        "assignee": incident.assignee,
        "merged_into": incident.merged_into or "",
        "symptoms": [_symptom(one, now) for one in incident.symptoms[:MOST_SYMPTOMS]],
        "more_symptoms": max(0, len(incident.symptoms) - MOST_SYMPTOMS),
        "causes": [_cause(cause, now) for cause in incident.causes[:MOST_CAUSES]],
        "events": [_event(event, now) for event in events[-MOST_EVENTS:]],
        "earlier": max(0, len(events) - MOST_EVENTS),
        "calls": [list(call) for call in found.calls[:MOST_CALLS]],
        "more_calls": max(0, len(found.calls) - MOST_CALLS),
        "similar": [_similar(one, now) for one in found.similar],
        "silencing": ",".join(incident.services) if incident.is_active else "",
        "silence": None if found.silence is None else _silence(found.silence, now),
        "links": [{"title": one.title, "url": one.url} for one in found.links],
        "longest": LONGEST_NOTE,
    }


def _silence(one: InForce, now: datetime) -> dict[str, Any]:
    silence = one.silence
    return {"id": silence.id, "until": when(one.until, now), "who": silence.created_by, "reason": silence.reason}


def _symptom(symptom: Symptom, now: datetime) -> dict[str, Any]:
    end = now if symptom.is_open else symptom.ended_at
    length = span((end - symptom.started_at).total_seconds())
    return {
        "service": symptom.service_name,
        "severity": str(symptom.severity),
        "open": symptom.is_open,
        "words": symptom.sentence,
        "time": f"since {when(symptom.started_at, now)}"
        if symptom.is_open
        else f"{when(symptom.started_at, now)}, {length}",
    }


def _cause(cause: LikelyCause, now: datetime) -> dict[str, Any]:
    reasons = sorted(cause.reasons, key=lambda reason: -abs(reason.points))
    shown = [{"words": reason.words, "points": f"{reason.points:+.1f}"} for reason in reasons[:MOST_REASONS]]
    if rest := reasons[MOST_REASONS:]:
        points = sum(reason.points for reason in rest)
        shown.append({"words": plural(len(rest), "smaller reason"), "points": f"{points:+.1f}"})
    return {
        "service": cause.service_name,
        "clear": cause.is_clear,
        "score": f"{cause.score:.1f}",
        "since": "" if cause.onset is None else f"since {when(cause.onset, now)}",
        "words": "" if shown else cause.words,
        "reasons": shown,
    }


def _event(event: IncidentEvent, now: datetime) -> dict[str, Any]:
    return {"time": when(event.at, now), "kind": event.kind, "text": event.text, "who": event.who}


def _similar(one: SimilarIncident, now: datetime) -> dict[str, Any]:
    return {
        "id": one.incident.id,
        "title": one.incident.title,
        "when": when(one.incident.started_at, now),
        "notes": list(one.notes),
    }
