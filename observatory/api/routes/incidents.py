"""Incidents: what one fault did, and what people say and do about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from apiflask import APIBlueprint
from flask import Response, g

from observatory.access.gate import Access
from observatory.analysis.links import incident_links
from observatory.analysis.similar_incidents import similar_incidents
from observatory.annotations.in_force import over_one
from observatory.api import context, rows
from observatory.api.middleware.authorization import access
from observatory.api.paging import cursor_of, next_page, place
from observatory.api.schemas.incidents import Incident, IncidentDetails, IncidentPage
from observatory.api.schemas.requests import Assignment, IncidentQuery, IncidentsQuery, Note, Said
from observatory.incidents import actions
from observatory.model import Incident as Kept
from observatory.model import IncidentChanges
from observatory.store.reader import StoreReader
from observatory.store.tables.incidents import NOT_MERGED
from observatory.times import rfc3339

TAG = {"name": "incidents", "description": "What one fault did, with the likeliest cause; and what people do about it."}
NO_INCIDENT = "There is no such incident."
routes = APIBlueprint("incidents", __name__, url_prefix="/api", tag=TAG)


@routes.get("/incidents")
@access(Access.READ)
@routes.input(IncidentsQuery, location="query")
@routes.output(IncidentPage)
@routes.doc(operation_id="listIncidents")
def incidents(query_data: IncidentsQuery) -> Response:
    """Incidents that overlap a range of time, the newest first

    Anomalies and critical health at about the same time, of one service or of services that call each other, are one
    incident. Of one that has services outside of what the caller may see, the part inside is shown.
    """
    query, store = query_data, context.reader().store
    start, end = context.time_range(query.start, query.end)
    after = place(query.cursor, float, str)
    states = query.state or NOT_MERGED
    found = store.incidents.read(
        start,
        end,
        [store.service(query.service).name] if query.service else None,
        [state for state in states if state.is_active] if query.open else states,
        query.severity or None,
        query.limit + 1,
        None if after is None else (datetime.fromtimestamp(after[0], start.tzinfo), after[1]),
    )
    page = found[: query.limit]
    cursor = cursor_of((page[-1].started_at.timestamp(), page[-1].id)) if len(found) > query.limit else None
    following = next_page(
        cursor,
        query.limit,
        start=rfc3339(start),
        end=rfc3339(end),
        service=query.service,
        state=",".join(query.state) or None,
        severity=",".join(query.severity) or None,
        open="true" if query.open else None,
        format=rows.kept(query.format),
    )
    if query.format == "rows":
        return rows.answer(map(rows.of_incident, page), following)
    return context.answer(IncidentPage(start=start, end=end, incidents=list(map(Incident.of, page)), next=following))


@routes.get("/incidents/<incident_id>")
@access(Access.READ)
@routes.input(IncidentQuery, location="query")
@routes.output(IncidentDetails)
@routes.doc(operation_id="getIncident", responses={404: NO_INCIDENT})
def incident(incident_id: str, query_data: IncidentQuery) -> Response:
    """One incident with its symptoms, likeliest causes and timeline

    One that became part of another says so in `merged_into`.
    """
    store = context.reader().store
    if query_data.format == "rows":
        return rows.answer(_part(store, incident_id, query_data.part))
    return _details(store, incident_id)


@routes.post("/incidents/<incident_id>/acknowledge")
@access(Access.WRITE)
@routes.input(Said)
@routes.output(IncidentDetails)
@routes.doc(operation_id="acknowledgeIncident", responses={404: NO_INCIDENT, 409: "It is over."})
def acknowledge(incident_id: str, json_data: Said) -> Response:
    """Say that somebody has seen an incident and works on it"""
    return _change(incident_id, partial(actions.acknowledge, note=json_data.note))


@routes.post("/incidents/<incident_id>/assign")
@access(Access.WRITE)
@routes.input(Assignment)
@routes.output(IncidentDetails)
@routes.doc(operation_id="assignIncident", responses={404: NO_INCIDENT, 409: "It became part of another."})
def assign(incident_id: str, json_data: Assignment) -> Response:
    """Say who takes care of an incident"""
    g.detail = f"to {json_data.assignee}"
    return _change(incident_id, lambda held, who, at: actions.assign(held, json_data.assignee, who, at))


@routes.post("/incidents/<incident_id>/note")
@access(Access.WRITE)
@routes.input(Note)
@routes.output(IncidentDetails, status_code=201)
@routes.doc(operation_id="noteIncident", responses={404: NO_INCIDENT, 409: "It became part of another."})
def note(incident_id: str, json_data: Note) -> Response:
    """Write something down beside an incident, also when it is over"""
    return _change(incident_id, lambda held, who, at: actions.note(held, json_data.text, who, at), status=201)


@routes.post("/incidents/<incident_id>/resolve")
@access(Access.WRITE)
@routes.input(Said)
@routes.output(IncidentDetails)
@routes.doc(operation_id="resolveIncident", responses={404: NO_INCIDENT, 409: "It is over already."})
def resolve(incident_id: str, json_data: Said) -> Response:
    """Say that an incident is over

    It comes back when one of its services falls ill anew within half an hour, or when what goes on gets worse.
    """
    return _change(incident_id, partial(actions.resolve, note=json_data.note))


@routes.post("/incidents/<incident_id>/reopen")
@access(Access.WRITE)
@routes.input(Said)
@routes.output(IncidentDetails)
@routes.doc(operation_id="reopenIncident", responses={404: NO_INCIDENT, 409: "It goes on."})
def reopen(incident_id: str, json_data: Said) -> Response:
    """Say that an incident is not over"""
    return _change(incident_id, partial(actions.reopen, note=json_data.note))


def _change(incident_id: str, action: Callable[[Kept, str, datetime], IncidentChanges], status: int = 200) -> Response:
    operator, who = context.operator(), str(g.caller)
    now = operator.clock()
    operator.store.incidents.change(incident_id, lambda held: action(held, who, now))
    return _details(operator.store, incident_id, status)


def _part(store: StoreReader, incident_id: str, part: str) -> list[rows.Row]:
    """One of the lists of an incident."""
    found = store.incidents.get(incident_id)
    if part == "incident":
        return [rows.of_incident(found)]
    if part == "symptoms":
        return [rows.of_symptom(one) for one in found.symptoms]
    if part == "causes":
        return [rows.of_cause(one, rank) for rank, one in enumerate(found.causes, 1)]
    return [rows.of_event(one) for one in store.incidents.events(incident_id)]


def _details(store: StoreReader, incident_id: str, status: int = 200) -> Response:
    found = store.incidents.get(incident_id)
    events, similar = store.incidents.events(incident_id), similar_incidents(store, found)
    reader = context.reader()
    silence = over_one(store, found, reader.clock())
    links = incident_links(reader.settings.links, found, reader.clock())
    return context.answer(IncidentDetails.with_timeline(found, events, similar, silence, links), status)
