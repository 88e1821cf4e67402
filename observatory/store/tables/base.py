"""What every table has: a name, keys that tell its rows apart, and the rows that values become."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import pandas as pd

from observatory.store.engine.database import Database, batch_name
from observatory.store.engine.homes.base import Session
from observatory.store.sql import builders
from observatory.store.sql.literals import Parameters, Row

V = TypeVar("V")
Merge = Callable[[Session, str, Sequence[str]], None]
"""Brings a batch of that name into a table, given the columns that are no keys."""


class Table:
    """One table of a store.

    Parameters
    ----------
    database
        Of the store.

    Attributes
    ----------
    name
        In the database.
    keys
        Columns that identify a row: a row written again replaces the one with the same.
    computed
        Columns that follow from those of a batch ``b``, with their SQL.
    content
        Whether a write changes what answers are computed from, and so the store's revision.
    keep_known
        Whether a missing value leaves the one that is stored.
    service_columns
        Columns that hold the name of a service: they follow when it is renamed, and its rows go when it is removed.
    service_marks
        Of those that may hold another name, the column that tells, and what it has where it is a service's.
    joined
        What becomes of columns where rows of services that are joined have the same keys, as an aggregate; of others
        the first row counts.
    """

    name: ClassVar[str]
    keys: ClassVar[tuple[str, ...]]
    computed: ClassVar[Mapping[str, str]] = {}
    content: ClassVar[bool] = True
    keep_known: ClassVar[bool] = False
    service_columns: ClassVar[tuple[str, ...]] = ()
    service_marks: ClassVar[Mapping[str, tuple[str, str]]] = {}
    joined: ClassVar[Mapping[str, str]] = {}

    def __init__(self, database: Database) -> None:
        self._database = database

    def upsert(self, batch: pd.DataFrame, merge: Merge | None = None) -> int:
        """Insert the rows of `batch`, or replace those with the same keys; the last of equals wins.

        Returns the number of rows in the batch after that. `merge` is done instead of `Table.merge`.
        """
        if batch.empty:
            return 0
        keys = list(self.keys)
        rows = batch.drop_duplicates(keys, keep="last").reset_index(drop=True).copy()  # DuckDB reads no reversed view
        values = [column for column in rows.columns if column not in keys]
        if self.keep_known:  # a column without a value changes nothing, and DuckDB could not tell its type
            values = [column for column in values if rows[column].notna().any()]
            rows = rows[[*keys, *values]]
        self._database.require_room()
        name = batch_name()

        def work(session: Session) -> None:
            (merge or self.merge)(session, name, values)

        self._database.transaction(work, {name: rows}, content=self.content)
        return len(rows)

    def merge(self, session: Session, batch: str, values: Sequence[str]) -> None:
        """Upsert a staged batch, of which `values` are the columns that are no keys."""
        sql = builders.merge(self.name, batch, self.keys, values, self.computed, keep_known=self.keep_known)
        session.execute(sql)


class Column(NamedTuple):
    """A column, and the attribute of a value it holds: of the same name unless given.

    `dump` makes of the attribute what is stored, and `load` makes the attribute of that.
    """

    name: str
    attribute: str = ""
    dump: Callable[[Any], Any] | None = None
    load: Callable[[Any], Any] | None = None


class ValueTable(Table, Generic[V]):
    """A table whose rows are values of one class.

    Attributes
    ----------
    value
        Makes a value of its attributes. What is NULL is left to the default.
    columns
        One for each attribute.
    """

    value: Callable[..., V]
    columns: ClassVar[tuple[Column, ...]]

    def write(self, values: Iterable[V]) -> int:
        """Upsert values; returns how many."""
        return self.upsert(pd.DataFrame([self.to_row(value) for value in values]))

    def to_row(self, value: V) -> Row:
        """What is stored of a value, by column."""
        row = {}
        for column in self.columns:
            held = getattr(value, column.attribute or column.name)
            row[column.name] = column.dump(held) if column.dump else held
        return row

    def from_row(self, row: Row) -> V:
        """The value of a row."""
        attributes = {}
        for column in self.columns:
            stored = row[column.name]
            if stored is not None:
                attributes[column.attribute or column.name] = column.load(stored) if column.load else stored
        return self.value(**attributes)

    def put(self, session: Session, value: V) -> None:
        """Upsert one value, within the transaction of a session."""
        row = self.to_row(value)
        session.execute(builders.delete_row(self.name, self.keys), {key: row[key] for key in self.keys})
        session.execute(builders.insert_row(self.name, list(row)), row)

    def find(self, sql: str, parameters: Parameters = ()) -> list[V]:
        """The values of the rows that a query finds."""
        return [self.from_row(row) for row in self._database.rows(sql, parameters)]
