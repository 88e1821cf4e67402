"""Transactions whose client went away.

A client that is killed says no goodbye, and Quack keeps its session for ever, with what it had locked: no other
writer would get on (https://github.com/duckdb/duckdb-quack/issues/225). So clients mark the statements of a
transaction with who they are, and the owner looks whether they are still there.
"""

from __future__ import annotations

import os
import re
import socket

import duckdb

from observatory.store.engine.homes.processes import is_alive
from observatory.store.sql import tables as queries

PATIENCE = 30.0
"""Time for which a client may say nothing within a transaction [s]."""
MARK = "transaction of "
_MARKED = re.compile(rf"/\* {MARK}(.+?):(\d+) \*/")


def marked(sql: str) -> str:
    """A statement that tells which process holds its transaction."""
    return f"/* {MARK}{socket.gethostname()}:{os.getpid()} */ {sql}"


class Lookout:
    """Remembers what was seen at the looks before."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], float] = {}

    def abandoned(self, connection: duckdb.DuckDBPyConnection, now: float) -> list[str]:
        """Clients that went away, or fell silent, within a transaction, as ``host:pid``.

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
        found = connection.execute(queries.OPEN_TRANSACTIONS, {"mark": MARK}).fetchall()
        before, self._seen = self._seen, {}
        gone = []
        for session, began, state, statement in found:
            client = _MARKED.search(statement)
            if client is None:
                continue  # somebody's own statement that speaks of marks
            since = self._seen[session, began] = before.get((session, began), now)
            is_silent = state == "finished" and now - since >= PATIENCE
            is_gone = client[1] == socket.gethostname() and not is_alive(int(client[2]))
            if is_silent or (is_gone and since < now):  # seen before: no process of a container beside this one
                gone.append(f"{client[1]}:{client[2]}")
        return gone
