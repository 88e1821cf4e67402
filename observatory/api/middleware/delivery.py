"""How answers travel: entity tags so that who polls gets `304`, gzip, headers that keep them to themselves."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property

from flask import Flask, Response, request

from observatory.api.problems import Problem

HEADERS = {
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
WORTH_SQUEEZING = 1024
"""Smallest body that is compressed [bytes]."""
SQUEEZABLE = ("application/json", "application/problem+json", "text/")
LEVEL = 4
KEPT = 64


@dataclass(frozen=True)
class Rendered:
    """A body that may be sent again and again; `tag` stays as long as what it says."""

    body: bytes
    tag: str

    @cached_property
    def squeezed(self) -> bytes:
        """The same by gzip."""
        return gzip.compress(self.body, LEVEL, mtime=0)


class Renderings:
    """The last bodies by what they were made from."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Rendered] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Rendered]) -> Rendered:
        """What was made for `key`, or is made now."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        made = make()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return made


def tag_of(*parts: bytes) -> str:
    """A tag that changes with any of the parts."""
    return hashlib.blake2b(b"\0".join(parts), digest_size=12).hexdigest()


def send(rendered: Rendered) -> Response:
    """A JSON answer from what was rendered before."""
    response = Response(mimetype="application/json")
    response.set_etag(rendered.tag, weak=True)
    if _matches(response):
        return response
    if _takes_gzip() and len(rendered.body) >= WORTH_SQUEEZING:
        response.set_data(rendered.squeezed)
        response.headers["Content-Encoding"] = "gzip"
    else:
        response.set_data(rendered.body)
    return response


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
            if _matches(response):
                return response
        _squeeze(response)
        return response

    app.after_request(deliver)


def _matches(response: Response) -> bool:
    """Whether the client has this answer already; then it becomes a `304`."""
    tag, _ = response.get_etag()
    if tag is None or not request.if_none_match.contains_weak(tag):
        return False
    response.status_code = 304
    response.set_data(b"")
    for name in ("Content-Type", "Content-Length"):
        response.headers.pop(name, None)
    return True


def _takes_gzip() -> bool:
    return request.accept_encodings.quality("gzip") > 0


def _squeeze(response: Response) -> None:
    body = response.get_data()
    kind = response.mimetype or ""
    if "Content-Encoding" in response.headers or len(body) < WORTH_SQUEEZING or not kind.startswith(SQUEEZABLE):
        return
    if _takes_gzip():
        response.set_data(gzip.compress(body, LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
