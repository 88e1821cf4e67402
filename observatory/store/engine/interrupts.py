"""Ctrl-C during a query ends it, and is a KeyboardInterrupt as anywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb


@contextmanager
def ends_on_ctrl_c(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Raise KeyboardInterrupt when Ctrl-C comes while `connection` is at a query.

    DuckDB says RuntimeError then, with the interrupt as its cause, and goes on with the query; the next statement
    would wait for its end.
    """
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        connection.interrupt()
        raise KeyboardInterrupt from error
