"""Routes for ``panel serve --plugins observatory.api.plugin``: the API beside the pages, and the worker behind both.

Importing this module does nothing; asking it for ``ROUTES`` opens the store of the settings, starts the worker and
arranges for both to end with the process.
"""

from __future__ import annotations

import atexit
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tornado.web import FallbackHandler
from tornado.wsgi import WSGIContainer

from observatory.access.session import GUEST
from observatory.api.access import HOST, PANEL_LOGIN, USER
from observatory.api.app import create_app
from observatory.api.errors import MEDIA_TYPE, Problem
from observatory.api.startup import Startup
from observatory.api.wire import HEADERS
from observatory.errors import ObservatoryError
from observatory.runtime import Runtime, current

THREADS, PROBE_THREADS = 8, 2

Route = tuple[str, type[FallbackHandler], dict[str, Any]]


class Container(WSGIContainer):  # type: ignore[misc]
    """Hands the application also who signed in to the dashboard."""

    def environ(self, request: Any) -> dict[str, Any]:
        """A request as WSGI has it."""
        made: dict[str, Any] = super().environ(request)
        made[USER], made[PANEL_LOGIN] = getattr(request, "observatory_login", (None, False))
        return made


class ApiHandler(FallbackHandler):  # type: ignore[misc]
    """Hands requests to the application, and those Tornado refuses itself back as problem details."""

    async def prepare(self) -> None:
        """Give the application what it can work with."""
        request = self.request
        host = HOST.fullmatch(request.host)
        if not host or int(request.host[host.end(1) + 1 :] or 0) > 65535:
            request.host = "refused"  # the container fails on a port that is no number; the header stays
        if request.headers.pop("Transfer-Encoding", None):  # it is read by now, and would be taken for empty
            request.headers["Content-Length"] = str(len(request.body))
        request.observatory_login = await self._signed_in()
        super().prepare()

    async def _signed_in(self) -> tuple[str | None, bool]:
        """Who signed in to the dashboard, and whether it was Panel that asked."""
        provider = getattr(self.application, "auth_provider", None)
        if provider is None or not (provider.get_user or provider.get_user_async):
            return None, False
        user = await provider.get_user_async(self) if provider.get_user_async else provider.get_user(self)
        return (None if user == GUEST else user), type(provider).__module__.startswith("panel.")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """What goes wrong before the application is asked."""
        self.set_header("Content-Type", MEDIA_TYPE)
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.finish(Problem(status_code, self._reason).body(self.request.path))


def routes(runtime: Runtime, startup: Startup | None = None) -> list[Route]:
    """Tornado's patterns and handlers over `runtime`; probes have threads of their own, which no slow query holds."""
    app = create_app(runtime, startup)
    api = Container(app, ThreadPoolExecutor(THREADS, "observatory-api"))
    probes = Container(app, ThreadPoolExecutor(PROBE_THREADS, "observatory-probe"))
    return [
        (r"/api(?:/.*)?", ApiHandler, {"fallback": api}),
        (r"/(?:healthz|readyz)", ApiHandler, {"fallback": probes}),
    ]


def _serve_current() -> list[Route]:
    """Routes over the runtime of the process, which begins to work."""
    try:
        runtime = current()
    except ObservatoryError as error:
        sys.exit(f"error: {error}")
    startup = Startup(runtime)
    served = routes(runtime, startup)
    atexit.register(startup.end)
    startup.begin()
    return served


def __getattr__(name: str) -> Any:
    if name == "ROUTES":
        return _serve_current()
    raise AttributeError(name)
