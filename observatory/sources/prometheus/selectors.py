"""Selectors of PromQL: names, labels and strings, quoted where they have to be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

LEGACY_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LEGACY_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def quoted(text: str) -> str:
    """A string of PromQL, whose escapes are those of JSON."""
    return json.dumps(text, ensure_ascii=False)


def label(name: str) -> str:
    """A label's name; Prometheus 3 has names of any characters, in quotes.

    >>> label("code"), label("http.response.status_code")
    ('code', '"http.response.status_code"')
    """
    return name if LEGACY_LABEL.fullmatch(name) else quoted(name)


def match(name: str, operator: str, value: str) -> str:
    """A matcher of a label.

    >>> match("code", "=~", "5..")
    'code=~"5.."'
    """
    return f"{label(name)}{operator}{quoted(value)}"


def select(name: str, *matchers: str) -> str:
    """A selector of a metric's series.

    >>> select("up"), select("up", 'job="a"'), select("http.requests", 'job="a"')
    ('up', 'up{job="a"}', '{"http.requests",job="a"}')
    """
    wanted = [matcher for matcher in matchers if matcher]
    if not LEGACY_NAME.fullmatch(name):
        return "{" + ",".join([quoted(name), *wanted]) + "}"
    return f"{name}{{{','.join(wanted)}}}" if wanted else name


def any_of(values: Iterable[str]) -> str:
    """A pattern that matches exactly these values."""
    return "|".join(re.escape(value) for value in values)
