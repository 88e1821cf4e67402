"""Grafana's CSV: series joined by time, one series, a table with labels, or rows of series, time and value.

Times are ms since 1970, or clock times of the browser's zone where its user asked for formatted data; so are values
with their units (``120 ms``).
"""

from __future__ import annotations

from collections.abc import Iterator

from observatory.catalog import METRICS
from observatory.collection.files import labels
from observatory.collection.files.formats import FORMATS
from observatory.collection.files.formats.columns import read_columns, time_column
from observatory.collection.files.series import Reading, Row, Series
from observatory.collection.files.text import Head, TextFile
from observatory.errors import InvalidInputError
from observatory.model import SERVICE


class Grafana:
    """Panels, from *Inspect > Data* of today's Grafana and from the menu of old ones."""

    title = "Grafana's CSV"

    def recognise(self, head: Head) -> bool:
        """A column ``Time``; a table of ours that happens to have one names services and metrics."""
        names = head.names
        if "Time" not in names[:2] or len(names) < 2:
            return False
        lower = {name.lower() for name in names}
        ours = {"service", SERVICE} & lower and set(METRICS) & lower
        return not ours and "metric" not in lower

    def read(self, file: TextFile, reading: Reading) -> Iterator[Row]:
        """Its values, by whichever of its layouts it has."""
        names = file.head.names
        reading.seconds = 1e-3
        values = value_columns(names)
        if not values:
            return read_columns(file, reading)
        if "Series" in names or len(names) > 1 + len(values):
            return _read_rows(file, reading, values)
        return read_columns(file, reading)


def value_columns(names: list[str]) -> list[str]:
    """The columns of values of a table, one a query."""
    return [name for name in names if name == "Value" or name.startswith("Value #")]


def _read_rows(file: TextFile, reading: Reading, values: list[str]) -> Iterator[Row]:
    """A row has a time, what tells its series, and a value of it (or of each query)."""
    cells = file.cells()
    names = next(cells)
    at = time_column(names, reading.wanted_time, file.path)
    reading.time = names[at]
    by_value = [names.index(value) for value in values]
    told_by = [column for column in range(len(names)) if column != at and column not in by_value]
    known: dict[tuple[str, ...], list[int]] = {}
    for row, line in enumerate(cells, 1):
        if len(line) != len(names):
            raise InvalidInputError(f"{file.path}: row {row} has {len(line)} cells, the first line names {len(names)}")
        key = tuple(line[column] for column in told_by)
        if key not in known:
            pairs = {names[column]: line[column] for column in told_by}
            known[key] = [reading.number(_series(pairs, names[column])) for column in by_value]
        for number, column in zip(known[key], by_value, strict=True):
            if line[column]:
                yield row, number, line[at], line[column]


def _series(pairs: dict[str, str], value: str) -> Series:
    """Old Grafana has the legend of a series in a column of its own."""
    if "Series" in pairs and len(pairs) == 1:
        legend = pairs["Series"]
        name, kept = labels.parse(legend) or ("", (("Series", legend),))
        return Series(legend, name, kept, (value,))
    series = Series.labelled("", pairs, value)
    return Series(series.text if value == "Value" else f"{value} {series.text}", series.name, series.labels, (value,))


FORMATS.register("grafana")(Grafana())
