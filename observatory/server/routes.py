"""What the server serves: the handlers of its table that are known, and what each needs.

A handler that is not here ends the start. One that a framework adds and nothing of ours asks for stands here as
`REFUSED`: it is answered as if it were not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tornado.routing import PathMatches, Router
from tornado.web import RequestHandler

from observatory.access.gate import Access
from observatory.errors import ConfigError


class Kind(StrEnum):
    """How the gate treats a handler.

    `PAGE` leads to the login who is not signed in, `FILE` only refuses. `SOCKET` must come with a token of the page.
    `LOGIN` and `LOGOUT` begin and end a session. Behind `API` every route declares its own access, and asks the gate
    itself. `REFUSED` is not there, whoever asks.
    """

    PAGE = "page"
    FILE = "file"
    SOCKET = "socket"
    LOGIN = "login"
    LOGOUT = "logout"
    API = "api"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Route:
    """One declaration.

    Parameters
    ----------
    pattern
        As in Tornado's table; ``{page}`` stands for the path of a page, which is empty for the one at the root.
    handler
        Full name of its class; with a star at the end, that of any class it is derived from begins so.
    kind, access
        What it is, and what it needs.
    methods
        Those that are answered.
    largest
        Longest body of a request [bytes].
    """

    pattern: str
    handler: str
    kind: Kind
    access: Access = Access.READ
    methods: tuple[str, ...] = ("GET", "HEAD")
    largest: int = 0

    def covers(self, pattern: str, handler: type, pages: Iterable[str]) -> bool:
        """Whether this declares a row of the table."""
        patterns = {self.pattern} | {self.pattern.replace("{page}", page.rstrip("/")) for page in pages}
        if pattern.removesuffix("$") not in patterns:
            return False
        if self.handler.endswith("*"):
            return any(_name(base).startswith(self.handler[:-1]) for base in handler.__mro__)
        return _name(handler) == self.handler


API_BODY = 2 << 20
"""The API refuses from 1 MiB on, and says so; what is longer is not even read [bytes]."""
ANY = ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")
BOKEH, PANEL = "bokeh.server.views", "panel.io.server"
ROUTES = (
    Route("{page}/?", f"{PANEL}.DocHandler", Kind.PAGE),
    Route("/?", f"{PANEL}.RootHandler", Kind.PAGE),
    Route("{page}/ws", f"{PANEL}.WSHandler", Kind.SOCKET),
    Route("{page}/metadata", f"{BOKEH}.metadata_handler.MetadataHandler", Kind.FILE),
    Route("{page}/autoload.js", f"{PANEL}.AutoloadJsHandler", Kind.FILE),
    Route("{page}/static/(.*)", f"{BOKEH}.static_handler.StaticHandler", Kind.FILE),
    Route("/static/(?!extensions/)(.*)", f"{BOKEH}.static_handler.StaticHandler", Kind.FILE),
    Route("/static/(.*)", f"{BOKEH}.static_handler.StaticHandler", Kind.FILE),
    Route("/static/extensions/(.*)", f"{BOKEH}.multi_root_static_handler.MultiRootStaticHandler", Kind.FILE),
    Route("/favicon.ico", f"{BOKEH}.ico_handler.IcoHandler", Kind.FILE, Access.PUBLIC),
    Route("/login", "observatory.server.login.LoginHandler", Kind.LOGIN, Access.PUBLIC, ("GET", "POST"), 16 << 10),
    Route("/login", "panel.auth.*", Kind.LOGIN, Access.PUBLIC, ("GET", "POST"), 16 << 10),
    Route("/logout", "observatory.server.login.LogoutHandler", Kind.LOGOUT, Access.PUBLIC),
    Route("/logout", "panel.auth.LogoutHandler", Kind.LOGOUT, Access.PUBLIC),
    Route("/api/events", "observatory.api.routes.events.EventsHandler", Kind.API, methods=ANY),
    Route("/metrics", "observatory.api.wsgi.ApiHandler", Kind.API, methods=ANY, largest=API_BODY),
    Route("/api(?:/.*)?", "observatory.api.wsgi.ApiHandler", Kind.API, methods=ANY, largest=API_BODY),
    Route("/(?:healthz|readyz)", "observatory.api.wsgi.ApiHandler", Kind.API, methods=ANY, largest=API_BODY),
    Route("/components/(.*)", f"{PANEL}.ComponentResourceHandler", Kind.REFUSED),  # it imports what it is asked for
)


def rows(router: Router) -> Iterator[Any]:
    """Every rule of a table that ends at a handler, also those of tables within it."""
    for rule in router.rules:
        if isinstance(rule.target, Router):
            yield from rows(rule.target)
        else:
            yield rule


def pattern_of(rule: Any) -> str:
    """The pattern of a rule; empty where it goes by something else than the path."""
    return rule.matcher.regex.pattern if isinstance(rule.matcher, PathMatches) else ""


def declared(rule: Any, pages: Iterable[str]) -> Route:
    """What declares a rule.

    Raises
    ------
    ConfigError
        Nothing does.
    """
    pattern, handler = pattern_of(rule), rule.target
    if isinstance(handler, type) and issubclass(handler, RequestHandler):
        for route in ROUTES:
            if route.covers(pattern, handler, pages):
                return route
    raise ConfigError(
        f"handler {_name(handler)} at {pattern or rule.matcher!r} is not declared, so nobody has said who may reach "
        "it: leave out the option or plug-in that adds it, or declare it in observatory/server/routes.py"
    )


def _name(handler: Any) -> str:
    return f"{getattr(handler, '__module__', '')}.{getattr(handler, '__qualname__', handler)}"
