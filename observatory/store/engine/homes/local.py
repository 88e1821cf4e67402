"""Sessions of a DuckDB that lives in this process."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from observatory.store.engine.interrupts import ends_on_ctrl_c
from observatory.store.sql import builders
from observatory.store.sql.literals import Parameters, Row


class LocalSession:
    """A cursor of a connection; see `Session`."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor
        cursor.execute("SET TimeZone = 'UTC'")

    def read(self, sql: str, parameters: Parameters = ()) -> pd.DataFrame:
        """See `Session.read`."""
        with ends_on_ctrl_c(self._cursor):
            return self._cursor.execute(sql, parameters).df()

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """See `Session.rows`."""
        with ends_on_ctrl_c(self._cursor):
            return plain_rows(self._cursor.execute(sql, parameters))

    def execute(self, sql: str, parameters: Parameters = ()) -> None:
        """See `Session.execute`."""
        with ends_on_ctrl_c(self._cursor):
            self._cursor.execute(sql, parameters)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """See `Session.transaction`."""
        self._cursor.execute("BEGIN")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(duckdb.Error):  # the database may be lost, and the transaction with it
                self._cursor.execute("ROLLBACK")
            raise

    def stage(self, name: str, batch: pd.DataFrame | Path) -> None:
        """See `Session.stage`; it is read where it is."""
        if isinstance(batch, Path):
            self._cursor.execute(builders.view_of_file(name, batch))
        else:
            self._cursor.register(name, batch)

    def unstage(self, name: str) -> None:
        """See `Session.unstage`."""
        self._cursor.unregister(name)
        self._cursor.execute(builders.drop_view(name))

    def close(self) -> None:
        """See `Session.close`."""
        with contextlib.suppress(duckdb.Error):
            self._cursor.close()


def plain_rows(answer: duckdb.DuckDBPyConnection) -> list[Row]:
    """An answer as plain values, at a quarter of what a frame of a few rows costs."""
    columns = {name: _plain(values) for name, values in answer.fetchnumpy().items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(values: Any) -> list[Any]:
    plain = values.tolist()
    if values.dtype.kind == "M":
        return [None if value is None else value.replace(tzinfo=UTC) for value in plain]
    if values.dtype.kind == "f":
        return [None if value is None or math.isnan(value) else value for value in plain]
    return list(plain)
