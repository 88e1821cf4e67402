"""Every request has an id; every write and refusal is written down; every answer is a line in the log."""

from __future__ import annotations

import contextlib
import logging
import re
import time
import uuid

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from observatory.access import authenticator_of
from observatory.api import context
from observatory.api.problems import Problem
from observatory.logs import REQUEST

log = logging.getLogger("observatory.api.requests")

HEADER = "X-Request-Id"
FORM = re.compile(r"[A-Za-z0-9._-]{1,64}")
REFUSED = (401, 403, 421, 429)
SAFE = ("GET", "HEAD", "OPTIONS")


def _begin() -> None:
    given = request.headers.get(HEADER, "")
    g.request_id = given if FORM.fullmatch(given) else uuid.uuid4().hex
    g.token = REQUEST.set(g.request_id)
    g.arrived = time.perf_counter()


def _end(response: Response) -> Response:
    response.headers[HEADER] = g.request_id
    caller = g.get("caller")
    who = str(caller) if caller is not None else "nobody"
    facts = {
        "method": request.method,
        "path": request.path[:200],
        "status": response.status_code,
        "seconds": round(time.perf_counter() - g.arrived, 4),
        "who": who,
        "address": request.remote_addr or "",
    }
    log.info("%s %s %s", request.method, request.path[:200], response.status_code, extra=facts)
    if response.status_code in REFUSED or (request.method not in SAFE and response.status_code != 405):
        detail = g.get("problem") or g.get("detail", "")
        action = f"{request.method} {request.url_rule.rule if request.url_rule else 'nothing'}"
        audit = authenticator_of(context.context().runtime).audit
        unique = uuid.uuid4().hex  # clients choose ids of requests, and might choose one that was
        audit.record(who, action, _target(), response.status_code, request.remote_addr or "", unique, detail)
    return response


def _target() -> str:
    """The service a request was about, else its path."""
    named = (request.view_args or {}).get("service") or request.args.get("service")
    body = None
    if request.is_json and not named:
        with contextlib.suppress(HTTPException, Problem):  # larger than what is read
            body = request.get_json(silent=True)
    if isinstance(body, dict) and isinstance(body.get("service_name"), str):
        named = body["service_name"]
    return str(named or request.path)


def _forget(_: BaseException | None) -> None:
    token = g.pop("token", None)
    if token is not None:
        REQUEST.reset(token)


def install(app: Flask) -> None:
    """Keep the journal of `app`; to be installed before everything that may refuse."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_forget)
