"""Files of samples, read and checked by DuckDB: a column a metric, a row a value, or series that a format read.

A file is first copied into a database of its own in a temporary folder, with its rows numbered, so that whatever
size it has it is read once, nothing of it is in the store before all of it was checked, and every complaint names
its row.
"""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYetError
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pandas as pd

from observatory.collection.files import queries as sql
from observatory.collection.files.series import Row
from observatory.collection.files.text import TextFile
from observatory.errors import InvalidInputError
from observatory.model import Progress, no_progress
from observatory.store.options import StoreOptions
from observatory.store.sql.literals import Parameters, file_literal, literal

INDEX = "index"
"""What a first column without a name is called: pandas writes its index so."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Rows that cannot be taken: how many, and the first of them with what is there."""

    rows: int
    row: int
    value: str


class SampleFile:
    """A file as tables of a database of its own; use it in a ``with`` block.

    A table is CSV, whose `text` is given, or Parquet. What is none is read by a format, and handed to `load_points`.

    Raises
    ------
    InvalidInputError
        The file is not the table it seemed to be.
    """

    columns: dict[str, str]

    def __init__(
        self,
        path: Path,
        options: StoreOptions,
        progress: Progress = no_progress,
        text: TextFile | None = None,
        *,
        is_table: bool = True,
    ) -> None:
        self.path = path
        self.notes: list[str] = []
        self._progress = progress
        self._folder = tempfile.TemporaryDirectory(prefix="observatory-import-")
        self._connection = duckdb.connect(str(Path(self._folder.name) / "file.duckdb"), config=options.config())
        self._connection.execute("SET TimeZone = 'UTC'")
        try:
            if is_table:
                parquet = f"read_parquet({file_literal(path)}, file_row_number := true)"
                self._reader = self._text_reader(text) if text else parquet
                self.columns = self._describe()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Remove all that was made."""
        self._connection.close()
        self._folder.cleanup()

    def load(self, columns: Mapping[str, str]) -> int:
        """Read the file's columns (name in the file to name here) with numbered rows; returns the number of rows."""
        self._run(sql.load(self._reader, columns), "reading")
        return int(self._value(sql.COUNT_RAW))

    def convert(self, statement: str) -> None:
        """Make one of the tables that checks look at."""
        self._run(statement, "checking")

    def violation(self, table: str, condition: str, value: str, parameters: Parameters = ()) -> Violation | None:
        """Rows of a table that meet a condition; None if none does."""
        found = self._connection.execute(sql.violation(table, condition, value), parameters).fetchone()
        return Violation(int(found[0]), int(found[1]), str(found[2])) if found and found[0] else None

    def count(self, statement: str) -> int:
        """The only number of a query's answer."""
        return int(self._value(statement))

    def frame(self, statement: str, parameters: Parameters = ()) -> pd.DataFrame:
        """Rows of a query."""
        return self._connection.execute(statement, parameters).df()

    def write(self, statement: str) -> Path:
        """Rows of a query as a Parquet file that is there until this is closed."""
        file = Path(self._folder.name) / "samples.parquet"
        self._run(f"COPY ({statement}) TO {literal(str(file))} (FORMAT parquet)", "sorting")
        return file

    def _value(self, statement: str) -> Any:
        row = self._connection.execute(statement).fetchone()
        return row[0] if row else None

    def _run(self, statement: str, what: str) -> None:
        """Run what may take long, and tell how far it is."""
        with ThreadPoolExecutor(1, thread_name_prefix="import") as pool:
            running = pool.submit(self._connection.execute, statement)
            while True:
                try:
                    running.result(0.1)
                    break
                except NotYetError:
                    self._progress(max(0, int(self._connection.query_progress())), 100, what)
                except duckdb.Error as error:
                    raise InvalidInputError(f"{self.path}: {_plain(error)}") from None
                except KeyboardInterrupt:
                    self._connection.interrupt()  # or Ctrl-C would wait until the statement is done
                    raise
        self._progress(100, 100, what)

    def load_points(self, rows: Iterable[Row]) -> None:
        """Keep what a format reads: row, series, time and value as they are written."""
        points = Path(self._folder.name) / "points.csv"
        with points.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        self._run(sql.load_points(str(points)), "reading")
        points.unlink()

    def load_series(self, rows: Sequence[tuple[int, str, str, str, str, float]]) -> int:
        """The rows of those series that are taken, as ``raw``; returns their number. See `queries.join_series`."""
        self._run(sql.join_series(rows), "reading")
        return int(self._value(sql.COUNT_RAW))

    def _text_reader(self, text: TextFile) -> str:
        """How DuckDB reads a CSV file; one that it would not understand is copied without what it stumbles over."""
        names = self._names(text)
        types = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
        path = self.path
        if text.encoding not in ("utf-8", "utf-8-sig") or text.head.separator or text.head.comments:
            path = Path(self._folder.name) / "clean.csv"
            with path.open("w", encoding="utf-8", newline="") as clean:
                clean.writelines(line for _, line in text.lines())
            if text.head.comments:
                self.notes.append("lines that begin with # are left out")
        return (
            f"read_csv({file_literal(path)}, auto_detect := false, header := true, "
            f"delim := {literal(text.head.delimiter)}, "
            f"quote := '\"', escape := '\"', strict_mode := true, columns := {{{types}}})"
        )

    def _names(self, text: TextFile) -> list[str]:
        """The names in the first line; a first column without one is called ``index``, as pandas leaves it."""
        names = list(text.head.names)
        if names and not names[0].strip() and INDEX not in names and any(names[1:]):
            names[0] = INDEX
        doubled = sorted({name for name in names if names.count(name) > 1 or not name.strip()})
        if doubled:
            raise InvalidInputError(
                f"{self.path}: column {doubled[0]!r} is there twice, or has no name, in the first line"
            )
        return names

    def _describe(self) -> dict[str, str]:
        try:
            frame = self.frame(f"DESCRIBE FROM {self._reader}")
        except duckdb.Error as error:
            raise InvalidInputError(f"{self.path}: {_plain(error)}") from None
        return {
            str(name): str(kind)
            for name, kind in zip(frame["column_name"], frame["column_type"], strict=True)
            if name != "file_row_number"
        }


def _plain(error: duckdb.Error) -> str:
    """The first lines of what DuckDB says, without its advice on options that are not ours."""
    text = str(error).removeprefix("Invalid Input Error: ").removeprefix("IO Error: ")
    where = re.search(r"Line: (\d+)", text)
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("  ")]
    wanted = [line for line in lines if not re.match(r"CSV Error|Original Line|Possible (fixes|solution)|\*", line)]
    return (f"line {where[1]}: " if where else "") + " ".join(wanted[:2])[:300]
