"""Pages of other origins (CORS): none may call, unless the settings list them; and then only with a key in hand.

Flask-CORS writes the headers. What it has no option for is here: a preflight is answered before anybody asks for a
key, and refused with a reason; caches learn that answers differ by origin, whatever the origin was.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask import Flask, Response, request
from flask_cors import CORS

from observatory.api import context
from observatory.api.problems import Problem

METHODS = ("GET", "HEAD", "POST")
HEADERS = ("Authorization", "Content-Type", "If-None-Match", "Last-Event-ID")
EXPOSED = ("ETag", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After", "X-Request-Id")


def is_listed(origin: str | None) -> bool:
    """Whether pages of an origin may call."""
    return origin is not None and origin in context.context().runtime.settings.cors_origins


def _preflight() -> Response | None:
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
        return None
    if not is_listed(request.headers.get("Origin")):
        raise Problem(403, "pages of this origin may not call: list it in OBSERVATORY_CORS_ORIGINS")
    return Response(status=204)


def _tell_caches(response: Response) -> Response:
    response.vary.add("Origin")
    if is_listed(request.headers.get("Origin")):
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def install(app: Flask, origins: Sequence[str]) -> None:
    """Answer pages of these origins; to be installed before anything asks who calls."""
    app.before_request(_preflight)
    if not origins:
        return
    app.after_request(_tell_caches)
    CORS(
        app,
        origins=[re.compile(re.escape(origin) + r"\Z") for origin in origins],  # as text, [::1] would be a pattern
        methods=METHODS,
        allow_headers=HEADERS,
        expose_headers=EXPOSED,
        max_age=600,
        supports_credentials=False,
        always_send=False,
        vary_header=False,  # it would be sent to listed origins only
        intercept_exceptions=False,  # `after_request` sees the answers to errors as well
    )
