"""Who may call what: every route declares its access, and each request passes the gate before its handler sees it.

What the call reads passes through what that caller may see (`context.reader`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from observatory.access import Caller
from observatory.access.gate import SAFE, Access, Arrival, gate_of
from observatory.api.context import BODY_LIMIT, context
from observatory.api.middleware import rate_limits
from observatory.api.problems import Problem
from observatory.suggest import did_you_mean

View = TypeVar("View", bound=Callable[..., Any])

ARRIVAL = "observatory.arrival"
"""Where the server leaves the request as the gate sees it; no header of a client can say so."""
_DECLARED = "__access__"


def access(level: Access) -> Callable[[View], View]:
    """Decorator: declare what calling a route needs."""

    def declare(view: View) -> View:
        setattr(view, _DECLARED, level)
        return view

    return declare


def declared(app: Flask, endpoint: str) -> Access | None:
    """What the route called `endpoint` declares."""
    return getattr(app.view_functions[endpoint], _DECLARED, None)


def require_declarations(app: Flask) -> None:
    """Refuse to start with a route that forgot to declare its access, or that writes on a read.

    Raises
    ------
    TypeError
        Naming the route.
    """
    for rule in app.url_map.iter_rules():
        level = declared(app, rule.endpoint)
        if level is None:
            raise TypeError(f"route {rule.rule} ({rule.endpoint}) declares no access: decorate it with @access(...)")
        if level in (Access.PUBLIC, Access.READ) and not (rule.methods or set()) <= SAFE:
            raise TypeError(f"route {rule.rule} ({rule.endpoint}) takes {rule.methods}: it needs access to write")


def install(app: Flask) -> None:
    """Check each request of `app` before its handler sees it."""
    require_declarations(app)
    app.before_request(_check)


def caller() -> Caller | None:
    """Who sent this request; None where that was not asked, or nobody can tell."""
    found: Caller | None = g.get("caller")
    return found


def arrival() -> Arrival:
    """The request that is answered, as the gate sees it."""
    left: Arrival | None = request.environ.get(ARRIVAL)
    return left or Arrival.of(request.method, request.headers.get, request.remote_addr)


def identify() -> Caller:
    """Ask the gate who sent this request; raises NotSignedInError, ForbiddenError."""
    found = gate_of(context().runtime).identify(arrival()).caller
    g.caller = found
    return found


def _check() -> None:
    level = None if request.endpoint is None else declared(current_app, request.endpoint)
    gate = gate_of(context().runtime)
    gate.look(arrival(), level or Access.READ)
    if level is not Access.PUBLIC:
        try:
            visitor = gate.identify(arrival())
            g.caller = visitor.caller
        finally:
            rate_limits.count()
        gate.require(visitor, level or Access.READ)
    if (request.content_length or 0) > BODY_LIMIT:
        raise RequestEntityTooLarge(f"the body is larger than {BODY_LIMIT} bytes")
    if request.endpoint is not None and request.routing_exception is None and level is not Access.PUBLIC:
        spec = getattr(current_app.view_functions[request.endpoint], "_spec", {})
        _refuse_other_media("body" in spec)
        _refuse_unknown_parameters(spec)


def _refuse_other_media(has_body: bool) -> None:
    if has_body and not request.is_json:
        raise Problem(415, "send the body as Content-Type: application/json", headers={"Accept": "application/json"})


def _refuse_unknown_parameters(spec: dict[str, Any]) -> None:
    """A mistyped filter would be ignored in silence."""
    known = [name for model, place in spec.get("args") or () if place == "query" for name in model.model_fields]
    faults = []
    for name in request.args:
        if name not in known:
            hint = did_you_mean(name, known, f"known are {', '.join(known) or 'none'}")
            faults.append(
                {"name": name[:200], "value": request.args[name][:200], "reason": f"unknown query parameter, {hint}"}
            )
    if faults:
        raise Problem.of_values(faults)
