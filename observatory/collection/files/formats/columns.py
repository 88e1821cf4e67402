"""Tables with a column a series: the first column of times is joined by one of values for each series."""

from __future__ import annotations

from collections.abc import Iterator

from observatory.collection.files.formats import FORMATS
from observatory.collection.files.series import Reading, Row, Series
from observatory.collection.files.text import Head, TextFile
from observatory.errors import InvalidInputError

TIMES = ("time", "timestamp", "date", "datetime", "_time", "full label", "")
"""Names of the column of times, in any case; a pandas index often has none."""


def time_column(names: list[str], wanted: str | None, path: object) -> int:
    """The column of times: the one asked for, or the one with a usual name.

    Raises
    ------
    InvalidInputError
        There is none.
    """
    if wanted is not None and wanted in names:
        return names.index(wanted)
    found = next((number for usual in TIMES for number, name in enumerate(names) if name.lower() == usual), None)
    if found is None or wanted is not None:
        shown = ", ".join(map(repr, names[:MOST_NAMES]))
        missing = f"there is no column {wanted!r} for time" if wanted else "no column has the time"
        raise InvalidInputError(f"{path}: {missing} (columns: {shown}): map one (-m time=COLUMN)")
    return found


MOST_NAMES = 12


def read_columns(file: TextFile, reading: Reading, units: dict[str, str] | None = None) -> Iterator[Row]:
    """Values of a table whose first line names a series in each column but that of the time."""
    cells = file.cells()
    names = next(cells)
    at = time_column(names, reading.wanted_time, file.path)
    reading.time = names[at] or "the first column, which has no name"
    numbers: dict[int, int] = {}
    for column, name in enumerate(names):
        if column == at:
            continue
        if not name.strip():
            reading.leave_out("column without a name", f"column {column + 1}")
            continue
        series = Series.named(name, unit=(units or {}).get(name, ""))
        if series in reading.series:
            raise InvalidInputError(f"{file.path}: column {name!r} is there twice in the first line")
        numbers[column] = reading.number(series)
    for row, line in enumerate(cells, 1):
        if len(line) != len(names):
            raise InvalidInputError(f"{file.path}: row {row} has {len(line)} cells, the first line names {len(names)}")
        for column, number in numbers.items():
            if line[column]:
                yield row, number, line[at], line[column]


class Columns:
    """Any table with a column a series; only where it was asked for, as other tables have a column a metric."""

    title = "a table with a column a series"

    def recognise(self, head: Head) -> bool:
        """Never by itself."""
        return False

    def read(self, file: TextFile, reading: Reading) -> Iterator[Row]:
        """Its values; numbers that are times have the unit that ``--time-unit`` says."""
        return read_columns(file, reading)


FORMATS.register("columns")(Columns())
