"""A store's database: running statements from many threads while others do the same.

Everything is written so that it may be repeated: upserts, deletes by condition, migrations that look first. So
a statement that met a conflict, or lost its database, is simply run again.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import duckdb
import pandas as pd
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_delay,
    wait_random_exponential,
)

from observatory.errors import StoreError
from observatory.store.engine.homes.base import Home, Session
from observatory.store.sql import schema
from observatory.store.sql.literals import Parameters, Row

T = TypeVar("T")

PATIENCE = 60.0
"""Longest time a statement is repeated [s]."""
MOVED = re.compile(r"\.parquet\b.*No such file|No files found .*\.parquet", re.DOTALL)
"""An archived month was written anew while a query began: the next one finds its new file."""
ROOM = 64 * 2**20
"""Space that must be left on the disk of a file for a write to begin [bytes]."""
CONFLICTS = ("TransactionContext Error", "write-write conflict", "Conflict on", "Failed to commit DuckLake", "conflict")


class Statement(NamedTuple):
    """SQL and its values."""

    sql: str
    parameters: Parameters = ()


class _RepeatError(Exception):
    """Wraps an error that is not the end; the cause is what DuckDB said."""

    def __init__(self, times: int | None = None) -> None:
        super().__init__()
        self.times = times


class Database:
    """Statements over whatever home a store has.

    Parameters
    ----------
    open_home
        Opens the home; called again when it was lost.

    Raises
    ------
    StoreError
        Says what to do.
    """

    def __init__(self, open_home: Callable[[], Home]) -> None:
        self._open_home = open_home
        self._local = threading.local()
        self._lock = threading.RLock()
        self._write_lock = threading.RLock()
        self._closed = False
        self._pid = os.getpid()
        self.home = open_home()

    @property
    def name(self) -> str:
        """What was opened, without secrets."""
        return self.home.name

    @property
    def revision(self) -> int:
        """A number that grows with every write of any process."""
        return int(self.value(schema.REVISION))

    def read(self, sql: str, parameters: Parameters = ()) -> pd.DataFrame:
        """Rows of a query as a frame; times are UTC."""
        return self._repeat("reading failed", lambda session: session.read(sql, parameters))

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Rows of a query as plain values by column; for few of them. Missing is None, times are UTC."""
        return self._repeat("reading failed", lambda session: session.rows(sql, parameters))

    def value(self, sql: str, parameters: Parameters = ()) -> Any:
        """The first value of the first row, or None."""
        rows = self.rows(sql, parameters)
        return next(iter(rows[0].values())) if rows else None

    def numbers(self, table: str) -> list[str]:
        """Columns of numbers that a table has, of every program that ever wrote to it."""
        return list(self.read(schema.NUMBERS, [table])["column_name"])

    def write(
        self,
        statements: Sequence[Statement],
        batches: Mapping[str, pd.DataFrame | Path] | None = None,
        *,
        content: bool = True,
        lock: bool = True,
    ) -> None:
        """Run statements in one transaction: all of them, or none.

        They must be such that running them twice is the same as once. `batches` are tables for them, by the
        names that `batch_name` gave. Without `content` the revision stays: what is stored means the same after.
        Only making the tables, and writing another file, go without the `lock` that has writers take turns.
        """

        def work(session: Session) -> None:
            for statement in statements:
                session.execute(statement.sql, statement.parameters)

        self.transaction(work, batches, content=content, lock=lock)

    def transaction(
        self,
        work: Callable[[Session], T],
        batches: Mapping[str, pd.DataFrame | Path] | None = None,
        *,
        content: bool = True,
        lock: bool = True,
    ) -> T:
        """Do `work`, which may read between its statements, in one transaction; see `write`."""
        if self.home.read_only:
            raise StoreError(
                f"store {self.name} is open for reading only: set OBSERVATORY_STORE_READ_ONLY=false, "
                "and see to it that you may write its file"
            )
        staged = batches or {}

        def attempt(session: Session) -> T:
            try:
                for name, batch in staged.items():
                    session.stage(name, batch)
                return self._transact(session, work, content=content, lock=lock)
            finally:
                for name in staged:
                    with contextlib.suppress(duckdb.Error):
                        session.unstage(name)

        with self._write_lock:
            return self._repeat("writing failed, nothing was changed", attempt)

    def run(self, sql: str) -> None:
        """Run one statement outside of any transaction of ours."""
        self._repeat("a statement failed", lambda session: session.execute(sql))

    def require_room(self) -> None:
        """Refuse to write where the disk of a file is nearly full: DuckDB gives up on a file when that happens midway.

        Raises
        ------
        StoreError
        """
        folder = self.home.path.parent if self.home.path else None
        if folder is not None and (free := shutil.disk_usage(folder).free) < ROOM:
            raise StoreError(
                f"store {self.name}: writing failed, nothing was changed: {folder} has {free / 2**20:.0f} MiB left, "
                f"{ROOM / 2**20:.0f} are needed: make room"
            )

    def close(self) -> None:
        """Flush and close; further use is an error."""
        with self._write_lock, self._lock:
            if not self._closed:
                self._closed = True
                self._forget_session()
                self.home.close()

    @staticmethod
    def _transact(session: Session, work: Callable[[Session], T], *, content: bool, lock: bool) -> T:
        with session.transaction():
            if lock:
                session.execute(schema.LOCK, [int(content)])
            return work(session)

    def _repeat(self, failure: str, work: Callable[[Session], T]) -> T:
        retrying = Retrying(
            retry=retry_if_exception_type(_RepeatError),
            wait=wait_random_exponential(multiplier=0.01, max=0.1),
            stop=_is_enough,
            reraise=True,
        )
        try:
            result: T = retrying(self._attempt, work)
            return result
        except _RepeatError as error:
            raise StoreError(f"store {self.name}: {failure}: {error.__cause__}") from error.__cause__
        except duckdb.Error as error:
            raise StoreError(f"store {self.name}: {failure}: {error}") from error

    def _attempt(self, work: Callable[[Session], T]) -> T:
        home = self._present_home()
        try:
            return work(self._session(home))
        except duckdb.Error as error:
            if MOVED.search(str(error)):
                raise _RepeatError(times=6) from error
            if home.is_lost(error) or isinstance(error, duckdb.ConnectionException):  # a thread closed a lost home
                self._reopen(home)
            elif not is_conflict(error):
                raise
            raise _RepeatError from error

    def _present_home(self) -> Home:
        if os.getpid() != self._pid:  # a forked child opens the store anew
            self._pid = os.getpid()
            self._lock, self._write_lock, self._local = threading.RLock(), threading.RLock(), threading.local()
            self.home = self._open_home()
        return self.home

    def _session(self, home: Home) -> Session:
        if self._closed:
            raise StoreError(f"store {self.name} is closed")
        held: tuple[Home, Session] | None = getattr(self._local, "held", None)
        if held is not None and held[0] is home:
            return held[1]
        self._forget_session()
        session = home.session()
        self._local.held = home, session
        return session

    def _forget_session(self) -> None:
        held: tuple[Home, Session] | None = getattr(self._local, "held", None)
        self._local.held = None
        if held is not None:
            held[1].close()

    def _reopen(self, lost: Home) -> None:
        """Find the store again; threads that lost the same home do it once."""
        with self._lock:
            if self.home is lost and not self._closed:
                self._forget_session()
                lost.close()
                self.home = self._open_home()


def _is_enough(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    times = error.times if isinstance(error, _RepeatError) else None
    return stop_after_delay(PATIENCE)(state) or (times is not None and state.attempt_number >= times)


def batch_name() -> str:
    """A name for a batch that no other writer has."""
    return f"{schema.STAGING}{secrets.token_hex(6)}"


def is_conflict(error: duckdb.Error) -> bool:
    """Whether a statement failed only because another transaction was at the same rows."""
    return isinstance(error, duckdb.TransactionException) or any(word in str(error) for word in CONFLICTS)
