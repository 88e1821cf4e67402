"""Times as people's programs write them: ``18.11.2026 10:00``, ``11/18/2026, 10:00 AM``, ``Nov 18, 2026, 10:00 am``.

Whether the day or the month comes first is taken from the times themselves: a 13 or more in one place decides for all
rows. Where none does, the file is refused until its user says.
"""
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Literal

from observatory.store.sql.literals import literal

DayOrder = Literal["day-first", "month-first"]
ORDERS: tuple[DayOrder, ...] = ("day-first", "month-first")

_CLOCKS = ("", "%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%I %p")
_DATES = ("<1>.<2>.%Y", "<1>/<2>/%Y", "<1>-<2>-%Y", "%Y.<1>.<2>",
          "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%b %d %Y")  # fmt: skip
"""Ways of writing a date; ``<1>`` and ``<2>`` are day and month, or month and day."""
LAYOUTS = tuple(
    date + (between + clock if clock else "")
    for clock, date, between in product(_CLOCKS, _DATES, (" ", ", "))
    if clock or between == " "
)
"""All ways of writing a time that is not ISO 8601."""


@dataclass(frozen=True, slots=True)
class DateStyle:
    """How a file writes its times: the layouts there are in it, and what comes first in those of numbers."""

    layouts: tuple[str, ...]
    order: DayOrder = "day-first"

    def parsed(self, text: str) -> str:
        """SQL of a time without a zone; NULL where `text` is written otherwise."""
        return parsed(text, self.layouts, self.order)


def formats(layouts: Sequence[str], order: DayOrder) -> list[str]:
    """`layouts` as formats of `strptime`."""
    first, second = ("%d", "%m") if order == "day-first" else ("%m", "%d")
    return list(dict.fromkeys(layout.replace("<1>", first).replace("<2>", second) for layout in layouts))


def parsed(text: str, layouts: Sequence[str], order: DayOrder) -> str:
    """SQL of a time without a zone; NULL where `text` is written in none of `layouts`."""
    if not layouts:
        return "NULL::TIMESTAMP"
    return f"try_strptime({text}, [{', '.join(map(literal, formats(layouts, order)))}])"


def next_unread(text: str, understood: str, layouts: Sequence[str]) -> str:
    """SQL over ``raw``: the first text that is neither `understood` nor in `layouts`, whichever order it has."""
    ways = " AND ".join(f"{parsed(text, layouts, order)} IS NULL" for order in ORDERS)
    unread = f"({understood}) IS NULL AND {text} != '' AND {ways}"
    return f'SELECT {text} AS text FROM raw WHERE {unread} ORDER BY "row" LIMIT 1'


def layouts_of(text: str) -> list[str]:
    """The ways of `LAYOUTS` in which one text may be written."""
    return [layout for layout in LAYOUTS if any(_is_in(text, formats([layout], order)[0]) for order in ORDERS)]


def _is_in(text: str, layout: str) -> bool:
    try:
        datetime.strptime(text, layout)  # noqa: DTZ007 - only whether it can be read
    except ValueError:
        return False
    return True


def evidence(text: str, understood: str, layouts: Sequence[str]) -> str:
    """SQL over ``raw``, of the texts in `layouts`: how many each order reads, and what decides between them.

    Columns: ``texts``, ``day_first`` and ``month_first`` (how many are read so), ``differ`` (how many are another time
    the other way), ``example`` of those, and ``deciding``: the first row and text that only one order reads.
    """
    return f"""
WITH both_ways AS (
    SELECT "row", {text} AS text, {parsed(text, layouts, "day-first")} AS day_first,
        {parsed(text, layouts, "month-first")} AS month_first
    FROM raw WHERE ({understood}) IS NULL AND {text} != ''
)
SELECT count(*) AS texts, count(day_first) AS day_first, count(month_first) AS month_first,
    count(*) FILTER (day_first != month_first) AS differ,
    arg_min(text, "row") FILTER (day_first != month_first) AS example,
    min("row") FILTER ((day_first IS NULL) != (month_first IS NULL)) AS deciding_row,
    arg_min(text, "row") FILTER ((day_first IS NULL) != (month_first IS NULL)) AS deciding
FROM both_ways
"""
