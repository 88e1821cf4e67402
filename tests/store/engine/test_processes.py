"""One store, many processes: a server, writers, readers; and the server killed in the middle."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from support.actors import ROWS, START, Actor, batch
from support.servers import Postgres, free_port, wait_until

from observatory.errors import StoreError, StoreInUseError
from observatory.model import Service
from observatory.store import Store, open_store
from observatory.store.engine import database
from observatory.store.engine.homes.abandoned import TransactionWatchdog
from observatory.store.engine.homes.address import Address, address_file, read_address, write_address
from observatory.store.engine.homes.base import Session
from observatory.store.engine.homes.processes import is_stopped
from observatory.store.engine.homes.quack import QuackHome, serve, stop
from observatory.store.options import StoreOptions

pytestmark = pytest.mark.slow
ROUNDS = 10


def size(path: Path) -> list[int]:
    """Of a store's file and its log, once they are there."""
    found = []
    for part in (path, path.with_name(path.name + ".wal")):
        with contextlib.suppress(FileNotFoundError):
            found.append(part.stat().st_size)
    return found


def count_rows(path: Path, name: str) -> tuple[int, int]:
    """Rows of a writer, and how many of them are different."""
    store = open_store(str(path))
    frame = store.history_of_all(START, START.replace(year=2027))
    store.close()
    own = frame[frame["service_name"].str.startswith(f"{name}/") | (frame["service_name"] == name)]
    return len(own), len(own.drop_duplicates(["service_name", "timestamp"]))


def test_when_the_owner_is_killed_nothing_acknowledged_is_missing_and_nothing_is_twice(
    tmp_path: Path, start: Callable[..., Actor]
) -> None:
    count = 80
    owner = start("own")
    owner.wait_for(1)
    reader = start("read")
    writers = {name: start("write", name, count) for name in ("a", "b")}
    for writer in writers.values():
        writer.wait_for(count // 4)
    owner.kill()
    at_the_kill = {name: len(writer.said) for name, writer in writers.items()}
    for name, writer in writers.items():
        assert writer.end() == [str(number) for number in range(count)]
        assert at_the_kill[name] < count, "it was killed in the middle"
    reads, _, fell = reader.end()[-1].split()
    assert int(reads) > 10
    assert fell == "False", "what a reader has seen stays"
    for name in writers:
        assert count_rows(tmp_path / "x.duckdb", name) == (count * ROWS, count * ROWS)
    assert count_rows(tmp_path / "x.duckdb", "shared") == (count, count)


def test_a_writer_killed_at_any_moment_leaves_what_it_acknowledged(tmp_path: Path, start: Callable[..., Actor]) -> None:
    for attempt in range(4):
        writer = start("write", f"w{attempt}", 10_000)
        writer.wait_for(3 + 7 * attempt)
        writer.kill()
        acknowledged = len(writer.said)
        rows, different = count_rows(tmp_path / "x.duckdb", f"w{attempt}")
        assert rows == different
        assert rows % ROWS == 0, "a batch is there whole or not at all"
        assert acknowledged <= rows // ROWS <= acknowledged + 1


def test_a_client_killed_within_a_transaction_keeps_nobody_out(tmp_path: Path, start: Callable[..., Actor]) -> None:
    owner, writer = start("own"), start("write", "before", 3)
    writer.end()
    holder = start("hold")
    holder.wait_for(1)
    holder.kill()
    writers = [start("write", name, 3) for name in "ab"]
    for writer in writers:
        assert writer.end() == ["0", "1", "2"]
    assert count_rows(tmp_path / "x.duckdb", "before") == (3 * ROWS, 3 * ROWS)
    owner.end()


def test_a_client_that_is_idle_within_a_transaction_is_given_up_after_a_while() -> None:
    connection, watchdog = duckdb.connect(), TransactionWatchdog()
    url = serve(connection, free_port(), "secret")
    home = QuackHome(url, "secret", StoreOptions(), "x")
    client = home.session()
    client.read("SELECT 1")
    assert watchdog.abandoned(connection, 0) == []
    with client.transaction():
        client.read("SELECT 1 WHERE 'cart' = ?", ["cart"])
        assert watchdog.abandoned(connection, 10) == []
        assert watchdog.abandoned(connection, 39) == []
        assert watchdog.abandoned(connection, 40) == [f"{socket.gethostname()}:{os.getpid()}"]
        client.read("SELECT 1")
        assert watchdog.abandoned(connection, 41) == [], "it spoke"
    assert watchdog.abandoned(connection, 100) == []
    assert watchdog.abandoned(connection, 200) == [], "a session may be idle outside of one"
    home.close()
    stop(connection, url)


def test_a_transaction_is_committed_whole_or_rolled_back(home: tuple[str, StoreOptions]) -> None:
    url, options = home
    with open_store(url, options=options) as store:

        def fail(session: Session) -> None:
            with session.transaction():
                session.execute("INSERT INTO numbers VALUES (2)")
                raise ZeroDivisionError

        session = store._database._session(store._database.home)
        session.execute("CREATE TABLE numbers (number INTEGER)")
        with session.transaction():
            session.execute("INSERT INTO numbers VALUES (1)")
        with pytest.raises(ZeroDivisionError):
            fail(session)
        with session.transaction():
            session.execute("INSERT INTO numbers VALUES (3)")
        assert [row["number"] for row in session.rows("FROM numbers ORDER BY number")] == [1, 3]


def test_writers_of_the_same_new_rows_make_them_once(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    owner = open_store(str(path))
    address = read_address(path)
    assert address is not None
    options = StoreOptions(token=address.token)
    stores = [owner, *(open_store(address.url, options=options) for _ in range(3))]
    together = threading.Barrier(len(stores))

    def write(store: Store) -> None:
        for number in range(ROUNDS):
            together.wait()
            store.write_samples(batch("same", number))

    with ThreadPoolExecutor(len(stores)) as pool:
        list(pool.map(write, stores))
    assert all(finding.ok for finding in owner.check())
    assert owner.sample_counts()["samples"].tolist() == [ROUNDS] * (ROWS + 1)
    for store in reversed(stores):
        store.close()


def test_processes_that_start_together_make_one_store(tmp_path: Path, start: Callable[..., Actor]) -> None:
    writers = [start("write", name, 3) for name in "abcd"]
    for writer in writers:
        assert writer.end() == ["0", "1", "2"]
    for name in "abcd":
        assert count_rows(tmp_path / "x.duckdb", name) == (3 * ROWS, 3 * ROWS)


@pytest.mark.servers
def test_a_lake_opened_by_many_at_once_is_one_lake(tmp_path: Path, postgres: Postgres) -> None:
    url = f"ducklake:postgres:{postgres.database()}"
    options = StoreOptions(data_path=str(tmp_path / "lake"), threads=1)

    def write(number: int) -> None:
        with open_store(url, options=options) as store:
            store.write_samples(batch(f"w{number % 2}", 0))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, range(6)))
    with open_store(url, options=options) as store:
        assert store.sample_counts()["samples"].tolist() == [1] * (2 * ROWS + 1)


