"""InfluxDB: CSV of Flux with or without annotations, and CSV of InfluxQL."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field

from observatory.collection.files.formats import FORMATS
from observatory.collection.files.series import Reading, Row, Series
from observatory.collection.files.text import Head, TextFile
from observatory.errors import InvalidInputError

ANNOTATIONS = ("#group", "#datatype", "#default")
_TIME, _VALUE, _FIELD, _MEASUREMENT = "_time", "_value", "_field", "_measurement"
_NO_LABELS = {"", "result", "table", "_start", "_stop", _TIME, _VALUE, _FIELD, _MEASUREMENT}
_NUMBERS = ("double", "long", "unsignedLong")


@dataclass(slots=True)
class _Table:
    """What is known of the rows that follow: names of columns, their types and what stands for an empty cell."""

    names: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    defaults: list[str] = field(default_factory=list)


class Flux:
    """What Flux answers; several tables may follow each other, each with columns of its own."""

    title = "InfluxDB's CSV"

    def recognise(self, head: Head) -> bool:
        """An annotation, or the columns that Flux always has."""
        if any(line.startswith(ANNOTATIONS) for line in head.all_lines):
            return True
        return {_TIME, _VALUE} <= set(head.names) or {"result", "table", _TIME} <= set(head.names)

    def read(self, file: TextFile, reading: Reading) -> Iterator[Row]:
        """Its values: one a row in ``_value``, or one in each column of numbers where it was pivoted."""
        reading.time, reading.seconds = _TIME, 1e-9
        known: dict[tuple[str, ...], int] = {}
        table, row = _Table(), 0
        with file.open() as text:
            for number, cells in enumerate(csv.reader(text), 1):
                if not any(cells):
                    table = _Table()  # a blank line ends a table, also one without annotations
                elif cells[0].startswith("#"):
                    table = _annotated(table, cells)
                elif not table.names:
                    table.names = [name.strip() for name in cells]
                    if _TIME not in table.names:
                        raise InvalidInputError(f"{file.path}: line {number} names no column {_TIME!r}")
                else:
                    if len(cells) != len(table.names):
                        raise InvalidInputError(
                            f"{file.path}: line {number} has {len(cells)} cells, its table names {len(table.names)}"
                        )
                    row += 1
                    yield from _values(_filled(cells, table.defaults), table, row, reading, known)


def _annotated(table: _Table, cells: list[str]) -> _Table:
    kind, rest = cells[0], ["", *cells[1:]]
    if table.names:  # annotations begin the next table
        table = _Table()
    if kind == "#datatype":
        table.types = rest
    elif kind == "#default":
        table.defaults = rest
    return table


def _filled(cells: list[str], defaults: list[str]) -> list[str]:
    return [cell or default for cell, default in zip(cells, defaults, strict=True)] if defaults else cells


def _values(
    cells: list[str], table: _Table, row: int, reading: Reading, known: dict[tuple[str, ...], int]
) -> Iterator[Row]:
    pairs = dict(zip(table.names, cells, strict=True))
    time = pairs.get(reading.wanted_time or _TIME, "")
    if _VALUE in pairs:
        if table.types and table.types[table.names.index(_VALUE)] not in _NUMBERS:
            kind = table.types[table.names.index(_VALUE)]
            reading.leave_out(f"row whose _value is no number but {kind}", pairs[_VALUE])
            return
        columns = {_VALUE: pairs.get(_FIELD, "")}
    else:  # pivoted: fields are columns
        columns = {name: name for name, kind in zip(table.names, table.types, strict=False) if kind in _NUMBERS}
        columns.pop("table", None)
    for column, name in columns.items():
        if pairs[column]:
            key = (column, name, *(f"{k}={v}" for k, v in pairs.items() if k not in _NO_LABELS and k not in columns),
                   pairs.get(_MEASUREMENT, ""))  # fmt: skip
            if key not in known:
                known[key] = reading.number(_series(pairs, column, name, set(columns)))
            yield row, known[key], time, pairs[column]


def _series(pairs: dict[str, str], column: str, name: str, values: set[str]) -> Series:
    measurement = pairs.get(_MEASUREMENT, "")
    full = ".".join(part for part in (measurement, name) if part) or column
    labels = {key: value for key, value in pairs.items() if key not in _NO_LABELS | values}
    return Series.labelled(full, labels, *dict.fromkeys(one for one in (name, measurement, column) if one))


class InfluxQl:
    """What ``influx -format csv`` prints: name of the measurement, tags, time in ns, and a column a field."""

    title = "InfluxDB's CSV of InfluxQL"

    def recognise(self, head: Head) -> bool:
        """The columns ``name``, ``tags`` and ``time`` in front, or ``name`` and ``time``."""
        return head.names[:3] == ["name", "tags", "time"] or (
            len(head.names) > 2 and head.names[:2] == ["name", "time"]
        )

    def read(self, file: TextFile, reading: Reading) -> Iterator[Row]:
        """Its values; a first line may come again in front of each measurement."""
        reading.seconds = 1e-9
        names: list[str] = []
        row = 0
        for cells in file.cells():
            if cells[0] == "name":
                names = cells
                continue
            if len(cells) != len(names):
                raise InvalidInputError(f"{file.path}: row {row + 1} has {len(cells)} cells, not {len(names)}")
            row += 1
            pairs = dict(zip(names, cells, strict=True))
            tags = dict(tag.split("=", 1) for tag in pairs.get("tags", "").split(",") if "=" in tag)
            for name in names[names.index("time") + 1 :]:
                if pairs[name]:
                    series = Series.labelled(f"{pairs['name']}.{name}", tags, name, pairs["name"])
                    yield row, reading.number(series), pairs["time"], pairs[name]


FORMATS.register("influxdb")(Flux())
FORMATS.register("influxql")(InfluxQl())
