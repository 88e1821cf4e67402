"""Who may call what: every route declares its access, and other sites may not write.

There are no keys yet: the server binds loopback only, so whoever reaches it may read and write. A
browser on this machine reaches it too, on behalf of any page it shows; hence the checks of ``Host``
(a foreign name that resolves to loopback), ``Origin`` and ``Sec-Fetch-Site``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from flask import Flask, current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

from observatory.api.errors import Problem
from observatory.api.wire import BODY_LIMIT

View = TypeVar("View", bound=Callable[..., Any])

LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
SAFE = {"GET", "HEAD", "OPTIONS"}
_DECLARED = "__access__"


class Access(StrEnum):
    """What a caller must be allowed to; `PUBLIC` routes are probes and tell nothing about services."""

    PUBLIC = "public"
    READ = "read"
    WRITE = "write"


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
        if level is not Access.WRITE and not (rule.methods or set()) <= SAFE:
            raise TypeError(f"route {rule.rule} ({rule.endpoint}) takes {rule.methods}: it needs access to write")


def install(app: Flask) -> None:
    """Check each request of `app` before its handler sees it."""
    require_declarations(app)
    app.before_request(_check)


def _check() -> None:
    level = None if request.endpoint is None else declared(current_app, request.endpoint)
    if level is not Access.PUBLIC:
        _refuse_foreign_host()
    if request.method not in SAFE:
        _refuse_other_sites()
    if (request.content_length or 0) > BODY_LIMIT:
        raise RequestEntityTooLarge(f"the body is larger than {BODY_LIMIT} bytes")
    if request.endpoint is not None and request.routing_exception is None and level is not Access.PUBLIC:
        spec = getattr(current_app.view_functions[request.endpoint], "_spec", {})
        _refuse_other_media("body" in spec)
        _refuse_unknown_parameters(spec)


def _refuse_foreign_host() -> None:
    host = request.headers.get("Host", "")
    if not LOOPBACK.fullmatch(host):
        raise Problem(421, f"Host {host!r} is not this server: ask for 127.0.0.1 or localhost")


def _refuse_other_sites() -> None:
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site in ("cross-site", "same-site"):
        raise Problem(403, f"a page of another site may not write here (Sec-Fetch-Site: {site})")
    host = request.headers.get("Host", "")
    if origin is not None and origin.lower() not in (f"http://{host}".lower(), f"https://{host}".lower()):
        raise Problem(403, f"a page of another site may not write here (Origin: {origin})")


def _refuse_other_media(has_body: bool) -> None:
    if has_body and not request.is_json:
        raise Problem(415, "send the body as Content-Type: application/json", headers={"Accept": "application/json"})


def _refuse_unknown_parameters(spec: dict[str, Any]) -> None:
    """A mistyped filter would be ignored in silence."""
    known = [name for model, place in spec.get("args") or () if place == "query" for name in model.model_fields]
    faults = []
    for name in request.args:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known) or 'none'}"
            faults.append(
                {"name": name[:200], "value": request.args[name][:200], "reason": f"unknown query parameter, {hint}"}
            )
    if faults:
        raise Problem.of_values(faults)
