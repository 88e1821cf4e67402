"""Names of series as servers and dashboards write them: a metric's name with labels in braces."""

from __future__ import annotations

import re
from functools import lru_cache

NAME = "__name__"
"""The label that holds a metric's name."""
Labels = dict[str, str]

_BRACES = re.compile(r"\s*(?P<name>[^{}]*?)\s*\{(?P<inner>.*)\}\s*", re.DOTALL)
_QUOTED = re.compile(r"""\s*(?:(?P<key>"(?:\\.|[^"\\])*"|[^\s=,"'{}]+)\s*=\s*)?"""
                     r"""(?P<value>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')\s*(?:,|$)""")  # fmt: skip
_BARE = re.compile(r"\s*(?P<key>[^\s=:,]+)\s*[:=]\s*(?P<value>[^,]*?)\s*(?:,|$)")
_AGGREGATION = re.compile(r"^(?:avg|sum|min|max|count|p\d+):")
_ESCAPES = {r"\n": "\n", r"\"": '"', r"\\": "\\", r"\'": "'"}


@lru_cache(maxsize=65536)  # dumps repeat the same series on every line
def parse(text: str) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    """A metric's name (may be empty) and its labels; None where `text` is not of that form.

    Understands Prometheus (``up{job="cart"}``, ``{__name__="up", job="cart"}``, ``{"a.b", job="cart"}``), Datadog
    (``avg:http.hits{service:cart,env:prod}``) and legends of Grafana (``http.mean {service: cart}``).

    >>> parse("avg:http.hits{service:cart}")
    ('http.hits', (('service', 'cart'),))
    """
    found = _BRACES.fullmatch(text)
    if found is None:
        return None
    labels = _pairs(found["inner"])
    if labels is None:
        return None
    name = _AGGREGATION.sub("", found["name"]) or labels.pop(NAME, "")
    labels.pop(NAME, None)
    return name, tuple(sorted(labels.items()))


def _pairs(inner: str) -> Labels | None:
    inner = inner.strip()
    if inner in ("", "*"):
        return {}
    return _read(inner, _QUOTED) or _read(inner, _BARE)


def _read(inner: str, pattern: re.Pattern[str]) -> Labels | None:
    labels: Labels = {}
    at = 0
    while at < len(inner):
        found = pattern.match(inner, at)
        if found is None or found.end() == at:
            return None
        labels[_unquoted(found["key"] or NAME)] = _unquoted(found["value"])
        at = found.end()
    return labels


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] in "\"'" and text[-1] == text[0]:
        return re.sub(r"""\\[n"'\\]""", lambda escape: _ESCAPES[escape[0]], text[1:-1])
    return text


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def written(name: str, labels: tuple[tuple[str, str], ...]) -> str:
    """A series as Prometheus writes it, for messages and for ``--map``."""
    inner = ", ".join(f'{key}="{_escaped(value)}"' for key, value in labels)
    return f"{name}{{{inner}}}" if inner or not name else name
