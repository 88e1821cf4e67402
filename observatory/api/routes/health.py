"""Health: every service now, and the anomalies behind it."""

from __future__ import annotations

from datetime import UTC, datetime

from apiflask import APIBlueprint
from flask import Response, g

from observatory.access.gate import Access
from observatory.api import context, rows
from observatory.api.conditional import Rendered, send, tag_of
from observatory.api.middleware.authorization import access
from observatory.api.middleware.rate_limits import slow
from observatory.api.paging import cursor_of, next_page, page_of, place
from observatory.api.problems import Problem
from observatory.api.schemas.health import Anomaly, AnomalyPage, HealthSummary
from observatory.api.schemas.requests import AnomaliesQuery, SummaryQuery
from observatory.health.overview import order
from observatory.times import rfc3339

TAG = {"name": "health", "description": "Where services stand now, and the anomalies behind it."}
routes = APIBlueprint("health", __name__, url_prefix="/api/health", tag=TAG)


@routes.get("/summary")
@access(Access.READ)
@routes.input(SummaryQuery, location="query")
@routes.output(HealthSummary)
@routes.doc(operation_id="getHealthSummary")
def summary(query_data: SummaryQuery) -> Response:
    """Health of every service now, the worst first

    Each score carries its arithmetic. The counts are those of all services, whatever the filter.
    """
    everything = context.context().runtime.overview()
    key = (g.caller.scope.patterns, query_data)
    return send(context.context().renderings.get(everything, key, lambda: _rendered(query_data)))


def _rendered(query: SummaryQuery) -> Rendered:
    """The summary, with a tag over all of it but the time at which it was put together."""
    overview = context.reader().overview()
    chosen = [status for status in overview.services if not query.band or status.health.band in query.band]
    page, cursor = page_of(chosen, order, place(query.cursor, bool, float, int, str), query.limit)
    following = next_page(cursor, query.limit, band=query.band, format=rows.kept(query.format))
    if query.format == "rows":
        body = rows.render(map(rows.of_health, page))
        return Rendered(body, tag_of(body, (following or "").encode()), rows.ROWS, following)
    made = HealthSummary.of(overview, page, len(chosen), following)
    return Rendered(made.model_dump_json().encode(), tag_of(made.model_dump_json(exclude={"at"}).encode()))


@routes.get("/anomalies")
@access(Access.READ)
@slow
@routes.input(AnomaliesQuery, location="query")
@routes.output(AnomalyPage)
@routes.doc(operation_id="listAnomalies", responses={404: "There is no such service."})
def anomalies(query_data: AnomaliesQuery) -> Response:
    """Anomalies that overlap a range of time, the newest first

    `next` keeps the range of the first page, so that pages fit together while new anomalies come in.
    """
    query, store = query_data, context.reader().store
    start, end = context.time_range(query.start, query.end)
    services = None if query.service is None else [store.service(query.service).name]
    after = _last_anomaly(query.cursor)
    found = store.anomalies(start, end, services, query.severity or None, query.open, query.limit + 1, after)
    page = found[: query.limit]
    last = page[-1] if len(found) > query.limit else None
    key = (rfc3339(last.started_at), last.service_name, last.detector) if last else ()
    following = next_page(
        cursor_of(key) if last else None,
        query.limit,
        service=query.service,
        start=rfc3339(start),
        end=rfc3339(end),
        severity=query.severity,
        open="true" if query.open else None,
        format=rows.kept(query.format),
    )
    if query.format == "rows":
        return rows.answer(map(rows.of_anomaly, page), following)
    shown = [Anomaly.model_validate(anomaly) for anomaly in page]
    return context.answer(AnomalyPage(start=start, end=end, anomalies=shown, next=following))


def _last_anomaly(cursor: str | None) -> tuple[datetime, str, str] | None:
    """Which anomaly the page before ended with."""
    key = place(cursor, str, str, str)
    if key is None:
        return None
    try:
        return datetime.fromisoformat(key[0]).astimezone(UTC), key[1], key[2]
    except (ValueError, OverflowError):
        raise Problem.of_value("cursor", cursor, "is none that an answer gave") from None
