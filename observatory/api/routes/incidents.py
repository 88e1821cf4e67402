"""Incidents: anomalies that belong together."""

from __future__ import annotations

from datetime import timedelta

from apiflask import APIBlueprint
from flask import Response

from observatory.access.gate import Access
from observatory.api import context
from observatory.api.middleware.authorization import access
from observatory.api.middleware.rate_limits import slow
from observatory.api.paging import next_page, page_of, place
from observatory.api.schemas.health import Incident, IncidentPage
from observatory.api.schemas.requests import IncidentsQuery
from observatory.incidents.grouping import SLACK, group
from observatory.times import rfc3339

MOST_ANOMALIES = 5000
"""Newest anomalies that are grouped; more would be too slow for an answer."""

TAG = {"name": "incidents", "description": "Anomalies that belong together, with the likely origin."}
routes = APIBlueprint("incidents", __name__, url_prefix="/api", tag=TAG)


@routes.get("/incidents")
@access(Access.READ)
@slow
@routes.input(IncidentsQuery, location="query")
@routes.output(IncidentPage)
@routes.doc(operation_id="listIncidents")
def incidents(query_data: IncidentsQuery) -> Response:
    """Incidents that overlap a range of time, the newest first

    Anomalies at about the same time, of one service or of services that call each other, are one incident.
    `suspects` are its likely origins: affected services that call no other affected one.
    """
    query, store = query_data, context.reader().store
    start, end = context.time_range(query.start, query.end)
    anomalies = store.anomalies(start - SLACK, end + timedelta(0), None, None, False, MOST_ANOMALIES)
    found = [
        incident
        for incident in group(anomalies, store.calls())
        if incident.ended_at >= start and (incident.is_open or not query.open)
    ]
    found.sort(key=lambda incident: (-incident.started_at.timestamp(), incident.id))
    page, cursor = page_of(
        found, lambda i: (-i.started_at.timestamp(), i.id), place(query.cursor, float, str), query.limit
    )
    following = next_page(
        cursor, query.limit, start=rfc3339(start), end=rfc3339(end), open="true" if query.open else None
    )
    shown = [Incident.of(incident) for incident in page]
    return context.answer(IncidentPage(start=start, end=end, incidents=shown, next=following))
