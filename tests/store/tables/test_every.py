"""Every table has its class: its name, keys and columns are those of the database, and what is written comes back."""

from __future__ import annotations

import pandas as pd
import pytest
from support.every_table import NOW, START, WRITTEN, fill, sampled, values

from observatory.store import Store, open_store
from observatory.store.sql.schema import COLUMNS, ITS_OWN
from observatory.store.tables.base import Table, ValueTable
from observatory.store.tables.every import TABLES

NAMES = """
SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND NOT internal
"""


def test_every_table_of_the_database_has_a_class(store: Store) -> None:
    there = [row["table_name"] for row in store._database.rows(NAMES)]
    assert sorted(there) == sorted([*(table.name for table in TABLES), *ITS_OWN])


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_its_keys_and_columns_are_those_of_the_database(table: type[Table]) -> None:
    with open_store(":memory:") as store:
        columns = store._database.rows(COLUMNS)
        there = {row["column_name"] for row in columns if row["table_name"] == table.name}
    assert table.keys
    assert set(table.keys) <= there
    if issubclass(table, ValueTable):
        assert {column.name for column in table.columns} == there


@pytest.mark.slow
def test_what_is_written_to_every_table_comes_back(store: Store) -> None:
    fill(store)
    assert values(store) == WRITTEN
    pd.testing.assert_frame_equal(store.history_of_all(START, NOW), sampled(), check_dtype=False)
    fill(store)
    assert values(store) == WRITTEN, "writing it twice is the same as once"
