"""A backup holds everything, comes back whole, and says when it is not; damage to a store is found."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from store.upkeep.test_archive import ALL, MARCH, samples
from support import every_table

from observatory.errors import StoreCorruptError, StoreError, StoreInUseError
from observatory.model import Anomaly, Evidence, Service, Severity
from observatory.store import Store, open_store
from observatory.store.options import StoreOptions
from observatory.store.tables.every import TABLES
from observatory.store.upkeep.archive import VIEW_NOTE
from observatory.store.upkeep.backup import restore
from observatory.store.upkeep.check import check_apart

pytestmark = pytest.mark.slow

OPTIONS = StoreOptions(patience=0.2)
DAYS = 36
END = datetime(2026, 2, 6, tzinfo=UTC)


def fill(store: Store) -> None:
    store.register([Service("a", team="x"), Service("b")])
    store.write_samples(samples(DAYS * 24))
    evidence = (Evidence("error_rate", 0.2, 0.0, 0.0, 0.01, 1.0, "up"),)
    store.write_anomalies([Anomaly("a", MARCH, MARCH, MARCH, True, Severity.LOW, 1.1, "seasonal", "a: e", evidence)])
    store.maintain(END)


def contents(store: Store) -> tuple[pd.DataFrame, list[Service], list[Anomaly], pd.DataFrame]:
    return store.history_of_all(*ALL), store.services(), store.anomalies(), store.buckets("a", *ALL, 3600)


def same(one: Store, other: Store) -> bool:
    pairs = zip(contents(one), contents(other), strict=True)
    return all(a.equals(b) if isinstance(a, pd.DataFrame) else a == b for a, b in pairs)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store and its archive, to be copied."""
    folder = tmp_path_factory.mktemp("full")
    with open_store(str(folder / "x.duckdb")) as store:
        fill(store)
        store.archive.move(MARCH)
    return folder


@pytest.fixture
def filled(full: Path, tmp_path: Path) -> Store:
    shutil.copytree(full, tmp_path, dirs_exist_ok=True)
    return open_store(str(tmp_path / "x.duckdb"))


def test_a_backup_comes_back(filled: Store, tmp_path: Path) -> None:
    saved = filled.backup(tmp_path / "backup")
    assert saved.files == 2
    assert saved.rows["services"] == 2
    restore(tmp_path / "backup", str(tmp_path / "y.duckdb"), OPTIONS)
    again = open_store(str(tmp_path / "y.duckdb"))
    assert same(again, filled)
    assert all(finding.ok for finding in again.check())
    again.write_samples(samples(hours=1, request_rate=5.0))
    again.close()


def test_every_table_is_saved_and_brought_back(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "x.duckdb")) as store:
        every_table.fill(store)
        every_table.archive(store)
        every_table.open_incident(store)
        every_table.rename(store)
        saved = store.backup(tmp_path / "backup")
        restore(tmp_path / "backup", str(tmp_path / "y.duckdb"), OPTIONS)
        with open_store(str(tmp_path / "y.duckdb")) as again:
            for table in TABLES:
                rows = (one._database.rows(f"FROM {table.name} ORDER BY ALL") for one in (store, again))
                before, after = ([row for row in found if row.get("key") != VIEW_NOTE] for found in rows)
                assert before, table.name
                assert after == before, table.name
                assert saved.rows[table.name] >= len(before)
            assert every_table.values(again) == every_table.WRITTEN


def test_a_backup_is_a_store(filled: Store, tmp_path: Path) -> None:
    filled.backup(tmp_path / "backup")
    with open_store(str(tmp_path / "backup" / "store.duckdb")) as copy:
        assert same(copy, filled)


def test_every_home_can_be_backed_up(home: tuple[str, StoreOptions], tmp_path: Path) -> None:
    url, options = home
    store = open_store(url, options=options)
    fill(store)
    store.backup(tmp_path / "backup")
    with open_store(str(tmp_path / "backup" / "store.duckdb")) as copy:
        assert same(copy, store)
    store.close()


