"""Every error as problem details (RFC 9457), and the one table from our errors to statuses."""

from __future__ import annotations

import json
import logging
import reprlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from apiflask import APIFlask, HTTPError
from flask import Response, g, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from observatory import errors

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
KIND = "urn:problem-type:observatory:"
PLAIN = "about:blank"
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Kind:
    """How an error of ours is answered."""

    status: int
    slug: str
    title: str


KINDS: Mapping[type[errors.ObservatoryError], Kind] = {
    errors.InvalidInputError: Kind(400, "invalid-input", "A value cannot be used"),
    errors.UnknownServiceError: Kind(404, "unknown-service", "No such service"),
    errors.NotFoundError: Kind(404, "not-found", "No such thing"),
    errors.ConflictError: Kind(409, "conflict", "Something is in the way"),
    errors.NotSignedInError: Kind(401, "not-signed-in", "Sign in"),
    errors.MisdirectedError: Kind(421, "misdirected", "Another server is meant"),
    errors.ForbiddenError: Kind(403, "forbidden", "You may not do this"),
    errors.TooManyRequestsError: Kind(429, "too-many-requests", "You ask too often"),
    errors.NotEnoughDataError: Kind(409, "learning", "Not enough samples yet"),
    errors.SourceRefusedError: Kind(502, "source-refused", "The metrics source refused"),
    errors.SourceUnreachableError: Kind(502, "source-unreachable", "The metrics source cannot be reached"),
    errors.MalformedAnswerError: Kind(502, "source-malformed", "The metrics source answered with nonsense"),
    errors.SourceTimeoutError: Kind(504, "source-timeout", "The metrics source did not answer in time"),
    errors.SourceError: Kind(502, "source", "The metrics source did not deliver"),
    errors.DeliveryError: Kind(502, "delivery", "A message was not taken"),
    errors.StoreError: Kind(503, "store", "The store cannot be used"),
    errors.ConfigError: Kind(500, "configuration", "A setting is wrong"),
    errors.ObservatoryError: Kind(500, "internal", "Something went wrong"),
}
"""The most specific class of an error decides."""

INVALID = KINDS[errors.InvalidInputError]


class Problem(Exception):  # noqa: N818 - the name the standard gives it
    """An error on its way to the client.

    Parameters
    ----------
    status
        HTTP status.
    detail
        What went wrong here, for people.
    kind, title
        Its type: a URN of ours, or ``about:blank`` and the phrase of the status.
    errors
        Each value at fault as ``{"name", "value", "reason"}``.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        kind: str = PLAIN,
        title: str = "",
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        instance: str = "",
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.kind = kind
        self.title = title or HTTPStatus(status).phrase
        self.errors = errors
        self.headers = headers or {}
        self.instance = instance

    @classmethod
    def of_value(cls, name: str, value: Any, reason: str) -> Problem:
        """One value that cannot be used."""
        return cls.of_values([{"name": name, "value": shown(value), "reason": reason}])

    @classmethod
    def of_values(cls, faults: Sequence[Mapping[str, Any]]) -> Problem:
        """Values that cannot be used, each with its reason."""
        lines = [f"{_given(fault)}: {fault['reason']}" for fault in faults[:3]]
        if len(faults) > len(lines):
            lines.append(f"and {len(faults) - len(lines)} more")
        return cls(INVALID.status, "; ".join(lines), KIND + INVALID.slug, INVALID.title, faults)

    @classmethod
    def of_error(cls, error: errors.ObservatoryError) -> Problem:
        """One of our errors, by the table."""
        kind = next(KINDS[ancestor] for ancestor in type(error).__mro__ if ancestor in KINDS)
        headers = {"WWW-Authenticate": 'Bearer realm="observatory"'} if kind.status == 401 else {}
        if isinstance(error, errors.TooManyRequestsError):
            headers = {"Retry-After": str(error.retry_after)}
        return cls(kind.status, str(error), KIND + kind.slug, kind.title, headers=headers)

    def body(self, path: str) -> bytes:
        """The problem as JSON; `path` names the occurrence unless it has a name of its own."""
        members = {
            "type": self.kind,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": self.instance or path,
        }
        return json.dumps(members | ({"errors": list(self.errors)} if self.errors else {}), allow_nan=False).encode()


def _given(fault: Mapping[str, Any]) -> str:
    """What is at fault; nothing was given for what is missing."""
    return str(fault["name"]) if fault["value"] is None else f"{fault['name']} = {fault['value']!r}"


def shown(value: Any) -> Any:
    """`value` as it may stand in an answer: short, and JSON."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value if len(value) <= LONGEST else value[:LONGEST] + "…"
    if isinstance(value, int) and abs(value) < 1 << 53:
        return value
    return reprlib.repr(value)  # a long or deep value is cut


def install(app: APIFlask) -> None:
    """Answer every error of `app` as problem details."""
    app.register_error_handler(Problem, _answer)
    app.register_error_handler(errors.ObservatoryError, _expected)
    app.register_error_handler(HTTPError, _apiflask)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _answer(problem: Problem) -> Response:
    g.problem = problem.detail
    return Response(problem.body(request.path), problem.status, dict(problem.headers), content_type=MEDIA_TYPE)


def _expected(error: errors.ObservatoryError) -> Response:
    problem = Problem.of_error(error)
    if problem.status >= 500:
        log.warning("%s %s: %s", request.method, request.path, problem.detail)
    return _answer(problem)


def _apiflask(error: HTTPError) -> Response:
    """Validation failed: name each parameter or field."""
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        return _answer(Problem(error.status_code, error.message or ""))
    faults = [
        {
            "name": ".".join(str(part) for part in fault["loc"] if isinstance(part, str)) or "body",
            "value": None if fault["type"] == "missing" else shown(fault["input"]),
            "reason": fault["msg"].removeprefix("Value error, "),
        }
        for fault in cause.errors(include_url=False, include_context=False)
    ]
    return _answer(Problem.of_values(faults))


def _http(error: HTTPException) -> Response:
    """404, 405, 413, 415 and their like."""
    if error.code is None or error.code < 400:
        return Response(error.get_body(), error.code, error.get_headers())
    headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    detail = error.description or error.name
    if isinstance(error, NotFound):
        detail = f"there is nothing at {shown(request.path)}: /api/openapi.json lists what there is"
    elif isinstance(error, MethodNotAllowed):
        detail = f"{request.method} is not taken here, only {', '.join(sorted(error.valid_methods or ()))}"
    return _answer(Problem(error.code, detail, headers=headers))


def _unexpected(error: Exception) -> Response:
    """A fault of ours: the log has the traceback, the answer only its id."""
    occurrence = uuid.uuid4()
    log.error("%s %s failed, id %s", request.method, request.path, occurrence, exc_info=error)
    detail = f"unexpected {type(error).__name__}: the log of the server has the details under {occurrence}"
    return _answer(Problem(500, detail, instance=occurrence.urn))
