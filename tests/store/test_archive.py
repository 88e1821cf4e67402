"""Archived samples answer like live ones; nothing is removed before its file was read back."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from servers import wait_until
from store.test_processes import ACTORS

from observatory.errors import StoreCorruptError, StoreError
from observatory.model import SERVICE
from observatory.store import Store, archive, open_store
from observatory.store.options import Retention, StoreOptions

JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
ALL = JANUARY, datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    opened = open_store(str(tmp_path / "x.duckdb"))
    opened.write_samples(samples())
    return opened


def samples(hours: int = 90 * 24, **changes: object) -> pd.DataFrame:
    """Three months from January on."""
    at = pd.date_range(JANUARY, periods=hours, freq="1h")
    values = np.random.default_rng(0).random(hours)
    frame = pd.DataFrame({SERVICE: "a", "timestamp": at, "request_rate": values, "error_rate": values / 9})
    return pd.concat([frame, frame.assign(service_name="b")]).assign(**changes)


def everything(store: Store) -> pd.DataFrame:
    return store.history_of_all(*ALL)


def test_archived_and_live_samples_are_one(store: Store) -> None:
    before, counts = everything(store), store.sample_counts()
    buckets = store.buckets("a", *ALL, 86400)
    moved = store.archive.move(MARCH)
    assert [f"{month.month:%Y-%m}" for month in moved] == ["2026-01", "2026-02"]
    pd.testing.assert_frame_equal(everything(store), before)
    pd.testing.assert_frame_equal(store.sample_counts(), counts)
    pd.testing.assert_frame_equal(store.buckets("a", *ALL, 86400), buckets)
    assert len(store.history("b", JANUARY, JANUARY + timedelta(hours=5))) == 6
    assert store.archive.move(MARCH) == [], "there is nothing left to move"


def test_any_tool_reads_the_files(store: Store, tmp_path: Path) -> None:
    store.archive.move(MARCH)
    found = duckdb.sql(
        f"SELECT month, count(*) AS n FROM '{tmp_path}/x.duckdb.archive/*/*.parquet' GROUP BY 1 ORDER BY 1"
    )
    assert found.fetchall() == [("2026-01", 2 * 31 * 24), ("2026-02", 2 * 28 * 24)]


def test_a_late_sample_changes_only_what_it_knows(store: Store) -> None:
    store.archive.move(MARCH)
    before = everything(store)
    late = pd.DataFrame({SERVICE: ["a"], "timestamp": [JANUARY], "request_rate": [7.0], "error_rate": [np.nan]})
    for _ in range(2):
        store.write_samples(late)
        after = store.history("a", JANUARY, JANUARY)
        assert after["request_rate"].tolist() == [7.0]
        assert after["error_rate"].tolist() == [before["error_rate"].iloc[0]]
        assert len(everything(store)) == len(before)
        store.archive.move(MARCH)
    assert len(store.archive.months()) == 2, "it was merged into its month"
    assert len(list(store.archive.folder.rglob("*.parquet"))) == 2


def test_a_part_of_a_month_and_the_rest_later_are_one_file(store: Store) -> None:
    before = everything(store)
    store.archive.move(JANUARY + timedelta(days=10))
    store.archive.move(JANUARY + timedelta(days=20))
    (month,) = store.archive.months()
    assert month.row_count == 2 * 20 * 24
    pd.testing.assert_frame_equal(everything(store), before)


def test_a_file_that_does_not_hold_what_was_written_removes_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(store)

    def lose_a_row(path: Path) -> None:
        draft = path.with_name("other")
        duckdb.sql(f"COPY (FROM '{path}' LIMIT 100) TO '{draft}' (FORMAT parquet)")
        draft.replace(path)

    monkeypatch.setattr(archive, "_flush", lose_a_row)
    with pytest.raises(StoreError, match="does not hold what was written to it: nothing was moved"):
        store.archive.move(MARCH)
    assert store.archive.months() == []
    assert not list(store.archive.folder.rglob("*.parquet"))
    pd.testing.assert_frame_equal(everything(store), before)


def test_a_folder_that_cannot_be_made_removes_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.duckdb.archive").write_text("in the way")
    store = open_store(str(tmp_path / "x.duckdb"))
    store.write_samples(samples())
    with pytest.raises(StoreError, match="cannot be made"):
        store.archive.move(MARCH)
    assert len(everything(store)) == 2 * 90 * 24


def test_a_store_and_its_archive_can_be_moved_together(store: Store, tmp_path: Path) -> None:
    store.archive.move(MARCH)
    before = everything(store)
    store.close()
    place = tmp_path / "elsewhere"
    place.mkdir()
    for name in ("x.duckdb", "x.duckdb.archive"):
        (tmp_path / name).rename(place / name)
    moved = open_store(str(place / "x.duckdb"))
    pd.testing.assert_frame_equal(everything(moved), before)
    moved.close()


def test_a_missing_and_a_damaged_file_are_found(store: Store) -> None:
    first, second = store.archive.move(MARCH)
    store.archive.check(first)
    (path,) = map(Path, store.archive.paths([first]))
    kept = path.read_bytes()
    path.write_bytes(kept[: len(kept) // 2])
    with pytest.raises(StoreCorruptError, match="2026-01"):
        store.archive.check(first)
    path.unlink()
    with pytest.raises(StoreCorruptError, match=r"2026-01 is missing: put .*parquet back"):
        store.archive.check(first)
    store.archive.check(second)
    store.archive.forget([first])
    assert len(everything(store)) == 2 * (28 + 31) * 24, "March is cut short"


def test_retention_archives_and_removes_once_a_day(store: Store) -> None:
    now = datetime(2026, 4, 10, tzinfo=UTC)
    store.maintain(now, Retention(archive=30, raw=60))
    assert [f"{month.month:%Y-%m}" for month in store.archive.months()] == ["2026-02", "2026-03"]
    assert everything(store)["timestamp"].min() == datetime(2026, 2, 1, tzinfo=UTC)
    assert len(store.buckets("a", JANUARY, datetime(2026, 2, 1, tzinfo=UTC), 3600)) == 31 * 24 + 1, "roll-ups stay"
    store.maintain(now + timedelta(days=1), Retention(archive=30, raw=60, rollups=60))
    assert len(store.buckets("a", JANUARY, datetime(2026, 2, 1, tzinfo=UTC), 3600)) == 1


def test_a_store_elsewhere_is_archived_there(tmp_path: Path) -> None:
    memory = open_store(":memory:")
    with pytest.raises(StoreError, match="has no archive here"):
        memory.archive.move(MARCH)
    chosen = open_store(str(tmp_path / "y.duckdb"), options=StoreOptions(archive=tmp_path / "cold"))
    chosen.write_samples(samples())
    chosen.archive.move(MARCH)
    assert list((tmp_path / "cold").rglob("*.parquet"))
    chosen.close()


def test_killed_at_any_moment_it_loses_nothing(store: Store, tmp_path: Path) -> None:
    before = everything(store)
    store.close()
    for _ in range(6):
        command = [sys.executable, str(ACTORS), "archive", str(tmp_path / "x.duckdb"), "-"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        wait_until(lambda: any(tmp_path.rglob("*.parquet")), 60, "a file")
        process.kill()
        process.communicate()
        again = open_store(str(tmp_path / "x.duckdb"))
        pd.testing.assert_frame_equal(everything(again), before)
        for month in again.archive.months():
            again.archive.check(month)
        again.close()
