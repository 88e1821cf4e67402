"""Conditional requests: entity tags, 304, and bodies that are kept to be sent again."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property

from flask import Response, request

LEAST_COMPRESSED = 1024
"""Smallest body that is compressed [bytes]."""
LEVEL = 4
KEPT = 64


@dataclass(frozen=True)
class Rendered:
    """A body that may be sent again and again; `tag` stays as long as what it says, `following` is the next page."""

    body: bytes
    tag: str
    mimetype: str = "application/json"
    following: str | None = None

    @cached_property
    def compressed(self) -> bytes:
        """The same by gzip."""
        return gzip.compress(self.body, LEVEL, mtime=0)


class Renderings:
    """Bodies made from one object, by what was asked for; those of an older object are forgotten."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._origin: object = None
        self._kept: OrderedDict[Hashable, Rendered] = OrderedDict()

    def get(self, origin: object, key: Hashable, make: Callable[[], Rendered]) -> Rendered:
        """What was made from `origin` for `key`, or is made now."""
        with self._lock:
            if origin is not self._origin:
                self._origin = origin
                self._kept.clear()
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        made = make()
        with self._lock:
            if origin is not self._origin:  # there is a newer one meanwhile
                return made
            self._kept[key] = made
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return made


def next_link(path: str) -> str:
    """The header ``Link`` of an answer that goes on at `path` (RFC 8288)."""
    return f'<{path}>; rel="next"'


def tag_of(*parts: bytes) -> str:
    """A tag that changes with any of the parts."""
    return hashlib.blake2b(b"\0".join(parts), digest_size=12).hexdigest()


def send(rendered: Rendered) -> Response:
    """An answer from what was rendered before."""
    response = Response(mimetype=rendered.mimetype)
    if rendered.following is not None:
        response.headers["Link"] = next_link(rendered.following)
    response.set_etag(rendered.tag, weak=True)
    if matches(response):
        return response
    if takes_gzip() and len(rendered.body) >= LEAST_COMPRESSED:
        response.set_data(rendered.compressed)
        response.headers["Content-Encoding"] = "gzip"
    else:
        response.set_data(rendered.body)
    return response


def matches(response: Response) -> bool:
    """Whether the client has this answer already; then it becomes a `304`."""
    tag, _ = response.get_etag()
    if tag is None or not request.if_none_match.contains_weak(tag):
        return False
    response.status_code = 304
    response.set_data(b"")
    for name in ("Content-Type", "Content-Length"):
        response.headers.pop(name, None)
    return True


def takes_gzip() -> bool:
    return request.accept_encodings.quality("gzip") > 0
