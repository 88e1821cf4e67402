"""A DuckDB that another process serves over Quack, DuckDB's own protocol.

Statements run on the server, in a session of their own, so they mean what they mean in a file: prepared there,
with transactions. Batches are shipped into a table of their own first; attached tables take no MERGE.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import duckdb
import pandas as pd

from observatory.errors import StoreError, StoreUnreachableError
from observatory.store.engine.extensions import load
from observatory.store.engine.homes.abandoned import tagged
from observatory.store.engine.homes.local import LocalSession, plain_rows
from observatory.store.engine.interrupts import ends_on_ctrl_c
from observatory.store.options import StoreOptions
from observatory.store.sql import builders
from observatory.store.sql.literals import Parameters, Row, arguments, literal

SHIPPED = "batch_to_ship"
MANY = 10_000
"""Rows worth a file on the way: ten times as fast as shipping them."""
LOST = re.compile(
    r"Failed to send message|Could not connect|Auth(entication|orization) failed|[Ii]nvalid connection|"
    r"Connection (id|ID)|[Uu]nknown connection|has been (shut down|stopped)"
)
NOISE = re.compile(r"\s*LINE \d+:.*", re.DOTALL)
"""DuckDB quotes the statement that failed: here it is only the call that carried it."""
PAUSE = 0.05


class QuackSession:
    """A connection on the server; see `Session`."""

    def __init__(
        self, cursor: duckdb.DuckDBPyConnection, url: str, token: str, alias: str, path: Path | None = None
    ) -> None:
        self._cursor = cursor
        self._path = path
        self._views: dict[str, Path | None] = {}
        self._alias = alias
        self._in_transaction = False
        cursor.execute("SET TimeZone = 'UTC'")
        cursor.execute(f"ATTACH {literal(url)} AS {alias} (TYPE quack, TOKEN {literal(token)})")
        self._call("SET TimeZone = 'UTC'")

    def read(self, sql: str, parameters: Parameters = ()) -> pd.DataFrame:
        """See `Session.read`."""
        with ends_on_ctrl_c(self._cursor):
            return self._call(_bound(sql, parameters)).df()

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """See `Session.rows`."""
        with ends_on_ctrl_c(self._cursor):
            return plain_rows(self._call(_bound(sql, parameters)))

    def execute(self, sql: str, parameters: Parameters = ()) -> None:
        """See `Session.execute`."""
        self._call(_bound(sql, parameters))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """See `Session.transaction`; its statements say who holds it, so that the owner sees when this process ends."""
        self._call(tagged("BEGIN"))
        self._in_transaction = True
        try:
            yield
            self._end_transaction("COMMIT")
        except BaseException:
            with contextlib.suppress(duckdb.Error):  # the owner may be gone, and the transaction with it
                self._end_transaction("ROLLBACK")
            raise

    def _end_transaction(self, statement: str) -> None:
        """Without a tag: after it the session may be idle for as long as it likes."""
        self._in_transaction = False
        self._call(statement)

    def stage(self, name: str, batch: pd.DataFrame | Path) -> None:
        """See `Session.stage`; shipped to the server, or read by it from a file where it is on this machine."""
        if isinstance(batch, Path) and self._path is not None:
            self._views[name] = None
            self._call(builders.view_of_file(name, batch))
            return
        here = LocalSession(self._cursor)
        here.stage(SHIPPED, batch)
        try:
            if self._path is not None and isinstance(batch, pd.DataFrame) and len(batch) >= MANY:
                file = self._views[name] = self._path.with_name(f"{self._path.name}.{name}")
                here.execute(builders.copy_to_file(SHIPPED, file))
                self._call(builders.view_of_file(name, file))
            else:
                here.execute(f"CREATE OR REPLACE TABLE {self._alias}.{name} AS FROM {SHIPPED} LIMIT 0")
                here.execute(f"INSERT INTO {self._alias}.{name} FROM {SHIPPED}")
        finally:
            here.unstage(SHIPPED)

    def unstage(self, name: str) -> None:
        """See `Session.unstage`."""
        if name not in self._views:
            self._call(builders.drop_table(name))
            return
        file = self._views.pop(name)
        if file is not None:
            file.unlink(missing_ok=True)
        self._call(builders.drop_view(name))

    def close(self) -> None:
        """See `Session.close`."""
        with contextlib.suppress(duckdb.Error):
            self._cursor.execute(f"DETACH {self._alias}")
        with contextlib.suppress(duckdb.Error):
            self._cursor.close()

    def _call(self, sql: str) -> duckdb.DuckDBPyConnection:
        if self._in_transaction:
            sql = tagged(sql)
        try:
            with ends_on_ctrl_c(self._cursor):
                return self._cursor.execute("FROM quack_query_by_name(?, ?)", [self._alias, sql])
        except duckdb.Error as error:
            raise type(error)(NOISE.sub("", str(error))) from None


class QuackHome:
    """What a server at `url` serves; see `Home`.

    Parameters
    ----------
    url
        ``quack:host:port``, with or without ``//``.
    token
        The server's secret.
    options
        Limits of the client's own DuckDB.
    name
        What users are told.
    path
        The file behind it, where it is on this machine.
    """

    how = "through the process that serves it"
    tidies = True
    upkeep: tuple[str, ...] = ()
    _aliases = itertools.count()

    def __init__(self, url: str, token: str, options: StoreOptions, name: str, path: Path | None = None) -> None:
        self.name = name
        self.path = path
        self.read_only = options.read_only
        self._url, self._token = url.replace("quack://", "quack:"), token
        self._connection = duckdb.connect(config=options.config())
        try:
            load(self._connection, "httpfs", "quack")
            self.session().close()
        except BaseException:
            self._connection.close()
            raise

    @classmethod
    def reach(cls, url: str, options: StoreOptions) -> Self:
        """Connect to the server a user named.

        Raises
        ------
        StoreUnreachableError, StoreExtensionError
            Nobody answers there, or not to this token.
        """
        if options.token is None:
            raise StoreError(f"store {url} needs its token: set OBSERVATORY_STORE_TOKEN to the token of its owner")
        deadline = time.monotonic() + options.patience
        while True:
            try:
                return cls(url, options.token, options, url)
            except duckdb.Error as error:
                if "Authentication failed" in str(error):
                    why = "refuses the token: set OBSERVATORY_STORE_TOKEN to the token of its owner"
                    raise StoreUnreachableError(f"store {url} {why}") from None
                if time.monotonic() > deadline:
                    raise StoreUnreachableError(
                        f"store {url} cannot be reached: is its owner running (OBSERVATORY_STORE_PORT there), and "
                        "is the address right?"
                    ) from None
                time.sleep(PAUSE)

    def session(self) -> QuackSession:
        """See `Home.session`."""
        alias = f"served_{next(self._aliases)}"
        return QuackSession(self._connection.cursor(), self._url, self._token, alias, self.path)

    def is_lost(self, error: duckdb.Error) -> bool:
        """See `Home.is_lost`."""
        return isinstance(error, duckdb.IOException | duckdb.HTTPException) or LOST.search(str(error)) is not None

    def close(self) -> None:
        """See `Home.close`."""
        with contextlib.suppress(duckdb.Error):
            self._connection.close()


def _bound(sql: str, parameters: Parameters) -> str:
    """A statement with its values, prepared anew each time: DuckDB 1.5 plans by what tables held at the PREPARE."""
    return f"PREPARE statement AS {sql}; EXECUTE statement{arguments(parameters)}" if parameters else sql


def serve(connection: duckdb.DuckDBPyConnection, port: int, token: str) -> str:
    """Serve a connection's database on a port of loopback; returns the URL that clients use.

    Raises
    ------
    StoreExtensionError, duckdb.Error
        Quack is not installed; the port is taken.
    """
    load(connection, "httpfs", "quack")
    connection.execute(f"CALL quack_serve('quack:127.0.0.1:{port:d}', token := {literal(token)})")
    return f"quack:127.0.0.1:{port:d}"


def stop(connection: duckdb.DuckDBPyConnection, url: str) -> None:
    """Stop serving."""
    with contextlib.suppress(duckdb.Error):
        connection.execute(f"CALL quack_stop({literal(url)})")
