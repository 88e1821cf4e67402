"""The server around the application: headers of its pages, and bounds for slow and large requests."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Any

from tornado.httpserver import HTTPServer

from observatory.server.listener import Listener

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
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
LARGEST_BODY = 16 << 20
"""Longer bodies end the connection; shorter ones that are too long for what was asked are taken, and not kept."""
LARGEST_HEADERS = 64 << 10
PATIENCE = 30
"""Longest time a request's headers, or its body, may take to arrive [s]."""


class BoundedServer(HTTPServer):  # type: ignore[misc]
    """An HTTP server that waits for no one for ever, and believes no header about who asks."""

    def initialize(self, *arguments: Any, **options: Any) -> None:
        """See `HTTPServer`."""
        bounds = {"max_header_size": LARGEST_HEADERS, "idle_connection_timeout": PATIENCE, "body_timeout": PATIENCE}
        super().initialize(*arguments, **{**bounds, **options, "xheaders": False})

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """See `HTTPServer`."""
        super().add_sockets([Listener(bound) for bound in sockets])
