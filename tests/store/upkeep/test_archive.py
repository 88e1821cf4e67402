"""Archived samples answer like live ones; nothing is removed before its file was read back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from support.actors import Actor

from observatory.catalog import METRICS
from observatory.errors import StoreCorruptError, StoreError
from observatory.model import SERVICE
from observatory.store import Store, open_store
from observatory.store.engine.database import Database
from observatory.store.engine.homes.address import read_address
from observatory.store.engine.homes.base import Session
from observatory.store.engine.homes.local import LocalSession
from observatory.store.options import Retention, StoreOptions
from observatory.store.sql.literals import Parameters
from observatory.store.upkeep import archive

pytestmark = pytest.mark.slow

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
        duckdb.sql(f"COPY (FROM read_parquet('{path}') LIMIT 100) TO '{draft}' (FORMAT parquet)")
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


def test_a_move_that_is_repeated_because_its_answer_was_lost_moves_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(store)
    transact, answers = Database._transact, []

    def lose_the_first_answer(session: Session, work: Callable[[Session], object], **how: bool) -> object:
        answers.append(transact(session, work, **how))
        if len(answers) == 1:
            raise duckdb.TransactionException("the owner was killed after it committed")
        return answers[-1]

    monkeypatch.setattr(Database, "_transact", staticmethod(lose_the_first_answer))
    store.archive.move(datetime(2026, 2, 1, tzinfo=UTC))
    assert len(answers) > 1
    pd.testing.assert_frame_equal(everything(store), before)
    assert all(finding.ok for finding in store.check())


def test_two_moves_at_once_hide_nothing_of_each_other(store: Store, tmp_path: Path) -> None:
    before = everything(store)
    address = read_address(tmp_path / "x.duckdb")
    assert address is not None
    options = StoreOptions(token=address.token, archive=store.archive.folder)
    other = open_store(address.url, options=options)
    together = threading.Barrier(2)

    def move(one: Store) -> None:
        together.wait()
        one.archive.move(MARCH)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(move, [store, other]))
    pd.testing.assert_frame_equal(everything(store), before)
    assert [month.row_count for month in store.archive.months()] == [2 * 31 * 24, 2 * 28 * 24]
    other.close()


def test_a_metric_only_another_program_knows_is_archived_with_the_rest(tmp_path: Path) -> None:
    url, extended = str(tmp_path / "y.duckdb"), {**METRICS, "queue_depth": replace(METRICS["pod_count"], name="queue")}
    other = open_store(url, extended)
    other.write_samples(samples(queue_depth=7.0))
    plain = open_store(url)
    plain.maintain(MARCH, Retention(archive=30))
    plain.write_samples(samples(hours=1, request_rate=1.0))
    assert everything(other)["queue_depth"].eq(7.0).all()
    assert other.buckets("a", *ALL, 3600, ["queue_depth"])["queue_depth"].eq(7.0).all()
    assert all(finding.ok for finding in other.check())
    plain.close()
    other.close()


def test_the_order_of_the_catalogue_is_no_damage(store: Store, tmp_path: Path) -> None:
    store.archive.move(MARCH)
    store.close()
    with open_store(str(tmp_path / "x.duckdb"), dict(reversed(METRICS.items()))) as again:
        assert all(finding.ok for finding in again.check())


def test_a_late_sample_may_bring_a_metric_its_month_did_not_have(store: Store, tmp_path: Path) -> None:
    store.archive.move(MARCH)
    store.close()
    extended = {**METRICS, "queue_depth": replace(METRICS["pod_count"], name="queue_depth")}
    with open_store(str(tmp_path / "x.duckdb"), extended) as again:
        before = everything(again)
        late = samples(hours=1)[[SERVICE, "timestamp"]].assign(queue_depth=3.0)
        again.write_samples(late)
        again.archive.move(MARCH)
        after = everything(again)
        assert after["queue_depth"].sum() == 2 * 3.0
        pd.testing.assert_frame_equal(after.drop(columns="queue_depth"), before.drop(columns="queue_depth"))


def test_a_late_sample_from_another_machine_changes_only_what_it_knows(store: Store, tmp_path: Path) -> None:
    store.archive.move(MARCH)
    before = everything(store)
    address = read_address(tmp_path / "x.duckdb")
    assert address is not None
    far = open_store(address.url, options=StoreOptions(token=address.token))
    far.write_samples(samples(hours=1, request_rate=7.0).drop(columns="error_rate"))
    after = everything(store)
    assert (after["request_rate"] == 7.0).sum() == 2
    pd.testing.assert_series_equal(after["error_rate"], before["error_rate"])
    far.close()


def test_a_query_that_met_a_month_being_written_anew_is_asked_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, calls = LocalSession.read, []

    def find_it_gone(session: LocalSession, sql: str, parameters: Parameters = ()) -> pd.DataFrame:
        calls.append(sql)
        if len(calls) == 1 or (isinstance(parameters, dict) and parameters.get("service") == "for good"):
            raise duckdb.IOException('Cannot open file "samples-1.parquet": No such file or directory')
        return read(session, sql, parameters)

    monkeypatch.setattr(LocalSession, "read", find_it_gone)
    assert len(everything(store)) == 2 * 90 * 24
    with pytest.raises(StoreError, match=r"samples-1\.parquet"):
        store.history("for good", MARCH, MARCH)


def test_what_a_killed_process_left_is_removed_or_told(store: Store) -> None:
    store.archive.move(datetime(2026, 2, 1, tzinfo=UTC))
    (path,) = map(Path, store.archive.paths())
    draft, stranger = path.with_name("samples-1.part"), path.with_name("samples-2.parquet")
    draft.write_bytes(b"half a file")
    stranger.write_bytes(b"never registered")
    store.archive.move(MARCH)
    assert not draft.exists()
    (finding,) = [finding for finding in store.check() if not finding.ok]
    assert str(stranger) in finding.detail


def test_samples_are_removed_without_an_archive_once_they_are_rolled_up(home: tuple[str, StoreOptions]) -> None:
    url, options = home
    with open_store(url, options=options) as store:
        store.write_samples(samples(hours=8 * 24))
        now, until = JANUARY + timedelta(days=8), JANUARY + timedelta(days=5)
        counts, expected = store.sample_counts(), store.buckets("a", *ALL, 3600)
        store.maintain(now, Retention(archive=None, raw=3))
        assert everything(store)["timestamp"].min() == until
        pd.testing.assert_frame_equal(store.sample_counts(), counts)
        pd.testing.assert_frame_equal(store.buckets("a", *ALL, store.resolution(JANUARY, 60) * 12), expected)
        assert (store.resolution(JANUARY, 60), store.resolution(until, 60)) == (300, 60)


def test_samples_that_are_removed_early_are_archived_early(store: Store) -> None:
    store.maintain(datetime(2026, 3, 31, tzinfo=UTC), Retention(archive=60, raw=20))
    assert [f"{month.month:%Y-%m}" for month in store.archive.months()] == ["2026-03"]
    assert everything(store)["timestamp"].min() == MARCH


def test_killed_at_any_moment_it_loses_nothing(store: Store, tmp_path: Path, start: Callable[..., Actor]) -> None:
    before = everything(store)
    store.close()
    for _ in range(6):
        archiver = start("archive")
        archiver.wait_for(1)
        archiver.wait_for_change(lambda: set(tmp_path.rglob("*.part*")))
        archiver.kill()
        again = open_store(str(tmp_path / "x.duckdb"))
        pd.testing.assert_frame_equal(everything(again), before)
        for month in again.archive.months():
            again.archive.check(month)
        again.close()