def test_the_address_is_the_users_alone_and_goes_with_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    store = open_store(str(path))
    assert stat.S_IMODE(address_file(path).stat().st_mode) == 0o600
    store.close()
    assert not address_file(path).exists()


def test_an_owner_that_ends_without_closing_takes_its_address_with_it(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    subprocess.run(
        [sys.executable, "-c", f"from observatory.store import open_store; open_store({str(path)!r})"], check=True
    )
    assert path.exists()
    assert not address_file(path).exists()


def test_a_stale_address_is_recognised_and_replaced(tmp_path: Path, start: Callable[..., Actor]) -> None:
    path = tmp_path / "x.duckdb"
    owner = start("own")
    owner.wait_for(1)
    owner.kill()
    stale = read_address(path)
    assert stale is not None
    store = open_store(str(path))
    assert read_address(path) not in (None, stale)
    assert store.services() == []
    store.close()


def test_an_address_of_somebody_else_does_not_lead_astray(tmp_path: Path, start: Callable[..., Actor]) -> None:
    path, other = tmp_path / "x.duckdb", tmp_path / "other.duckdb"
    start("own").wait_for(1)
    stranger = open_store(str(other))
    found = read_address(other)
    assert found is not None
    write_address(path, Address(found.url, "not its token", os.getpid()))
    with pytest.raises(StoreInUseError, match="in use by another process"):
        open_store(str(path), options=StoreOptions(patience=0.3))
    stranger.close()


def test_another_name_of_the_file_is_the_same_store(tmp_path: Path, start: Callable[..., Actor]) -> None:
    start("own").wait_for(1)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "link.duckdb").symlink_to(tmp_path / "x.duckdb")
    with open_store(str(tmp_path / "elsewhere" / "link.duckdb"), options=StoreOptions(patience=0.3)) as store:
        assert store.services() == []


