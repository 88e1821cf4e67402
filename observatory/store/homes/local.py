"""Sessions of a DuckDB that lives in this process."""

from __future__ import annotations

import contextlib

import duckdb
import pandas as pd

from observatory.store.literals import Parameters


class LocalSession:
    """A cursor of a connection; see `Session`."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor
        cursor.execute("SET TimeZone = 'UTC'")

    def read(self, sql: str, parameters: Parameters = ()) -> pd.DataFrame:
        """See `Session.read`."""
        return self._cursor.execute(sql, parameters).df()

    def execute(self, sql: str, parameters: Parameters = ()) -> None:
        """See `Session.execute`."""
        self._cursor.execute(sql, parameters)

    def stage(self, name: str, batch: pd.DataFrame) -> None:
        """See `Session.stage`; the frame is read where it is."""
        self._cursor.register(name, batch)

    def unstage(self, name: str) -> None:
        """See `Session.unstage`."""
        self._cursor.unregister(name)

    def close(self) -> None:
        """See `Session.close`."""
        with contextlib.suppress(duckdb.Error):
            self._cursor.close()
