"""Metrics: the samples of a service over time."""

from __future__ import annotations

from datetime import timedelta

from apiflask import APIBlueprint
from flask import Response, request

from observatory.access.gate import Access
from observatory.api import context, formats, rows
from observatory.api.middleware.authorization import access
from observatory.api.middleware.rate_limits import slow
from observatory.api.problems import Problem
from observatory.api.schemas.requests import MAXIMUM_POINTS, HistoryQuery
from observatory.api.schemas.responses import History
from observatory.catalog import METRICS, present
from observatory.errors import InvalidInputError
from observatory.times import parse_duration

TAG = {"name": "metrics", "description": "Samples over time."}
routes = APIBlueprint("metrics", __name__, url_prefix="/api/metrics", tag=TAG)


@routes.get("/history")
@access(Access.READ)
@slow
@routes.input(HistoryQuery, location="query")
@routes.output(History)
@routes.doc(
    operation_id="getHistory",
    responses={404: "There is no such service.", 406: "The answer comes as none of the types asked for."},
)
def history(query_data: HistoryQuery) -> Response:
    """Samples of one service, in columns

    A range with more samples than `points` is summarised over `step` seconds, each metric in the way
    that suits it (averages, the most restarts). A missing value is null, never 0. By the header `Accept` the
    answer is JSON, CSV, or a stream of Apache Arrow.
    """
    query, reader = query_data, context.reader()
    start, end = context.time_range(query.start, query.end)
    accepted = request.accept_mimetypes
    kind = accepted.best_match(formats.TYPES) if accepted else formats.JSON
    if kind is None and query.format != "rows":
        raise Problem(406, f"history comes as {', '.join(formats.TYPES)}: name one in the header Accept")
    step = None if query.step == "auto" else _step(query.step, end - start)
    found = reader.history(
        query.service,
        start,
        end,
        query.points,
        step=step,
        with_expected=query.expected,
        with_episodes=False,
        with_extremes=False,
    )
    names = list(query.metric) or present(METRICS, lambda name: bool(found.samples[name].notna().any()))
    interval = reader.settings.interval
    if kind is None or query.format == "rows":
        return rows.answer(rows.of_history(found, names, expected=query.expected))
    return Response(formats.encode(found, names, kind, expected=query.expected, interval=interval), content_type=kind)


def _step(text: str, window: timedelta) -> float:
    """The step asked for [s]."""
    try:
        step = parse_duration(text, "step")
    except InvalidInputError as error:
        raise Problem.of_value("step", text, str(error).partition(": ")[2] + ", or auto") from None
    if window / step > MAXIMUM_POINTS:
        raise Problem.of_value("step", text, f"would be more than {MAXIMUM_POINTS} points: ask for less time, or auto")
    return step.total_seconds()