def test_a_backup_overwrites_nothing(filled: Store, tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    with pytest.raises(StoreError, match="is there already: name a new folder"):
        filled.backup(tmp_path / "backup")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        filled.backup(tmp_path / "file" / "backup")
    filled.close()
    with open_store(str(tmp_path / "x.duckdb")) as store:
        store.backup(tmp_path / "another")
    with pytest.raises(StoreError, match="is no file: a backup is restored to a path"):
        restore(tmp_path / "another", ":memory:", OPTIONS)


def test_a_store_that_is_there_is_kept_aside_only_when_told(filled: Store, tmp_path: Path) -> None:
    url = str(tmp_path / "x.duckdb")
    filled.backup(tmp_path / "backup")
    with pytest.raises(StoreError, match="is there already: --force"):
        restore(tmp_path / "backup", url, OPTIONS)
    with pytest.raises(StoreInUseError, match="is open in a process"):
        restore(tmp_path / "backup", url, OPTIONS, force=True)
    filled.register([Service("later")])
    filled.close()
    restore(tmp_path / "backup", url, OPTIONS, force=True)
    with open_store(url) as again:
        assert [service.name for service in again.services()] == ["a", "b"]
    (aside,) = tmp_path.glob("x.duckdb.before-*[0-9]")
    with open_store(str(aside)) as kept:
        assert [service.name for service in kept.services()] == ["a", "b", "later"]


def test_a_restore_that_fails_leaves_what_is_there(
    filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.backup(tmp_path / "backup")
    filled.register([Service("later")])
    filled.close()

    def no_space(*paths: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copytree", no_space)
    with pytest.raises(StoreError, match="cannot be restored: No space left on device"):
        restore(tmp_path / "backup", str(tmp_path / "x.duckdb"), OPTIONS, force=True)
    with open_store(str(tmp_path / "x.duckdb")) as store:
        assert [service.name for service in store.services()] == ["a", "b", "later"]
        assert all(finding.ok for finding in store.check())


def test_an_incomplete_or_damaged_backup_is_refused(filled: Store, tmp_path: Path) -> None:
    target = str(tmp_path / "y.duckdb")
    with pytest.raises(StoreCorruptError, match="is no backup"):
        restore(tmp_path, target, OPTIONS)
    folder = tmp_path / "backup"
    filled.backup(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["tables"]["services"]["row_count"] += 1
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(StoreCorruptError, match="is damaged: services differ"):
        restore(folder, target, OPTIONS)
    manifest["tables"]["services"]["row_count"] -= 1
    (folder / "manifest.json").write_text(json.dumps(manifest))
    next(folder.rglob("*.parquet")).unlink()
    with pytest.raises(StoreCorruptError, match=r"is incomplete: samples-.*parquet are missing"):
        restore(folder, target, OPTIONS)
    (folder / "store.duckdb").write_bytes(b"nothing")
    with pytest.raises(StoreCorruptError, match="cannot be read"):
        restore(folder, target, OPTIONS)
    assert not Path(target).exists()


@pytest.mark.parametrize("places", [(100,), (100, 32_768, 200_000)])
def test_damage_is_found_with_what_to_do(filled: Store, tmp_path: Path, places: tuple[int, ...]) -> None:
    path = tmp_path / "x.duckdb"
    filled.close()
    assert [finding for finding in check_apart(str(path)) if not finding.ok] == []
    whole = bytearray(path.read_bytes())
    for block in range(3 * 4096, len(whole), 262_144):  # after the three headers
        for place in places:
            whole[block + place : block + place + 64] = b"\xff" * 64
    path.write_bytes(whole)
    damage = [finding.detail for finding in check_apart(str(path)) if not finding.ok]
    assert damage
    assert all("restore a backup" in detail for detail in damage)


def test_rows_that_are_there_twice_are_found(filled: Store, tmp_path: Path) -> None:
    filled.close()
    with duckdb.connect(str(tmp_path / "x.duckdb")) as file:
        file.execute("INSERT INTO services SELECT * FROM services")
    with open_store(str(tmp_path / "x.duckdb")) as store:
        (finding,) = [finding for finding in store.check() if not finding.ok]
    assert (finding.what, finding.detail[:6]) == ("services", "2 keys")


def test_roll_ups_that_lost_samples_are_found_and_repaired(filled: Store, tmp_path: Path) -> None:
    filled.close()
    with duckdb.connect(str(tmp_path / "x.duckdb")) as file:
        file.execute("DELETE FROM rollup_1h WHERE service_name = 'a'")
    with open_store(str(tmp_path / "x.duckdb")) as store:
        (finding,) = [finding for finding in store.check() if not finding.ok]
        assert "--repair" in finding.detail
        store.repair(END)
        assert all(finding.ok for finding in store.check())


def test_facts_about_a_store(filled: Store, tmp_path: Path) -> None:
    facts = filled.info()
    assert facts["samples"] == 2 * DAYS * 24
    assert facts["archived months"] == 2
    assert facts["opened"] == "by this process"
    filled.close()
