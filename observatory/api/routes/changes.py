"""Changes: deployments, restarts, settings, flags, to report and to read."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, g

from observatory.access.gate import Access
from observatory.analysis.before_after import before_after
from observatory.annotations.changes import add_change
from observatory.api import context, rows
from observatory.api.middleware.authorization import access
from observatory.api.middleware.rate_limits import slow
from observatory.api.paging import next_page, page_of, place
from observatory.api.schemas.changes import Change, ChangePage, ComparedChange
from observatory.api.schemas.requests import ChangeReported, ChangesQuery
from observatory.model import ChangeKind
from observatory.times import rfc3339

TAG = {"name": "changes", "description": "Deployments and other changes of services, found or reported."}
routes = APIBlueprint("changes", __name__, url_prefix="/api/changes", tag=TAG)


@routes.get("")
@access(Access.READ)
@routes.input(ChangesQuery, location="query")
@routes.output(ChangePage)
@routes.doc(operation_id="listChanges", responses={404: "There is no such service."})
def changes(query_data: ChangesQuery) -> Response:
    """Changes in a range of time, the newest first"""
    query, store = query_data, context.reader().store
    start, end = context.time_range(query.start, query.end)
    services = None if query.service is None else [store.service(query.service).name]
    found = [one for one in store.changes.read(start, end, services) if not query.kind or one.kind in query.kind]
    found.sort(key=lambda one: (-one.at.timestamp(), one.id))
    page, cursor = page_of(
        found, lambda one: (-one.at.timestamp(), one.id), place(query.cursor, float, str), query.limit
    )
    following = next_page(
        cursor,
        query.limit,
        service=query.service,
        kind=[str(kind) for kind in query.kind],
        start=rfc3339(start),
        end=rfc3339(end),
        format=rows.kept(query.format),
    )
    if query.format == "rows":
        return rows.answer(map(rows.of_change, page), following)
    shown = [Change.model_validate(one) for one in page]
    return context.answer(ChangePage(start=start, end=end, changes=shown, next=following))


@routes.get("/<change_id>")
@access(Access.READ)
@slow
@routes.output(ComparedChange)
@routes.doc(operation_id="getChange", responses={404: "There is no such change."})
def change(change_id: str) -> Response:
    """A change, and each metric of its service before and after it

    Medians of half an hour on both sides, with what the time of day alone would have made of the value before, and how
    far a value wanders without a reason.
    """
    reader = context.reader()
    found = before_after(reader.store, reader.settings, change_id, reader.clock())
    return context.answer(ComparedChange.of(found))


@routes.post("")
@access(Access.WRITE)
@routes.input(ChangeReported)
@routes.output(Change, status_code=201)
@routes.doc(operation_id="reportChange", responses={404: "There is no such service."})
def report(json_data: ChangeReported) -> Response:
    """Report a deployment or another change of a service

    A report that is sent again, or of a change that was found already, adds to what is known of that change.
    """
    operator, said = context.operator(), json_data
    reported = add_change(
        operator.store,
        said.service_name,
        ChangeKind(said.kind),
        context.point_in_time("at", said.at),
        operator.clock(),
        version=said.version,
        summary=said.summary,
        url=said.url,
        source=str(g.caller),
    )
    return context.answer(Change.model_validate(reported), status=201)
