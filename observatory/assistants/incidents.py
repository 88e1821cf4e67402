"""Incidents: what one fault did, where it probably began, and what was like it before."""

from __future__ import annotations

from observatory.analysis.similar_incidents import similar_incidents
from observatory.annotations.in_force import over_one
from observatory.assistants.answers import Answer, Rows, page
from observatory.assistants.arguments import ANY, Incident, Incidents, Similar, time_range
from observatory.assistants.lookup import chosen
from observatory.model import Incident as Kept
from observatory.model import IncidentEvent, IncidentState, LikelyCause, Symptom
from observatory.runtime.reader import Reader
from observatory.store.tables.incidents import NOT_MERGED

MOST_SERVICES = 8
MOST_CAUSES = 3
MOST_SYMPTOMS = 12
MOST_EVENTS = 20
LIKELY = "a cause is likely, never certain; is_clear says whether the evidence is strong"
STATES = {
    ANY: NOT_MERGED,
    "active": tuple(state for state in IncidentState if state.is_active),
    **{str(state): (state,) for state in NOT_MERGED},
}


def incidents(reader: Reader, asked: Incidents) -> Answer:
    """Incidents that overlap a range of time, the newest first."""
    start, end = time_range(reader, asked.start, asked.end)
    names = chosen(reader.store, asked.service)
    severities = None if asked.severity == ANY else [asked.severity]
    found = reader.store.incidents.read(start, end, names, STATES[asked.state], severities, asked.limit + 1)
    rows = [_row(incident) for incident in found]
    narrow = "name a service, a state or a severity, ask for less time (start, end), or raise limit"
    return Answer({"start": start, "end": end}, page("incidents", rows, asked.limit, narrow))


def incident(reader: Reader, asked: Incident) -> Answer:
    """One incident with its likeliest causes, its symptoms and its timeline."""
    store = reader.store.incidents
    found = store.get(asked.id)
    events = store.events(found.id)
    facts: dict[str, object] = _row(found) | {
        "opened_at": found.opened_at,
        "acknowledged_at": found.acknowledged_at,
        "acknowledged_by": found.acknowledged_by,
        "resolved_at": found.resolved_at,
        "resolved_by": found.resolved_by or ("itself" if found.resolved_at else ""),
    }
    if found.merged_into:
        facts["merged_into"] = found.merged_into
    silence = over_one(reader.store, found, reader.clock())
    if silence is not None:
        facts["silenced"] = silence.words
    facts["about_causes"] = LIKELY if found.causes else "no cause is known yet"
    first, last = events[:2], events[2:][-(MOST_EVENTS - 2) :]
    return Answer(
        {name: value for name, value in facts.items() if value not in ("", None)},
        Rows(
            "causes", [_cause(one) for one in found.causes[:MOST_CAUSES]], len(found.causes), "the likeliest are shown"
        ),
        Rows(
            "symptoms",
            [_symptom(one) for one in found.symptoms[:MOST_SYMPTOMS]],
            len(found.symptoms),
            "the earliest are shown; ask the tool anomalies for others",
        ),
        Rows(
            "timeline",
            [_event(one) for one in [*first, *last]],
            len(events),
            "the first and the newest lines are shown",
        ),
    )


def similar(reader: Reader, asked: Similar) -> Answer:
    """Earlier incidents that are most like one, with what people noted then."""
    found = reader.store.incidents.get(asked.id)
    alike = similar_incidents(reader.store, found, asked.limit + 1)
    rows = [_row(one.incident) | {"likeness": one.likeness, "noted": list(one.notes[:5])} for one in alike]
    facts: dict[str, object] = {"of": found.id, "title": found.title}
    if not rows:
        facts["note"] = "nothing like it is known of the year before"
    return Answer(facts, page("similar", rows, asked.limit, "the most similar are shown; raise limit"))


def _row(incident: Kept) -> dict[str, object]:
    """An incident in a line; while it goes on its severity is that of now."""
    services, likeliest = incident.services, next(iter(incident.causes), None)
    more = [f"and {len(services) - MOST_SERVICES} more"] if len(services) > MOST_SERVICES else []
    return {
        "id": incident.id,
        "state": incident.state,
        "severity": incident.severity if incident.is_active else incident.peak,
        "started_at": incident.started_at,
        "last_seen_at": incident.ended_at,
        "title": incident.title,
        "services": [*services[:MOST_SERVICES], *more],
        "likeliest_cause": None
        if likeliest is None
        else {"service": likeliest.service_name, "is_clear": likeliest.is_clear},
        "assignee": incident.assignee,
    }


def _cause(cause: LikelyCause) -> dict[str, object]:
    return {
        "service": cause.service_name,
        "is_clear": cause.is_clear,
        "metric": cause.metric,
        "since": cause.onset,
        "evidence": cause.words,
    }


def _symptom(symptom: Symptom) -> dict[str, object]:
    return {
        "service": symptom.service_name,
        "severity": symptom.severity,
        "started_at": symptom.started_at,
        "last_seen_at": symptom.ended_at,
        "is_open": symptom.is_open,
        "what": symptom.sentence,
    }


def _event(event: IncidentEvent) -> dict[str, object]:
    return {"at": event.at, "kind": event.kind, "who": event.who or "the workbench", "text": event.text}
