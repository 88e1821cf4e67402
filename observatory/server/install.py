"""What `panel serve` makes is put behind the gate, and is bounded.

Panel and Bokeh offer no place for either, so the classes that they make their server of are replaced before they do.
"""

from __future__ import annotations

import sys
from typing import Any

import bokeh.server.server
from bokeh.server.tornado import BokehTornado
from tornado.httpserver import HTTPServer

from observatory.server.hardening import BoundedServer

OURS = "observatory.views.app"
"""What a script imports that shows the dashboard."""


def harden(everything: bool = True) -> None:
    """Have every server made from now on stand behind the gate; or only those that show the dashboard."""

    def application(applications: Any, **options: Any) -> BokehTornado:
        if not everything and not any(map(_shows_dashboard, dict(applications).values())):
            return BokehTornado(applications, **options)
        from observatory.errors import ObservatoryError
        from observatory.runtime.current import current
        from observatory.server.application import GatedTornado

        try:
            return GatedTornado(applications, runtime=current(), **options)
        except ObservatoryError as error:
            sys.exit(f"error: {error}")

    def server(application: Any, **options: Any) -> HTTPServer:
        is_plain = type(application) is BokehTornado
        return HTTPServer(application, **options) if is_plain else BoundedServer(application, **options)

    bokeh.server.server.BokehTornado = application
    bokeh.server.server.HTTPServer = server


def _shows_dashboard(application: Any) -> bool:
    runners = [getattr(handler, "_runner", None) for handler in application.handlers]
    return any(OURS in (getattr(runner, "source", None) or "") for runner in runners)
