"""Links to logs, traces and dashboards of other programs, and traces of slow requests."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from observatory.access.gate import Access
from observatory.analysis.links import links_of, trace_links
from observatory.api import context
from observatory.api.middleware.authorization import access
from observatory.api.middleware.rate_limits import slow
from observatory.api.schemas import links as schemas
from observatory.errors import SourceError

TAG = {"name": "links", "description": "Where other programs show more of a service."}
NO_TRACES = "its source remembers no trace of this time: see `observatory help links`"
routes = APIBlueprint("links", __name__, url_prefix="/api/links", tag=TAG)


@routes.get("")
@access(Access.READ)
@slow
@routes.input(schemas.LinksQuery, location="query")
@routes.output(schemas.Links)
@routes.doc(operation_id="getLinks", responses={404: "There is no such service."})
def links(query_data: schemas.LinksQuery) -> Response:
    """Links of a service over a time, and traces of its slowest requests

    Links are those of the settings. Traces are exemplars that the service's Prometheus remembers.
    """
    query, reader = query_data, context.reader()
    name = reader.store.service(query.service).name
    start, end = context.time_range(query.start, query.end)
    configured = reader.settings.links
    note, traces = "", []
    if query.traces:
        try:
            traces = reader.exemplars(name, start, end)
            note = "" if traces else NO_TRACES
        except SourceError as error:
            note = str(error)
    return context.answer(
        schemas.Links(
            service_name=name,
            start=start,
            end=end,
            links=[schemas.Link.of(one) for one in links_of(configured, name, start, end)],
            traces=[
                schemas.Trace(
                    at=one.at,
                    seconds=one.seconds,
                    trace_id=one.trace_id,
                    links=[schemas.Link.of(link) for link in trace_links(configured, name, one.trace_id, one.at)],
                )
                for one in traces
            ],
            note=note,
        )
    )
