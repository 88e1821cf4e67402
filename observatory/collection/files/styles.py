"""How a file writes numbers and times, found out from all of its rows; where they do not decide, its user is asked."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from observatory.collection.files import dates, numbers
from observatory.collection.files import queries as sql
from observatory.collection.files.dates import DateStyle, DayOrder
from observatory.collection.files.numbers import NumberStyle
from observatory.collection.files.reader import SampleFile

_MOST_LAYOUTS = 4  # a file has one, or two where seconds that are 0 are left out


@dataclass(frozen=True, slots=True)
class Found:
    """A style with what was noted about it, or with what is wrong."""

    numbers: NumberStyle
    dates: DateStyle | None
    notes: tuple[str, ...]
    problems: tuple[str, ...]


def find_styles(
    file: SampleFile,
    values: Mapping[str, str],
    time: tuple[str, str] | None,
    decimal: str | None,
    missing: Sequence[str],
    order: DayOrder | None,
) -> Found:
    """The styles of the columns of ``raw``.

    `values` are columns of texts that hold numbers, and what the file calls them; `time` is the column of times, if it
    is one of texts, and what the file calls it. What is given is not looked for.
    """
    notes: list[str] = []
    problems: list[str] = []
    sign = decimal or (_decimal(file, values, notes, problems) if values else ".")
    written = _dates(file, time, order, notes, problems) if time else None
    return Found(NumberStyle(sign, tuple(missing)), written, tuple(notes), tuple(problems))


def _decimal(file: SampleFile, values: Mapping[str, str], notes: list[str], problems: list[str]) -> str:
    if not file.count(numbers.has_commas(list(values))):
        return "."
    found = file.frame(numbers.evidence(list(values)))
    shown = {sign: found[found["decimal"] == sign].sort_values("row").to_dict("records") for sign in numbers.DECIMALS}
    commas = found[found["decimal"].isna()].sort_values("row").to_dict("records")
    if not commas:
        return "."

    def at(one: Mapping[Hashable, object]) -> str:
        return f"column {values[str(one['column'])]!r}, row {one['row']}: {str(one['value'])[:40]!r}"

    if shown["."] and shown[","]:
        problems.append(
            f"{at(shown['.'][0])} has a decimal point, {at(shown[','][0])} a decimal comma: say which holds (--decimal)"
        )
    elif shown[","]:
        notes.append(f"numbers have a decimal comma ({at(shown[','][0])})")
        return ","
    elif shown["."]:
        notes.append(f"numbers have commas between groups of digits ({at(commas[0])})")
    else:
        problems.append(
            f"{at(commas[0])}: the comma may be a decimal one or stand between thousands, and no value decides: "
            "say which is the decimal sign (--decimal , or --decimal .)"
        )
    return "."


def _dates(
    file: SampleFile, time: tuple[str, str], order: DayOrder | None, notes: list[str], problems: list[str]
) -> DateStyle | None:
    column, name = time
    text = sql.time_text(column)
    understood = sql.time(column, "VARCHAR", "UTC", 1e-9)
    layouts: list[str] = []
    for _ in range(_MOST_LAYOUTS):
        unread = file.frame(dates.next_unread(text, understood, layouts))
        if unread.empty:
            break
        ways = dates.layouts_of(str(unread["text"].iloc[0]))
        if not ways:
            break  # no time at all: the check of rows names it
        layouts += ways
    if not layouts:
        return None
    found = file.frame(dates.evidence(text, understood, layouts)).iloc[0]
    return DateStyle(tuple(layouts), order or _order(found, name, notes, problems))


def _order(found: pd.Series, name: str, notes: list[str], problems: list[str]) -> DayOrder:
    by_order: dict[DayOrder, int] = {"day-first": int(found["day_first"]), "month-first": int(found["month_first"])}
    best: DayOrder = max(dates.ORDERS, key=lambda order: by_order[order])
    if by_order["day-first"] == by_order["month-first"] and int(found["differ"]):
        problems.append(
            f"column {name!r}: {str(found['example'])!r} may have its day or its month first, and no row decides: "
            "say which (--dates day-first, or month-first)"
        )
    elif by_order["day-first"] != by_order["month-first"]:
        first = best.partition("-")[0]
        notes.append(f"times have the {first} first (row {int(found['deciding_row'])}: {str(found['deciding'])!r})")
    return best
