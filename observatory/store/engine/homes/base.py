"""What a home is: it gives out sessions, one a thread; the same statements run in all of them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import duckdb
import pandas as pd

from observatory.store.sql.literals import Parameters, Row

MEMORY = ":memory:"


class Session(Protocol):
    """A conversation with a database, for one thread. Every method raises `duckdb.Error`."""

    def read(self, sql: str, parameters: Parameters = ()) -> pd.DataFrame:
        """Rows of a query; times are UTC."""
        ...

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Rows of a query as plain values by column; missing, and NaN, is None."""
        ...

    def execute(self, sql: str, parameters: Parameters = ()) -> None:
        """Run a statement whose answer nobody needs."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Make the statements within one transaction: committed at its end, rolled back where anything is raised."""
        ...

    def stage(self, name: str, batch: pd.DataFrame | Path) -> None:
        """Make a frame, or a Parquet file of this machine, a table called `name` for the statements that follow."""
        ...

    def unstage(self, name: str) -> None:
        """Drop what was staged."""
        ...

    def close(self) -> None:
        """End the conversation; never raises."""
        ...


class Home(Protocol):
    """A place where a store lives."""

    name: str
    """What users are told; holds no secret."""
    how: str
    """How it was opened, in words."""
    path: Path | None
    """The file, where it is on this machine."""
    read_only: bool
    """Whether writing is refused."""
    tidies: bool
    """Whether rows stay in the order they were written in, so that sorting them pays."""
    upkeep: tuple[str, ...]
    """Statements of its own to run now and then."""

    def session(self) -> Session:
        """A new session; raises `duckdb.Error`."""
        ...

    def is_lost(self, error: duckdb.Error) -> bool:
        """Whether the database went away, rather than refused."""
        ...

    def close(self) -> None:
        """Let go of the database; never raises."""
        ...
