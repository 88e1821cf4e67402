"""Health: every service now, and the anomalies behind it."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from observatory.api import wire
from observatory.api.access import Access, access
from observatory.api.health_schemas import Anomaly, AnomalyPage, HealthSummary
from observatory.api.queries import AnomaliesQuery, SummaryQuery

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
    overview = wire.runtime().overview()
    bands = query_data.band
    chosen = [status for status in overview.services if not bands or status.health.band in bands]
    first, last = query_data.offset, query_data.offset + query_data.limit
    following = wire.next_page(len(chosen) > last, query_data.limit, query_data.offset, band=bands)
    return wire.answer(HealthSummary.of(overview, chosen[first:last], len(chosen), following))


@routes.get("/anomalies")
@access(Access.READ)
@routes.input(AnomaliesQuery, location="query")
@routes.output(AnomalyPage)
@routes.doc(operation_id="listAnomalies", responses={404: "There is no such service."})
def anomalies(query_data: AnomaliesQuery) -> Response:
    """Anomalies that overlap a range of time, the newest first

    `next` keeps the range of the first page, so that pages fit together while new anomalies come in.
    """
    store = wire.runtime().store
    query = query_data
    start, end = wire.time_range(query.start, query.end)
    services = None if query.service is None else [store.service(query.service).name]
    last = query.offset + query.limit
    found = store.anomalies(start, end, services, query.severity or None, query.open, last + 1)
    following = wire.next_page(
        len(found) > last,
        query.limit,
        query.offset,
        service=query.service,
        start=wire.rfc3339(start),
        end=wire.rfc3339(end),
        severity=query.severity,
        open="true" if query.open else None,
    )
    page = [Anomaly.model_validate(anomaly) for anomaly in found[query.offset : last]]
    return wire.answer(AnomalyPage(start=start, end=end, anomalies=page, next=following))