def test_an_owner_that_was_halted_is_named(tmp_path: Path, start: Callable[..., Actor]) -> None:
    owner = start("own")
    owner.wait_for(1)
    os.kill(owner.process.pid, signal.SIGSTOP)
    wait_until(lambda: is_stopped(owner.process.pid), 60, "it to be halted")
    with pytest.raises(StoreInUseError, match=rf"`kill -CONT {owner.process.pid}`"):
        open_store(str(tmp_path / "x.duckdb"))


def test_killed_while_it_makes_the_store_it_leaves_one_that_opens(tmp_path: Path) -> None:
    for attempt in range(8):
        path = tmp_path / f"{attempt}.duckdb"
        maker = Actor("make", path)
        for _ in range(attempt):
            maker.wait_for_change(lambda at=path: size(at))
        maker.kill()
        with open_store(str(path)) as store:
            store.register([Service("a")])
            assert all(finding.ok for finding in store.check())


def test_killed_during_upkeep_it_loses_nothing(tmp_path: Path, start: Callable[..., Actor]) -> None:
    path, days = tmp_path / "x.duckdb", 2
    random = np.random.default_rng(0)
    at = pd.date_range(START, periods=days * 1440, freq="60s")
    frame = pd.DataFrame({"service_name": np.tile([f"s{i}" for i in range(40)], len(at)), "timestamp": at.repeat(40)})
    frame["request_rate"] = random.random(len(frame))
    with open_store(str(path)) as store:
        store.write_samples(frame)
        before = store.history_of_all(START, START.replace(year=2027))
    for _ in range(5):
        tidier = start("tidy", count=days)
        tidier.wait_for(1)
        for _ in range(2):
            tidier.wait_for_change(lambda: size(path))
        tidier.kill()
        with open_store(str(path)) as store:
            pd.testing.assert_frame_equal(store.history_of_all(START, START.replace(year=2027)), before)
            assert all(finding.ok for finding in store.check())


def test_a_full_disk_is_told_before_and_survived_after(tmp_path: Path, start: Callable[..., Actor]) -> None:
    path = tmp_path / "x.duckdb"
    with pytest.MonkeyPatch.context() as patch, open_store(str(path)) as store:
        patch.setattr(database, "ROOM", 2**60)
        with pytest.raises(StoreError, match=r"nothing was changed: .* MiB left, \d+ are needed: make room"):
            store.register([Service("a")])
    full = start("full")
    full.wait_for(1)
    assert "FATAL" in full.said[0], "DuckDB gave up on the file"
    with open_store(str(path)) as store:  # the process that had it open lets go of it
        store.register([Service("b")])
        assert all(finding.ok for finding in store.check())
        rows = int(store.sample_counts()["samples"].sum())
    assert full.end()[1:] == [f"{rows} a b"]


def test_two_stores_in_one_process_share_the_file(tmp_path: Path) -> None:
    url = str(tmp_path / "x.duckdb")
    first, second = open_store(url), open_store(url)
    first.register([Service("a")])
    first.close()
    assert [service.name for service in second.services()] == ["a"]
    second.close()
    with pytest.raises(StoreError, match="is closed"):
        second.services()


def test_another_process_sees_writes_and_their_revision(tmp_path: Path, start: Callable[..., Actor]) -> None:
    owner = start("own")
    owner.wait_for(1)
    store = open_store(str(tmp_path / "x.duckdb"))
    before = store.revision
    writer = start("write", "a", 3)
    assert writer.end() == ["0", "1", "2"]
    assert store.revision > before
    assert len(store.sample_counts()) == ROWS + 1
    owner.end()
    assert len(store.sample_counts()) == ROWS + 1, "the next one takes over when the owner closes"
    store.close()


def test_a_large_batch_goes_to_the_owner_through_a_file_that_is_gone_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    rows = pd.DataFrame({"number": range(20_000), "name": ["it's"] * 20_000})
    with open_store(str(path)):
        address = read_address(path)
        assert address is not None
        home = QuackHome(address.url, address.token, StoreOptions(), str(path), path)
        try:
            session = home.session()
            for batch, files in ((rows, 1), (rows[:10], 0)):
                session.stage("incoming_x", batch)
                assert len(list(tmp_path.glob("*incoming*"))) == files
                found = session.read("SELECT count(*) AS n, sum(number) AS s, any_value(name) AS name FROM incoming_x")
                assert found.iloc[0].tolist() == [len(batch), batch["number"].sum(), "it's"]
                session.unstage("incoming_x")
                assert list(tmp_path.glob("*incoming*")) == []
            orphan = tmp_path / "x.duckdb.incoming_dead"
            orphan.touch()
        finally:
            home.close()
    open_store(str(path)).close()
    assert not orphan.exists()
