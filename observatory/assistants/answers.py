"""Answers: JSON that is short, with a word on what was left out, in which every text is data.

Whoever names a service or writes a note writes into the context of a model. So texts are quoted by JSON, cut, and
what nobody would see in them (zero width, right to left, tags) is written out.

>>> Answer({"of": "a\\u200bb"}, Rows("services", [{"service": "shop/cart"}], 3, "raise limit")).text()
'{"of":"a\\\\\\\\u200bb","services":[{"service":"shop/cart"}],"left_out":"services: 1 of 3 shown: raise limit"}'
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from observatory.catalog import metric as described
from observatory.plain import plain
from observatory.times import rfc3339

LARGEST = 20_000
"""Longest answer [characters]: some 6,000 tokens. Clients refuse, or cut, more than about 25,000."""
LONGEST_TEXT = 400
"""Longer texts are cut [characters]."""
NOT_KNOWN = "not known"
DIGITS = 4
"""Significant digits of a number."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of an answer.

    `total` is how many there are in all, None where there are more and nobody counted; `narrow` says how to see others.
    """

    name: str
    rows: Sequence[object]
    total: int | None
    narrow: str


class Answer:
    """Facts by name, then lists; of lists that do not fit the ends are left out, and the answer says so."""

    def __init__(self, facts: Mapping[str, object], *lists: Rows) -> None:
        self._facts = facts
        self._lists = lists

    def text(self, largest: int = LARGEST) -> str:
        """The answer as JSON of at most about `largest` characters."""
        shown = [[_written(row) for row in rows.rows] for rows in self._lists]
        room = largest - len(_written(self._facts)) - 200 * (1 + len(shown))
        while sum(map(_size, shown)) > room and any(shown):
            max(shown, key=_size).pop()
        members = [f"{_written(name)}:{_written(value)}" for name, value in self._facts.items()]
        pairs = list(zip(self._lists, shown, strict=True))
        members += [f"{_written(rows.name)}:[{','.join(kept)}]" for rows, kept in pairs]
        left_out = "; ".join(_left_out(rows, len(kept)) for rows, kept in pairs if rows.total != len(kept))
        return "{" + ",".join([*members, *([f'"left_out":{_written(left_out)}'] if left_out else [])]) + "}"


def page(name: str, found: Sequence[object], limit: int, narrow: str) -> Rows:
    """The first `limit` of what was asked for with a limit of one more."""
    return Rows(name, found[:limit], len(found) if len(found) <= limit else None, narrow)


def cut(text: str, longest: int = LONGEST_TEXT) -> str:
    """`text` in which nothing hides, not much longer than `longest`."""
    if len(text) <= longest:
        return plain(text, keep="")
    return plain(f"{text[:longest]}… ({len(text)} characters in all)", keep="")


def amount(metric: str, value: float | None) -> str:
    """A value of a metric for people, with its unit."""
    return NOT_KNOWN if value is None or not math.isfinite(value) else described(metric).show(value)


def _written(value: object) -> str:
    return json.dumps(_data(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _data(value: object) -> Any:
    """A value as JSON has it; a number that is none is null, which means that it is not known."""
    if isinstance(value, str):
        return cut(str(value))
    if isinstance(value, datetime):
        return rfc3339(value.replace(microsecond=0))
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {cut(str(name)): _data(inner) for name, inner in value.items()}
    if isinstance(value, Sequence):
        return [_data(inner) for inner in value]
    return value


def _size(rows: Sequence[str]) -> int:
    return sum(map(len, rows)) + len(rows)


def _left_out(rows: Rows, shown: int) -> str:
    count = f"{shown} of {rows.total} shown" if rows.total is not None else f"{shown} shown, there are more"
    return f"{rows.name}: {count}: {rows.narrow}"
