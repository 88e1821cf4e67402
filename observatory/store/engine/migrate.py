"""Bringing a store's schema up to date: numbered scripts, each once, and a column for every metric."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources

import duckdb

from observatory.errors import StoreError, StoreTooNewError
from observatory.store.engine.database import Database, Statement
from observatory.store.engine.homes.base import Home
from observatory.store.sql import builders, schema

Columns = Mapping[str, Sequence[str]]


def open_database(open_home: Callable[[], Home], columns: Columns) -> Database:
    """A database whose schema is up to date; `columns` are those of numbers that a table must have, by table.

    Raises
    ------
    StoreTooNewError, StoreError
        A newer program wrote it; it is of an older one, and only read; what `open_home` raises.
    """
    database = Database(open_home)
    try:
        _migrate(database, columns)
    except BaseException:
        database.close()
        raise
    return database


def _migrate(database: Database, columns: Columns) -> None:
    """Each step looks first, so that processes may do it at the same time."""
    scripts = _scripts()
    if not database.home.read_only:
        database.run(schema.CREATE_MIGRATIONS)
    applied, newest = int(database.value(schema.APPLIED_MIGRATION)), max(scripts)
    if applied > newest:
        raise StoreTooNewError(
            f"store {database.name} has schema {applied}, this program knows up to {newest}: "
            "upgrade the program, or name another file with OBSERVATORY_STORE"
        )
    if database.home.read_only:
        if applied < newest or _missing(database, columns):
            raise StoreError(
                f"store {database.name} is of an older version: open it once without OBSERVATORY_STORE_READ_ONLY"
            )
        return
    steps = {version: scripts[version] for version in sorted(scripts) if version > applied}
    if applied == 0:  # a new store is made at once, for each transaction costs
        steps = {newest: "\n".join(steps.values())}
    for version, script in steps.items():
        work = _statements(builders.with_columns(script, columns))
        record = Statement(schema.RECORD_MIGRATION, [version, version])
        database.write([*work, record], content=False, lock=False)
    for statements in _missing(database, columns):
        database.write(statements, content=False, lock=False)


def _missing(database: Database, columns: Columns) -> list[list[Statement]]:
    """What adds the columns that are not there, by table."""
    present = set(database.read(schema.COLUMNS).itertuples(index=False, name=None))
    found = [
        [Statement(builders.add_column(table, name)) for name in names if (table, name) not in present]
        for table, names in columns.items()
    ]
    return [statements for statements in found if statements]


@cache
def _statements(script: str) -> tuple[Statement, ...]:
    """The statements of a script, as DuckDB itself tells them apart: a semicolon may stand in a text or a comment."""
    return tuple(Statement(found.query.strip()) for found in duckdb.extract_statements(script))


def _scripts() -> dict[int, str]:
    """Numbered scripts by number."""
    folder = resources.files("observatory.store") / "migrations"
    return {int(file.name[:4]): file.read_text() for file in folder.iterdir() if file.name.endswith(".sql")}
