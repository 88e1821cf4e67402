"""Silences: to make, to extend, to end, and to see what one would hide."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, g

from observatory.access.gate import Access
from observatory.analysis.silence_preview import preview
from observatory.annotations.drafting import parse_draft, parse_moment
from observatory.annotations.in_force import under_new_names
from observatory.annotations.occurrences import state_at
from observatory.annotations.silences import end_silence, extend_silence, make_silence
from observatory.api import context
from observatory.api.middleware.authorization import access
from observatory.api.middleware.rate_limits import slow
from observatory.api.schemas import silences as schemas
from observatory.model import Silence

TAG = {"name": "silences", "description": "What is not told, judged or learned from, and when."}
routes = APIBlueprint("silences", __name__, url_prefix="/api/silences", tag=TAG)
NONE = "There is no such silence."


@routes.get("")
@access(Access.READ)
@routes.input(schemas.SilencesQuery, location="query")
@routes.output(schemas.Silences)
@routes.doc(operation_id="listSilences", responses={404: "There is no such service."})
def silences(query_data: schemas.SilencesQuery) -> Response:
    """Silences that are in force, or will be"""
    query, reader = query_data, context.reader()
    now = reader.clock()
    service = None if query.service is None else reader.store.service(query.service).name
    since = context.point_in_time("start", query.start) if "ended" in query.state else now
    rules = reader.store.names.rules()
    found = [
        schemas.Silence.of(one, now)
        for one in reader.store.silences.read(since)
        if state_at(one, now) in query.state
        and (service is None or under_new_names(one, rules).covers_service(service))
    ]
    return context.answer(schemas.Silences(silences=found))


@routes.get("/<silence_id>")
@access(Access.READ)
@routes.output(schemas.Silence)
@routes.doc(operation_id="getSilence", responses={404: NONE})
def silence(silence_id: str) -> Response:
    """A silence"""
    reader = context.reader()
    return context.answer(schemas.Silence.of(reader.store.silences.get(silence_id), reader.clock()))


@routes.post("")
@access(Access.WRITE)
@routes.input(schemas.SilenceAsked)
@routes.output(schemas.Silence, status_code=201)
@routes.doc(operation_id="makeSilence")
def make(json_data: schemas.SilenceAsked) -> Response:
    """Silence services

    Nobody is told of what it covers while it lasts. What still goes on when it is over is told then.
    """
    operator = context.operator()
    made = _made(json_data)
    operator.store.silences.write([made])
    shown = schemas.Silence.of(made, operator.clock())
    return context.answer(shown, status=201, headers={"Location": f"/api/silences/{made.id}"})


@routes.post("/preview")
@access(Access.WRITE)
@slow
@routes.input(schemas.SilenceAsked)
@routes.output(schemas.SilencePreview)
@routes.doc(operation_id="previewSilence")
def look_ahead(json_data: schemas.SilenceAsked) -> Response:
    """What a silence would have hidden in the last week

    One that does not come again is taken as if it had lasted all week.
    """
    reader = context.reader()
    return context.answer(schemas.SilencePreview.of(preview(reader.store, _made(json_data), reader.clock())))


@routes.patch("/<silence_id>")
@access(Access.WRITE)
@routes.input(schemas.SilenceExtended)
@routes.output(schemas.Silence)
@routes.doc(operation_id="extendSilence", responses={404: NONE, 409: "It is over."})
def extend(silence_id: str, json_data: schemas.SilenceExtended) -> Response:
    """Give a silence another end"""
    operator = context.operator()
    now = operator.clock()
    ends_at = parse_moment(json_data.end, now, "end")
    return context.answer(schemas.Silence.of(extend_silence(operator.store.silences, silence_id, ends_at, now), now))


@routes.delete("/<silence_id>")
@access(Access.WRITE)
@routes.output(schemas.Silence)
@routes.doc(operation_id="endSilence", responses={404: NONE, 409: "It is over."})
def end(silence_id: str) -> Response:
    """End a silence now

    It is kept, as what it covered stays what it was.
    """
    operator = context.operator()
    now = operator.clock()
    return context.answer(schemas.Silence.of(end_silence(operator.store.silences, silence_id, str(g.caller), now), now))


def _made(asked: schemas.SilenceAsked) -> Silence:
    """What is asked for, kept nowhere yet."""
    reader = context.reader()
    now = reader.clock()
    draft = parse_draft(now=now, **asked.model_dump())
    return make_silence(draft, str(g.caller), now, reader.store.metrics)
