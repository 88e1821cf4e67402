"""How answers travel: security headers, a size limit, gzip."""

from __future__ import annotations

import gzip

from flask import Flask, Response, request

from observatory.api.conditional import LEAST_COMPRESSED, LEVEL, matches, tag_of, takes_gzip
from observatory.api.problems import Problem
from observatory.api.rows import ROWS

HEADERS = {
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
COMPRESSIBLE = ("application/json", "application/problem+json", ROWS, "text/")


def add_headers(response: Response) -> Response:
    """What every answer carries: it is data, not a page, and not for other sites."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def install(app: Flask, largest: int) -> None:
    """Deliver every answer of `app` so; one of more than `largest` bytes is a problem instead."""

    def deliver(response: Response) -> Response:
        add_headers(response)
        if response.is_streamed or response.status_code == 304:
            return response
        for name in ("Accept", "Accept-Encoding", "Authorization", "Cookie"):
            response.vary.add(name)
        if len(response.get_data()) > largest:
            limit = f"the answer is larger than {largest} bytes: ask for less time, fewer metrics or a smaller limit"
            problem = Problem(400, limit, title="The answer would be too large")
            return add_headers(Response(problem.body(request.path), 400, content_type="application/problem+json"))
        if request.method in ("GET", "HEAD") and response.status_code == 200:
            if "ETag" not in response.headers:
                response.set_etag(tag_of(response.get_data()), weak=True)
            if matches(response):
                return response
        _compress(response)
        return response

    app.after_request(deliver)


def _compress(response: Response) -> None:
    body = response.get_data()
    kind = response.mimetype or ""
    if "Content-Encoding" in response.headers or len(body) < LEAST_COMPRESSED or not kind.startswith(COMPRESSIBLE):
        return
    if takes_gzip():
        response.set_data(gzip.compress(body, LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
