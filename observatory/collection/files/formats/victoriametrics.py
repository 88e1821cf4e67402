"""VictoriaMetrics: JSON lines of ``/api/v1/export``, and CSV of ``/api/v1/export/csv``, which names no columns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from observatory.collection.files.formats import FORMATS
from observatory.collection.files.series import Reading, Row, Series
from observatory.collection.files.text import Head, TextFile
from observatory.errors import InvalidInputError

_NUMBER = re.compile(r"[+-]?[0-9.]+([eE][+-]?\d+)?|[+-]?Inf|NaN|null")
_EPOCH = re.compile(r"\d{10}(\.\d+)?|\d{13}|\d{16}|\d{19}")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*")
_SECONDS = {10: 1.0, 13: 1e-3, 16: 1e-6, 19: 1e-9}


class JsonLines:
    """A series a line."""

    title = "VictoriaMetrics' JSON lines"

    def recognise(self, head: Head) -> bool:
        """The first line has a metric, values and timestamps."""
        first = head.all_lines[0]
        return head.starts == "{" and '"metric"' in first and '"values"' in first and '"timestamps"' in first

    def read(self, file: TextFile, reading: Reading) -> Iterator[Row]:
        """Its values; times are ms, null is no value. A series may go on in a later line."""
        reading.time, reading.seconds = "timestamps", 1e-3
        for line_number, line in file.lines():
            if not line.strip():
                continue
            try:
                one = json.loads(line)
                number = reading.number(Series.labelled("", one["metric"]))
                for time, value in zip(one["timestamps"], one["values"], strict=True):
                    if value is not None:
                        yield line_number, number, repr(time), str(value)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise InvalidInputError(
                    f"{file.path}: line {line_number} is no series of VictoriaMetrics: {error!r}"
                ) from None


class HeadlessCsv:
    """Texts, a number and a time in each row, in the order that whoever exported them asked for."""

    title = "CSV without names of columns (VictoriaMetrics)"

    def recognise(self, head: Head) -> bool:
        """The first row is data: one time, one other number, and texts."""
        return bool(head.rows) and _roles(head.names) is not None

    def read(self, file: TextFile, reading: Reading) -> Iterator[Row]:
        """Its values; columns are called ``column 1``, ``column 2`` and so on."""
        roles = _roles(file.head.names)
        if roles is None:
            raise InvalidInputError(f"{file.path}: the first row is not one time, one number and texts")
        at, value_at = roles
        first = file.head.names[at]
        reading.time = f"column {at + 1}"
        reading.seconds = _SECONDS.get(len(first.split(".")[0]), 1e-3)
        for row, cells in enumerate(file.cells(), 1):
            if len(cells) != len(file.head.names):
                raise InvalidInputError(f"{file.path}: row {row} has {len(cells)} cells, not {len(file.head.names)}")
            texts = {column: cell for column, cell in enumerate(cells) if column not in (at, value_at)}
            yield row, reading.number(_series(texts)), cells[at], cells[value_at]


def _roles(cells: list[str]) -> tuple[int, int] | None:
    """The columns of the time and of the value; None if they are not plain."""
    times = [n for n, cell in enumerate(cells) if _EPOCH.fullmatch(cell) or _RFC3339.fullmatch(cell)]
    values = [n for n, cell in enumerate(cells) if n not in times and _NUMBER.fullmatch(cell)]
    return (times[0], values[0]) if len(times) == len(values) == 1 and len(cells) > 2 else None


def _series(texts: dict[int, str]) -> Series:
    """A single text is a name as it is; several are labels by the number of their column."""
    labels = tuple((f"column {column + 1}", text) for column, text in texts.items())
    if len(labels) == 1:
        named = Series.named(labels[0][1])
        return named if named.labels else Series(named.text, labels=labels)
    return Series.labelled("", dict(labels), *texts.values())


FORMATS.register("victoriametrics")(JsonLines())
FORMATS.register("victoriametrics-csv")(HeadlessCsv())
