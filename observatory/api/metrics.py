"""Metrics: the samples of a service over time."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from observatory.api import wire
from observatory.api.access import Access, access
from observatory.api.queries import HistoryQuery
from observatory.api.schemas import History
from observatory.catalog import METRICS

TAG = {"name": "metrics", "description": "Samples over time."}
routes = APIBlueprint("metrics", __name__, url_prefix="/api/metrics", tag=TAG)


@routes.get("/history")
@access(Access.READ)
@routes.input(HistoryQuery, location="query")
@routes.output(History)
@routes.doc(operation_id="getHistory", responses={404: "There is no such service."})
def history(query_data: HistoryQuery) -> Response:
    """Samples of one service, in columns

    A range with more samples than `points` is summarised over `step` seconds, each metric in the way
    that suits it (averages, the most restarts). A missing value is null, never 0.
    """
    query = query_data
    start, end = wire.time_range(query.start, query.end)
    found = wire.runtime().history(query.service, start, end, query.points)
    return wire.answer(History.of(found, list(query.metric or METRICS), with_expected=query.expected))
