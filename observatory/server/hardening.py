"""The server around the application: security headers and cookies of the pages, bounds for slow and large requests.

Panel and Bokeh offer no place for either, so their handlers' base class and HTTP server are replaced before they start.
"""

from __future__ import annotations

from typing import Any

import bokeh.server.server
from tornado.httpserver import HTTPServer
from tornado.web import RequestHandler

PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline' blob:; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
"""Bokeh compiles templates and scripts of components in the browser; nothing may come from, or go to, elsewhere."""
PAGE_HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
LARGEST_BODY = 16 << 20
"""Larger bodies end the connection before they are read; the application refuses from 1 MiB on."""
LARGEST_HEADERS = 64 << 10
PATIENCE = 30
"""Longest time a request's headers, or its body, may take to arrive [s]."""


class BoundedServer(HTTPServer):  # type: ignore[misc]
    """An HTTP server that waits for no one for ever."""

    def initialize(self, *arguments: Any, **options: Any) -> None:
        """See `HTTPServer`."""
        bounds = {
            "max_body_size": LARGEST_BODY,
            "max_header_size": LARGEST_HEADERS,
            "idle_connection_timeout": PATIENCE,
            "body_timeout": PATIENCE,
        }
        super().initialize(*arguments, **{**bounds, **options})


def harden(tls: bool) -> None:
    """Have every server made from now on be bounded, every page carry the headers, and no cookie cross sites."""
    headers = PAGE_HEADERS | ({"Strict-Transport-Security": "max-age=31536000"} if tls else {})

    def set_default_headers(handler: RequestHandler) -> None:
        handler.clear_header("Server")
        for name, value in headers.items():
            handler.set_header(name, value)

    bare = RequestHandler.set_cookie

    def set_cookie(handler: RequestHandler, name: str, value: Any, *more: Any, **options: Any) -> None:
        kept = {"samesite": "Lax", "secure": handler.request.protocol == "https"}  # Panel says neither
        bare(handler, name, value, *more, **kept | options)

    RequestHandler.set_default_headers = set_default_headers
    RequestHandler.set_cookie = set_cookie
    bokeh.server.server.HTTPServer = BoundedServer
