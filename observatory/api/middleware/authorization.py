"""Who may call what: every route declares its access, and other sites may not write.

The `Authenticator` says who calls; what the call reads passes through what that caller may see (`context.runtime`).
A browser calls on behalf of any page it shows, and where nobody has to sign in that is enough; hence the checks of
``Host`` (a foreign name that resolves to this machine), ``Origin`` and ``Sec-Fetch-Site``.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from flask import Flask, current_app, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from observatory.access import Caller, Role, authenticator_of
from observatory.api.context import BODY_LIMIT, context
from observatory.api.middleware import cors, rate_limits
from observatory.api.problems import Problem
from observatory.config import Settings
from observatory.config.loopback import is_loopback
from observatory.suggest import did_you_mean

View = TypeVar("View", bound=Callable[..., Any])

HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::[0-9]{1,5})?")
USER, PANEL_LOGIN = "observatory.user", "observatory.panel_login"
"""Where the server leaves who signed in to the dashboard; no header of a client can say so."""
SAFE = {"GET", "HEAD", "OPTIONS"}
_DECLARED = "__access__"


class Access(StrEnum):
    """What a caller must be allowed to; `PUBLIC` routes are probes and tell nothing about services."""

    PUBLIC = "public"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    @property
    def role(self) -> Role:
        """The least role that has it."""
        return {"write": Role.OPERATOR, "admin": Role.ADMIN}.get(self, Role.VIEWER)


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


def identify() -> Caller:
    """Ask the authenticator who sent this request; raises NotSignedInError, ForbiddenError."""
    given = request.environ
    found = authenticator_of(context().runtime).caller(
        request.headers.get("Authorization"), given.get(USER), request.remote_addr, bool(given.get(PANEL_LOGIN))
    )
    g.caller = found
    return found


def _check() -> None:
    level = None if request.endpoint is None else declared(current_app, request.endpoint)
    if level is not Access.PUBLIC and "Authorization" not in request.headers:  # a key in hand is nobody's cookie
        _refuse_foreign_host()
    if request.method not in SAFE:
        _refuse_other_sites()
    if level is not Access.PUBLIC:
        _refuse_strangers(level or Access.READ)
    if (request.content_length or 0) > BODY_LIMIT:
        raise RequestEntityTooLarge(f"the body is larger than {BODY_LIMIT} bytes")
    if request.endpoint is not None and request.routing_exception is None and level is not Access.PUBLIC:
        spec = getattr(current_app.view_functions[request.endpoint], "_spec", {})
        _refuse_other_media("body" in spec)
        _refuse_unknown_parameters(spec)


def _refuse_strangers(level: Access) -> None:
    try:
        found = identify()
    finally:
        rate_limits.count()
    if not found.role.includes(level.role):
        raise Problem(403, f"this needs the role {level.role}, and {found.name!r} has the role {found.role}")
    if level is Access.ADMIN and not found.scope.is_everything:
        raise Problem(403, f"this concerns every service, and {found.name!r} may see {found.scope}")


def _refuse_foreign_host() -> None:
    host = request.headers.get("Host", "")
    if not serves(context().runtime.settings, host):
        raise Problem(421, f"Host {host!r} is not this server: ask for {expected_hosts(context().runtime.settings)}")


def serves(settings: Settings, host: str) -> bool:
    """Whether a ``Host`` header means this server. Addresses always do: only a name can be pointed at another's."""
    found = HOST.fullmatch(host)
    if found is None:
        return False
    name = found[1].lower()
    if is_loopback(name) or name in {known.lower() for known in settings.hosts}:
        return True
    if settings.is_loopback:
        return False
    return name in (settings.host.lower(), socket.gethostname().lower()) or _is_address(name.strip("[]"))


def expected_hosts(settings: Settings) -> str:
    """The names it answers to, for messages."""
    own = ["127.0.0.1", "localhost"] if settings.is_loopback else ["its address"]
    return " or ".join([*own, *settings.hosts]) + " (OBSERVATORY_HOSTS adds names)"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _refuse_other_sites() -> None:
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if cors.is_listed(origin) and "Authorization" in request.headers:
        return
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
            hint = did_you_mean(name, known, f"known are {', '.join(known) or 'none'}")
            faults.append(
                {"name": name[:200], "value": request.args[name][:200], "reason": f"unknown query parameter, {hint}"}
            )
    if faults:
        raise Problem.of_values(faults)
