"""What the store costs, beside SQLite as in the original design and plain Parquet; and what Quack and a lake add."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from benchmarks.contenders import SERVICES, START, OfStore, Parquet, Sqlite, blocks, frame, of_file, of_lake
from support.actors import Actor
from support.servers import Postgres

from observatory.store import open_store
from observatory.store.engine.homes.address import read_address
from observatory.store.options import StoreOptions

pytestmark = pytest.mark.servers
NAMES = ["file", "served", "lake", "sqlite", "parquet"]
CHUNK = 144
"""Minutes a bulk load writes at a time."""


class Contenders:
    """Each with the same samples in it, filled when first asked for; ``served`` is a Quack client of ``file``."""

    def __init__(self, folder: Path, postgres: Postgres, minutes: int) -> None:
        self._minutes = minutes
        self._makers: dict[str, Callable[[], Any]] = {
            "file": lambda: of_file(folder / "x.duckdb"),
            "lake": lambda: of_lake(postgres.database(), folder / "lake"),
            "sqlite": lambda: Sqlite(folder / "x.sqlite"),
            "parquet": lambda: Parquet(folder / "parquet"),
        }
        self.path = folder / "x.duckdb"
        self.made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self.made:
            self.made[name] = self._client() if name == "served" else self._makers[name]()
            if name != "served":
                load(self.made[name], self._minutes)
        return self.made[name]

    def close(self, *names: str) -> None:
        for name in names or list(reversed(self.made)):
            if name in self.made:
                self.made.pop(name).close()

    def _client(self) -> OfStore:
        size = self["file"].size
        address = read_address(self.path)
        assert address is not None
        return OfStore(open_store(address.url, options=StoreOptions(token=address.token)), size)


@pytest.fixture(scope="module")
def contenders(tmp_path_factory: pytest.TempPathFactory, minutes: int) -> Iterator[Contenders]:
    with Postgres() as postgres:
        found = Contenders(tmp_path_factory.mktemp("contenders"), postgres, minutes)
        yield found
        found.close()


def end(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def load(contender: Any, minutes: int) -> None:
    for first in range(0, minutes, CHUNK):
        contender.write(frame(first, min(CHUNK, minutes - first)))
        contender.settle(end(min(first + CHUNK, minutes)))


@pytest.mark.benchmark(group="bulk load")
@pytest.mark.parametrize("name", ["file", "lake", "sqlite", "parquet"])
def test_bulk_load(benchmark: Any, name: str, tmp_path: Path, minutes: int, request: pytest.FixtureRequest) -> None:
    batches = [frame(first, min(CHUNK, minutes - first)) for first in range(0, minutes, CHUNK)]
    if name == "lake":
        with Postgres() as postgres:
            contender: Any = of_lake(postgres.database(), tmp_path / "lake")
            benchmark.pedantic(lambda: [contender.write(batch) for batch in batches], rounds=1)
            contender.close()
        return
    contender = {"file": of_file, "sqlite": Sqlite, "parquet": Parquet}[name](tmp_path / "x")
    benchmark.pedantic(lambda: [contender.write(batch) for batch in batches], rounds=1)
    contender.close()


@pytest.mark.parametrize("name", ["file", "lake", "sqlite", "parquet"])
def test_bytes_a_row(contenders: Contenders, name: str, minutes: int, tell: Callable[[str], None]) -> None:
    tell(f"{name:<8} {contenders[name].size() / (minutes * SERVICES):6.1f} bytes a row")
    if name == "file":
        each = {table: size / (minutes * SERVICES) for table, size in blocks(contenders[name].store).items()}
        tell(f"of which {', '.join(f'{table} {size:.1f}' for table, size in each.items())}, the rest is free for more")


@pytest.mark.benchmark(group="latest sample of every service")
@pytest.mark.parametrize("name", NAMES)
def test_latest(benchmark: Any, contenders: Contenders, name: str, minutes: int) -> None:
    assert benchmark.pedantic(contenders[name].latest, args=(end(minutes),), rounds=3) >= SERVICES


@pytest.mark.benchmark(group="24 h of one service")
@pytest.mark.parametrize("name", NAMES)
def test_day(benchmark: Any, contenders: Contenders, name: str, minutes: int) -> None:
    found = benchmark.pedantic(contenders[name].day, args=("shop/service-500", end(minutes)), rounds=7, warmup_rounds=1)
    assert found == min(minutes, 1440)


@pytest.mark.parametrize("services", [1_000, 10_000])
@pytest.mark.parametrize("name", NAMES)
def test_one_minute(benchmark: Any, contenders: Contenders, name: str, services: int, minutes: int) -> None:
    benchmark.group = f"one minute of {services:,} services"
    at = count(minutes + services)  # nobody's yet
    benchmark.pedantic(contenders[name].write, setup=lambda: ((frame(next(at), 1, services),), {}), rounds=5)


def test_how_long_a_reader_stalls(contenders: Contenders, minutes: int, tell: Callable[[str], None]) -> None:
    """A reader in another process, alone and while two processes write: what its longest read took."""
    _ = contenders["file"]
    for writers in (0, 2):
        reader = Actor("look", contenders.path)
        writing = [Actor("stream", contenders.path, f"writer-{i}", 12) for i in range(writers)]
        reader.wait_for(1)
        for writer in writing:
            writer.end()
        if not writing:
            reader.wait_for(100)
        reads, longest, usual = map(float, reader.end()[-1].split())
        what = "while two processes wrote 1,000 services a minute" if writers else "alone"
        tell(f"reader {what}: {reads:.0f} reads, usually {usual * 1e3:.0f} ms, the longest {longest * 1e3:.0f} ms")


def test_how_long_a_new_owner_takes(contenders: Contenders, tell: Callable[[str], None]) -> None:
    """From the SIGKILL of the process that serves the store to the first answer, and to the first write."""
    contenders.close("served", "file")
    owner = Actor("own", contenders.path)
    owner.wait_for(1)
    with open_store(str(contenders.path)) as store:
        store.write_samples(frame(-1, 1))
        owner.kill()
        killed = perf_counter()
        store.services()
        answered = perf_counter()
        store.write_samples(frame(-2, 1))
        tell(f"takeover: an answer {answered - killed:.2f} s and a write {perf_counter() - killed:.2f} s after SIGKILL")
