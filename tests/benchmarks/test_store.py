"""What the store costs, beside SQLite as in the original design and plain Parquet; and what Quack and a lake add."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from benchmarks.contenders import SERVICES, START, OfStore, Parquet, Sqlite, frame, of_file, of_lake
from servers import Postgres

from observatory.store import open_store
from observatory.store.homes.address import read_address
from observatory.store.options import StoreOptions

pytestmark = pytest.mark.servers
NAMES = ["file", "served", "lake", "sqlite", "parquet"]
CHUNK = 144
"""Minutes a bulk load writes at a time."""


@pytest.fixture(scope="module")
def contenders(tmp_path_factory: pytest.TempPathFactory, minutes: int) -> Iterator[dict[str, Any]]:
    """Each with the same samples in it; ``served`` is a Quack client of ``file``."""
    folder = tmp_path_factory.mktemp("contenders")
    with Postgres() as postgres:
        found: dict[str, Any] = {
            "file": of_file(folder / "x.duckdb"),
            "lake": of_lake(postgres.database(), folder / "lake"),
            "sqlite": Sqlite(folder / "x.sqlite"),
            "parquet": Parquet(folder / "parquet"),
        }
        for contender in found.values():
            load(contender, minutes)
            contender.settle(end(minutes))
        address = read_address(folder / "x.duckdb")
        assert address is not None
        client = open_store(address.url, options=StoreOptions(token=address.token))
        found["served"] = OfStore(client, found["file"].size)
        yield found
        for contender in reversed(found.values()):
            contender.close()


def end(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def load(contender: Any, minutes: int) -> None:
    for first in range(0, minutes, CHUNK):
        contender.write(frame(first, min(CHUNK, minutes - first)))


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


def test_bytes_a_row(contenders: dict[str, Any], minutes: int) -> None:
    contenders["file"].store.repair(end(minutes))
    rows = contenders["file"].store.sample_counts()["samples"].sum()
    for name in ("file", "lake", "sqlite", "parquet"):
        print(f"{name:<8} {contenders[name].size() / rows:6.1f} bytes a row")


@pytest.mark.benchmark(group="latest sample of every service")
@pytest.mark.parametrize("name", NAMES)
def test_latest(benchmark: Any, contenders: dict[str, Any], name: str, minutes: int) -> None:
    assert benchmark.pedantic(contenders[name].latest, args=(end(minutes),), rounds=3) >= SERVICES


@pytest.mark.benchmark(group="24 h of one service")
@pytest.mark.parametrize("name", NAMES)
def test_day(benchmark: Any, contenders: dict[str, Any], name: str, minutes: int) -> None:
    found = benchmark.pedantic(contenders[name].day, args=("shop/service-500", end(minutes)), rounds=7, warmup_rounds=1)
    assert found == min(minutes, 1441)


@pytest.mark.parametrize("services", [1_000, 10_000])
@pytest.mark.parametrize("name", NAMES)
def test_one_minute(benchmark: Any, contenders: dict[str, Any], name: str, services: int, minutes: int) -> None:
    benchmark.group = f"one minute of {services:,} services"
    at = count(minutes + services)  # nobody's yet
    benchmark.pedantic(contenders[name].write, setup=lambda: ((frame(next(at), 1, services),), {}), rounds=5)
