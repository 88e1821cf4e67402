"""A store that an older version wrote opens, and keeps everything."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pytest
from support.every_table import (
    ALERT,
    CHANGES,
    DELIVERY,
    NOW,
    RUNNING,
    SILENCE,
    START,
    WRITTEN,
    archive,
    fill,
    sampled,
    values,
)

from observatory.catalog import metric
from observatory.store import Store, open_store
from observatory.store.sql.literals import Row
from observatory.store.tables.every import TABLES

pytestmark = pytest.mark.slow

OWN = {"archive_files": {"file", "checksum"}, "calls": {"last_seen"}}
"""Columns of names that are drawn, of sums over the metrics that a version has, and of the time of the upgrade."""


def make(path: Path, script: str) -> None:
    """The store that a script of this folder describes."""
    folder = path.with_name(path.name + ".archive")
    (folder / "month=2026-01").mkdir(parents=True)
    with duckdb.connect(str(path)) as file:
        file.execute((Path(__file__).parent / script).read_text().replace("ARCHIVE", str(folder)))


def is_new(column: str) -> bool:
    """Whether it is of a metric that the version before did not have: what there is of it is seen in the buckets."""
    return not metric(column.partition("__")[0]).common


def rows(store: Store, table: str) -> list[Row]:
    found = store._database.rows(f"FROM {table}")
    kept = [{name: row[name] for name in row if not (name in OWN.get(table, ()) or is_new(name))} for row in found]
    return sorted((row for row in kept if row.get("key") != "samples view"), key=str)


def test_a_store_of_the_version_before_keeps_everything(tmp_path: Path) -> None:
    make(tmp_path / "old.duckdb", "schema_11.sql")
    with open_store(str(tmp_path / "old.duckdb")) as old, open_store(str(tmp_path / "new.duckdb")) as new:
        assert old.changes.read() == []
        old.changes.write(CHANGES)  # tables that it did not have
        old.running.write(RUNNING)
        old.running.look_from("eu", NOW)
        old.notifications.settle([DELIVERY])
        old.silences.write([SILENCE])
        old.alerts.write([ALERT])
        fill(new)
        archive(new)
        for table in TABLES:
            assert rows(old, table.name) == rows(new, table.name), table.name
        assert values(old) == WRITTEN
        pd.testing.assert_frame_equal(old.history_of_all(START, NOW), sampled(), check_dtype=False)
        for step in (300, 3600):
            buckets = (store.buckets("shop/cart", START, NOW, step) for store in (old, new))
            pd.testing.assert_frame_equal(*buckets)
        assert [finding for finding in old.check() if not finding.ok] == []


def test_a_store_of_the_version_before_is_written_on(tmp_path: Path) -> None:
    make(tmp_path / "old.duckdb", "schema_11.sql")
    with open_store(str(tmp_path / "old.duckdb")) as store:
        fill(store)
        assert values(store) == WRITTEN
        late = sampled()[["service_name", "timestamp", "request_rate"]].assign(request_rate=7.0)
        store.write_samples(late)
        expected = sampled().assign(request_rate=7.0)
        pd.testing.assert_frame_equal(store.history_of_all(START, NOW), expected, check_dtype=False)
        archive(store)
        pd.testing.assert_frame_equal(store.history_of_all(START, NOW), expected, check_dtype=False)
        assert [finding for finding in store.check() if not finding.ok] == []
