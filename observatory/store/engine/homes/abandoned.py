"""Transactions whose client went away.

A client that is killed says no goodbye, and Quack keeps its session for ever, with what it had locked: no other
writer would get on (https://github.com/duckdb/duckdb-quack/issues/225). So clients tag the statements of a
transaction with their host and process, and the owner looks whether they are still there.
"""

from __future__ import annotations

import os
import re
import socket

import duckdb

from observatory.store.engine.homes.processes import is_alive
from observatory.store.sql import schema

PATIENCE = 30.0
"""Time for which a client may be idle within a transaction [s]."""
TAG = "transaction of "
_TAGGED = re.compile(rf"/\* {TAG}(.+?):(\d+) \*/")


def tagged(sql: str) -> str:
    """A statement with a comment that says which process holds its transaction."""
    return f"/* {TAG}{socket.gethostname()}:{os.getpid()} */ {sql}"


class TransactionWatchdog:
    """Finds transactions whose clients went away; remembers what it saw before."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], float] = {}

    def abandoned(self, connection: duckdb.DuckDBPyConnection, now: float) -> list[str]:
        """Clients that went away, or are idle for too long, within a transaction, as ``host:pid``.

        Parameters
        ----------
        connection
            A connection of the process that serves.
        now
            Seconds of a clock that never goes back.

        Raises
        ------
        duckdb.Error
        """
        found = connection.execute(schema.OPEN_TRANSACTIONS, {"tag": TAG}).fetchall()
        before, self._seen = self._seen, {}
        gone = []
        for session, began, state, statement in found:
            client = _TAGGED.search(statement)
            if client is None:
                continue  # somebody's own statement that contains the words
            since = self._seen[session, began] = before.get((session, began), now)
            is_idle = state == "finished" and now - since >= PATIENCE
            is_gone = client[1] == socket.gethostname() and not is_alive(int(client[2]))
            if is_idle or (is_gone and since < now):  # seen before: no process of a container beside this one
                gone.append(f"{client[1]}:{client[2]}")
        return gone
