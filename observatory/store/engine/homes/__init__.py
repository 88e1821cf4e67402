"""Where a store lives, by its URL: a DuckDB file, a DuckDB that another process serves, a lake.

A home gives out sessions, one a thread; the same statements run in all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import duckdb
import pandas as pd

from observatory.errors import StoreError
from observatory.store.options import StoreOptions
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


def home_opener(url: str, options: StoreOptions) -> Callable[[], Home]:
    """What opens the home of `url`, and opens it again when it is lost.

    Raises
    ------
    StoreError
        No home has URLs of this form.
    """
    if url.startswith("quack:"):
        from observatory.store.engine.homes.quack import QuackHome

        return lambda: QuackHome.reach(url, options)
    if url.startswith("ducklake:"):
        from observatory.store.engine.homes.lake import LakeHome

        return lambda: LakeHome(url, options)
    if "://" in url:
        raise StoreError(
            f"store {url.split('://')[0]}://… cannot be opened: OBSERVATORY_STORE takes the path of a DuckDB file, "
            f"quack://host:port, ducklake:postgres:…, or {MEMORY}"
        )
    from observatory.store.engine.homes.file import open_file

    return lambda: open_file(url, options)
