"""Routes for ``panel serve --plugins observatory.api.plugin``: the API beside the pages, and the worker behind both.

Importing this module does nothing; asking it for ``ROUTES`` opens the store of the settings, starts the worker and
arranges for both to end with the process.
"""

from __future__ import annotations

import atexit
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from observatory.api.app import create_app
from observatory.api.routes.events import EventsHandler, Streams
from observatory.api.wsgi import ApiHandler, WsgiContainer
from observatory.errors import ObservatoryError
from observatory.runtime import Runtime
from observatory.runtime.current import current
from observatory.runtime.startup import Startup
from observatory.server.install import harden

THREADS, PROBE_THREADS = 8, 2

Route = tuple[str, Any, dict[str, Any]]


def routes(runtime: Runtime, startup: Startup | None = None) -> list[Route]:
    """Tornado's patterns and handlers over `runtime`; probes have threads of their own, which no slow query holds."""
    app = create_app(runtime, startup)
    api = WsgiContainer(app, ThreadPoolExecutor(THREADS, "observatory-api"))
    streams = Streams(runtime.feed, api)
    probes = WsgiContainer(app, ThreadPoolExecutor(PROBE_THREADS, "observatory-probe"))
    return [
        (r"/api/events", EventsHandler, {"streams": streams}),
        (r"/metrics", ApiHandler, {"fallback": api}),
        (r"/api(?:/.*)?", ApiHandler, {"fallback": api}),
        (r"/(?:healthz|readyz)", ApiHandler, {"fallback": probes}),
    ]


def _serve_current() -> list[Route]:
    """Routes over the runtime of the process, which begins to work."""
    try:
        runtime = current()
        runtime.require_sources()
        harden()
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
