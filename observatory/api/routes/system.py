"""The process itself: is it alive, is it ready, and what does it offer."""

from __future__ import annotations

from dataclasses import asdict, replace

from apiflask import APIBlueprint
from flask import Response, current_app, jsonify

from observatory.access.gate import Access
from observatory.api import context
from observatory.api.middleware.authorization import access, identify
from observatory.api.problems import Problem
from observatory.api.schemas.responses import Alive, Check, Ready
from observatory.errors import ObservatoryError
from observatory.runtime import startup

TAG = {"name": "system", "description": "The process itself."}
routes = APIBlueprint("system", __name__, tag=TAG)


@routes.get("/healthz")
@access(Access.PUBLIC)
@routes.output(Alive)
@routes.doc(operation_id="getLiveness")
def healthz() -> Response:
    """Is the process alive

    Looks at nothing else, and answers while slow queries run.
    """
    return context.answer(Alive(status="ok"))


@routes.get("/readyz")
@access(Access.PUBLIC)
@routes.output(Ready)
@routes.doc(operation_id="getReadiness", responses={503: "Not ready; `errors` says why."})
def readyz() -> Response:
    """Can answers be relied on

    Ready means: the past is filled, the store can be read, and the worker keeps its beat.
    """
    known = context.context()
    checks = startup.checks(known.runtime, known.startup)
    if not _sees_everything():  # a failure may name services
        checks = [replace(check, detail="well" if check.ok else startup.HIDDEN) for check in checks]
    failed = [{"name": check.name, "value": None, "reason": check.detail} for check in checks if not check.ok]
    if failed:
        detail = "; ".join(check.detail for check in checks if not check.ok)
        raise Problem(503, detail, title="Not ready", errors=failed, headers={"Retry-After": "5"})
    return context.answer(Ready(status="ready", checks=[Check(**asdict(check)) for check in checks]))


def _sees_everything() -> bool:
    try:
        return identify().scope.is_everything
    except ObservatoryError:
        return False


@routes.get("/api/openapi.json")
@access(Access.PUBLIC)
@routes.doc(operation_id="getOpenapi", responses={200: "An OpenAPI 3.1 document."})
def openapi_document() -> Response:
    """The OpenAPI document"""
    return jsonify(current_app.extensions["openapi"]())
