"""One DuckDB database: opening it, migrating it, running statements from many threads.

In one process there is one read-write connection and a cursor a thread; writes take turns.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from observatory.errors import StoreCorruptError, StoreError, StoreInUseError, StoreTooNewError
from observatory.store import queries

Parameters = Sequence[Any] | Mapping[str, Any]


class Database:
    """A DuckDB file, or ``:memory:``.

    Parameters
    ----------
    path
        Created when it does not exist; its folder must exist.
    metric_columns
        Columns that ``service_metrics`` must have; missing ones are added.

    Raises
    ------
    StoreInUseError, StoreCorruptError, StoreTooNewError, StoreError
        Each says what to do.
    """

    def __init__(self, path: str, metric_columns: Sequence[str]) -> None:
        self.path = path
        self._connection = _connect(path)
        self._local = threading.local()
        self._write_lock = threading.RLock()
        try:
            self._migrate(metric_columns)
        except BaseException:
            self._connection.close()
            raise

    def read(self, sql: str, parameters: Parameters = ()) -> pd.DataFrame:
        """Rows of a query as a frame; times are UTC."""
        try:
            return self._cursor().execute(sql, parameters).df()
        except duckdb.Error as error:
            raise StoreError(f"store {self.path}: reading failed: {error}") from error

    def value(self, sql: str, parameters: Parameters = ()) -> Any:
        """The first value of the first row, or None."""
        frame = self.read(sql, parameters)
        return frame.iat[0, 0] if len(frame) else None

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor whose statements are committed together, or not at all."""
        with self._write_lock:
            cursor = self._cursor()
            cursor.begin()
            try:
                yield cursor
                cursor.commit()
            except BaseException as error:
                cursor.rollback()
                if isinstance(error, duckdb.Error):
                    raise StoreError(f"store {self.path}: writing failed, nothing was changed: {error}") from error
                raise

    def upsert(self, table: str, batch: pd.DataFrame, keys: list[str], *, keep_known: bool = False) -> int:
        """Insert the rows of `batch`, or replace those with the same `keys`; the last of equals wins.

        Returns the number of rows in the batch after that.
        """
        if batch.empty:
            return 0
        rows = batch.drop_duplicates(keys, keep="last").reset_index(drop=True).copy()  # DuckDB reads no reversed view
        values = [column for column in rows.columns if column not in keys]
        with self.transaction() as cursor:
            cursor.register("incoming_batch", rows)
            try:
                cursor.execute(queries.merge(table, "incoming_batch", keys, values, keep_known=keep_known))
            finally:
                cursor.unregister("incoming_batch")
        return len(rows)

    def close(self) -> None:
        """Flush and close; further use is an error."""
        with self._write_lock:
            self._connection.close()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._local, "cursor", None)
        if cursor is None:
            try:
                cursor = self._connection.cursor()
            except duckdb.ConnectionException as error:
                raise StoreError(f"store {self.path} is closed") from error
            cursor.execute("SET TimeZone = 'UTC'")
            self._local.cursor = cursor
        return cursor

    def _migrate(self, metric_columns: Sequence[str]) -> None:
        scripts = _migrations()
        with self.transaction() as cursor:
            cursor.execute(queries.CREATE_MIGRATIONS)
            row = cursor.execute(queries.APPLIED_MIGRATION).fetchone()
            applied = int(row[0]) if row else 0
            if applied > max(scripts):
                raise StoreTooNewError(
                    f"store {self.path} has schema {applied}, this program knows up to {max(scripts)}: "
                    "upgrade the program, or name another file with OBSERVATORY_STORE"
                )
            for version in sorted(scripts):
                if version > applied:
                    cursor.execute(scripts[version])
                    cursor.execute(queries.RECORD_MIGRATION, [version])
            present = {name for (name,) in cursor.execute(queries.COLUMNS, ["service_metrics"]).fetchall()}
            for column in metric_columns:
                if column not in present:
                    cursor.execute(queries.add_column("service_metrics", column))


def _migrations() -> dict[int, str]:
    """Numbered scripts by number."""
    folder = resources.files("observatory.store") / "migrations"
    return {int(file.name[:4]): file.read_text() for file in folder.iterdir() if file.name.endswith(".sql")}


def _connect(path: str) -> duckdb.DuckDBPyConnection:
    if path != ":memory:":
        _check_path(Path(path))
    try:
        connection = duckdb.connect(path)
        connection.execute("SET TimeZone = 'UTC'")
        return connection
    except duckdb.Error as error:
        text = str(error)
        if "Could not set lock" in text:
            holder = text[text.find("(PID") :].split(")")[0].strip("(") if "(PID" in text else "another process"
            raise StoreInUseError(
                f"store {path} is in use by another process ({holder}): stop it (a running dashboard, notebook "
                "or worker), or name another file with OBSERVATORY_STORE"
            ) from None
        if "not a valid DuckDB database file" in text or isinstance(error, duckdb.SerializationException):
            raise StoreCorruptError(
                f"store {path} is not a DuckDB database: name another file with OBSERVATORY_STORE, "
                "or move this one away to start afresh"
            ) from None
        raise StoreError(f"store {path} cannot be opened: {text}") from error


def _check_path(path: Path) -> None:
    if path.is_dir():
        raise StoreError(f"store {path} is a folder: name a file in it with OBSERVATORY_STORE")
    if not path.absolute().parent.is_dir():
        raise StoreError(f"store {path} cannot be made: there is no folder {path.absolute().parent}")
    if path.is_file() and path.stat().st_size == 0:
        path.unlink()  # DuckDB refuses the empty file that mktemp makes
