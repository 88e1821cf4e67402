"""Sessions of a DuckDB that lives in this process."""

from __future__ import annotations

import contextlib
from pathlib import Path

import duckdb
import pandas as pd

from observatory.store import queries
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

    def stage(self, name: str, batch: pd.DataFrame | Path) -> None:
        """See `Session.stage`; it is read where it is."""
        if isinstance(batch, Path):
            self._cursor.execute(queries.view_of_file(name, batch))
        else:
            self._cursor.register(name, batch)

    def unstage(self, name: str) -> None:
        """See `Session.unstage`."""
        self._cursor.unregister(name)
        self._cursor.execute(queries.drop_view(name))

    def close(self) -> None:
        """See `Session.close`."""
        with contextlib.suppress(duckdb.Error):
            self._cursor.close()
