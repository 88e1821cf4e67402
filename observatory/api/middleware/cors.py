"""Pages of other origins: none may call, unless the settings list them; and then only with a key in hand."""

from __future__ import annotations

from flask import Flask, Response, request

from observatory.api import context
from observatory.api.problems import Problem

METHODS = "GET, HEAD, POST"
HEADERS = "Authorization, Content-Type, If-None-Match, Last-Event-ID"
EXPOSED = "ETag, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, X-Request-Id"


def is_listed(origin: str | None) -> bool:
    """Whether pages of an origin may call."""
    return origin is not None and origin in context.context().runtime.settings.cors_origins


def _preflight() -> Response | None:
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
        return None
    if not is_listed(request.headers.get("Origin")):
        raise Problem(403, "pages of this origin may not call: list it in OBSERVATORY_CORS_ORIGINS")
    headers = {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": HEADERS,
        "Access-Control-Max-Age": "600",
    }
    return Response(status=204, headers=headers)


def _share(response: Response) -> Response:
    if not context.context().runtime.settings.cors_origins:
        return response
    response.vary.add("Origin")
    origin = request.headers.get("Origin")
    if origin is not None and is_listed(origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = EXPOSED
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def install(app: Flask) -> None:
    """Answer other origins; to be installed before anything asks who calls."""
    app.before_request(_preflight)
    app.after_request(_share)
