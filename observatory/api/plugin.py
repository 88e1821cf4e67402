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

from observatory.api.access import LOOPBACK
from observatory.api.app import create_app
from observatory.api.errors import MEDIA_TYPE, Problem
from observatory.api.startup import Startup
from observatory.api.wire import HEADERS
from observatory.errors import ObservatoryError
from observatory.runtime import Runtime, current

THREADS, PROBE_THREADS = 8, 2

Route = tuple[str, type[FallbackHandler], dict[str, Any]]


class ApiHandler(FallbackHandler):  # type: ignore[misc]
    """Hands requests to the application, and those Tornado refuses itself back as problem details."""

    def prepare(self) -> None:
        """Give the application what it can work with."""
        if not LOOPBACK.fullmatch(self.request.host):
            self.request.host = "refused"  # the container fails on a port that is no number; the header stays
        if self.request.headers.pop("Transfer-Encoding", None):  # it is read by now, and would be taken for empty
            self.request.headers["Content-Length"] = str(len(self.request.body))
        super().prepare()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """What goes wrong before the application is asked."""
        self.set_header("Content-Type", MEDIA_TYPE)
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.finish(Problem(status_code, self._reason).body(self.request.path))


def routes(runtime: Runtime, startup: Startup | None = None) -> list[Route]:
    """Tornado's patterns and handlers over `runtime`; probes have threads of their own, which no slow query holds."""
    app = create_app(runtime, startup)
    api = WSGIContainer(app, ThreadPoolExecutor(THREADS, "observatory-api"))
    probes = WSGIContainer(app, ThreadPoolExecutor(PROBE_THREADS, "observatory-probe"))
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
