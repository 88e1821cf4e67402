"""Pages: a cursor remembers the last item of a page by what the list is ordered by, so that pages fit together."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import request

from observatory.api.problems import Problem

T = TypeVar("T")
Key = Sequence[Any]


def cursor_of(key: Key) -> str:
    """The place after the item with that key."""
    return base64.urlsafe_b64encode(json.dumps(list(key)).encode()).decode().rstrip("=")


def place(cursor: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """The key in a cursor, whose parts are of these kinds; raises `Problem` for what no answer has given out."""
    if cursor is None:
        return None
    try:
        key = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
        if isinstance(key, list) and [type(part) for part in key] == list(kinds):
            return tuple(key)
    except (binascii.Error, ValueError, RecursionError):
        pass
    raise Problem.of_value("cursor", cursor, "is none that an answer gave: follow `next` of the page before")


def page_of(items: Sequence[T], key: Callable[[T], Key], after: Key | None, limit: int) -> tuple[list[T], str | None]:
    """The items after a key, at most `limit`, and the cursor of what follows; `items` are ordered by `key`."""
    rest = [item for item in items if after is None or tuple(key(item)) > tuple(after)]
    return rest[:limit], cursor_of(key(rest[limit - 1])) if len(rest) > limit else None


def next_page(cursor: str | None, limit: int, **query: Any) -> str | None:
    """Path and query of the page at `cursor`, with the same filters; None on the last."""
    if cursor is None:
        return None
    given = {name: value for name, value in query.items() if value not in (None, False, ())}
    return f"{request.path}?{urlencode(given | {'limit': limit, 'cursor': cursor}, doseq=True)}"
