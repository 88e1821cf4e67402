"""One store, many processes: a server, writers, readers; and the server killed in the middle."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from servers import Postgres, wait_until
from store.actors import ROWS, START, batch

from observatory.errors import StoreError, StoreInUseError
from observatory.model import Service
from observatory.store import Store, open_store
from observatory.store.homes.address import Address, address_file, read_address, write_address
from observatory.store.options import StoreOptions

ACTORS = Path(__file__).with_name("actors.py")
WAIT = 120


class Actor:
    """A process in one of the roles; what it acknowledged is in `said`."""

    def __init__(self, role: str, store: Path, name: str = "", count: int = 0) -> None:
        self._log = store.with_name(f"{role}-{name}.out")
        self._errors = store.with_name(f"{role}-{name}.err")
        with self._log.open("w") as out, self._errors.open("w") as err:
            command = [sys.executable, str(ACTORS), role, str(store), name, str(count)]
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=err)

    @property
    def said(self) -> list[str]:
        return self._log.read_text().split("\n")[:-1]

    def wait_for(self, lines: int) -> None:
        wait_until(lambda: len(self.said) >= lines or self.process.poll(), WAIT, "an actor", self._errors.read_text)
        assert len(self.said) >= lines, self._errors.read_text()

    def end(self) -> list[str]:
        """Close its standard input and wait; returns what it said."""
        self.process.communicate(timeout=WAIT)
        assert self.process.returncode == 0, self._errors.read_text()
        return self.said


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Actor]]:
    """Starts actors on one store; none outlives the test."""
    actors: list[Actor] = []

    def start(role: str, name: str = "", count: int = 0) -> Actor:
        actors.append(Actor(role, tmp_path / "x.duckdb", name, count))
        return actors[-1]

    yield start
    for actor in actors:
        if actor.process.poll() is None:
            actor.process.kill()
        actor.process.communicate()


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
    owner.process.kill()
    owner.process.wait()
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
        writer.process.kill()
        writer.process.wait()
        acknowledged = len(writer.said)
        rows, different = count_rows(tmp_path / "x.duckdb", f"w{attempt}")
        assert rows == different
        assert rows % ROWS == 0, "a batch is there whole or not at all"
        assert acknowledged <= rows // ROWS <= acknowledged + 1


def test_writers_of_the_same_new_rows_make_them_once(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    owner = open_store(str(path))
    address = read_address(path)
    assert address is not None
    options = StoreOptions(token=address.token)
    stores = [owner, *(open_store(address.url, options=options) for _ in range(3))]
    together = threading.Barrier(len(stores))

    def write(store: Store) -> None:
        for number in range(20):
            together.wait()
            store.write_samples(batch("same", number))

    with ThreadPoolExecutor(len(stores)) as pool:
        list(pool.map(write, stores))
    assert all(finding.ok for finding in owner.check())
    assert owner.sample_counts()["samples"].tolist() == [20] * (ROWS + 1)
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
    options = StoreOptions(data_path=str(tmp_path / "lake"))

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
    owner.process.send_signal(signal.SIGKILL)
    owner.process.wait()
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
