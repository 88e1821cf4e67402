"""A check reads every table, and finds keys that are there twice in any of them."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from support.every_table import NOW, SERVICES, archive, fill, open_incident

from observatory.store import Store, open_store
from observatory.store.tables.every import TABLES

pytestmark = pytest.mark.slow

NAMES = "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND NOT internal"


def test_every_table_of_the_database_is_checked(store: Store) -> None:
    there = {row["table_name"] for row in store._database.rows(NAMES)}
    assert there
    assert there <= {finding.what for finding in store.check() if finding.ok}


def test_a_key_that_is_there_twice_is_found_in_every_table(tmp_path: Path) -> None:
    path = str(tmp_path / "x.duckdb")
    with open_store(path) as store:
        fill(store)
        archive(store)
        open_incident(store)
        store.names.rename(SERVICES[1].name, "shop/renamed", NOW)
        assert [finding for finding in store.check() if not finding.ok] == []
    names = sorted(table.name for table in TABLES)
    with duckdb.connect(path) as file:
        for name in names:
            file.execute(f"INSERT INTO {name} FROM {name} LIMIT 1")
    with open_store(path) as store:
        found = [finding for finding in store.check() if "1 keys are there more than once" in finding.detail]
    assert [finding.what for finding in found] == names
