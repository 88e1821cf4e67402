"""What handlers share: whom they answer, strict JSON, lists in queries, times."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn, cast

from flask import Flask, Request, Response, current_app, g
from flask.json.provider import DefaultJSONProvider
from pydantic import BaseModel
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.routing import PathConverter

from observatory.access import operator_for, scoped
from observatory.api.conditional import Renderings
from observatory.api.problems import Problem
from observatory.errors import InvalidInputError
from observatory.times import parse_time, rfc3339

if TYPE_CHECKING:
    from datetime import datetime

    from observatory.runtime import Runtime
    from observatory.runtime.reader import Operator, Reader
    from observatory.runtime.startup import Startup

BODY_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class Context:
    """What an application serves from."""

    runtime: Runtime
    startup: Startup | None
    renderings: Renderings = field(default_factory=Renderings)


def context() -> Context:
    """The context of the application that handles this request."""
    return cast("Context", current_app.extensions["observatory"])


def reader() -> Reader:
    """What the sender of this request may read."""
    return scoped(context().runtime, g.caller)


def operator() -> Operator:
    """What the sender of this request may do; raises ForbiddenError where that is to read only."""
    return operator_for(context().runtime, g.caller)


def answer(model: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """`model` as JSON; NaN and infinity become null."""
    return Response(model.model_dump_json(), status, headers, mimetype="application/json")


def time_range(start: str, end: str) -> tuple[datetime, datetime]:
    """The query parameters ``start`` and ``end`` as points in time."""
    first, last = point_in_time("start", start), point_in_time("end", end)
    longest = timedelta(days=context().runtime.settings.max_window_days)
    if last - first > longest:
        raise Problem.of_value("start", start, f"is more than {longest.days} days before end: ask for less at a time")
    if first >= last:
        raise Problem.of_value("start", start, f"must be before end = {rfc3339(last)}")
    return first, last


def point_in_time(name: str, text: str) -> datetime:
    """The parameter or field `name` as a point in time."""
    try:
        return parse_time(text, context().runtime.clock(), name)
    except InvalidInputError as error:
        raise Problem.of_value(name, text, str(error).partition(": ")[2]) from None


class NamePath(PathConverter):
    """The rest of the path: a service's name, which may hold slashes anywhere."""

    regex = ".+"
    part_isolating = False


class JoinedRequest(Request):
    """A request whose repeated query parameters are one list: ``a=1&a=2`` reads as ``a=1,2``, none is lost."""

    @cached_property
    def args(self) -> MultiDict[str, str]:
        given = super().args
        return ImmutableMultiDict({name: ",".join(values) for name, values in given.lists()})

    def on_json_loading_failed(self, e: ValueError | None) -> NoReturn:
        raise Problem(400, f"the body is not JSON: {e}" if e else "the body is not JSON")


class StrictJSON(DefaultJSONProvider):
    """JSON as the standard has it: no NaN, no infinity, and nothing nested beyond what can be read."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        try:
            return json.loads(s, parse_constant=_refuse_constant, **kwargs)
        except RecursionError:
            raise ValueError("nested too deeply") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def install(app: Flask, what: Context) -> None:
    """Teach `app` the above."""
    app.extensions["observatory"] = what
    app.request_class = JoinedRequest
    app.json = StrictJSON(app)
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT
    app.url_map.merge_slashes = False  # a service's name may hold two slashes in a row
    app.url_map.converters["name"] = NamePath
