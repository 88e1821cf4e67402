"""The store in its homes, and what it is held against: the original design (SQLite), and plain Parquet."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from observatory.catalog import METRICS
from observatory.model import SERVICE
from observatory.store import Store, open_store
from observatory.store.options import StoreOptions

START = datetime(2026, 1, 1, tzinfo=UTC)
SERVICES = 1000
COLUMNS = list(METRICS)


def frame(first: int, minutes: int, services: int = SERVICES) -> pd.DataFrame:
    """Samples as they arrive: a minute of all services at a time; values are as unround as real ones."""
    random = np.random.default_rng(abs(first))
    rows = minutes * services
    columns = {name: random.random(rows) for name in COLUMNS}
    columns["error_rate"] *= random.random(rows) < 0.1  # most minutes are without errors
    columns["memory_usage"] = random.integers(50_000, 60_000, rows) * 4096.0
    columns["restart_count"] = np.zeros(rows)
    columns["pod_count"] = np.full(rows, 3.0)
    names = np.tile([f"shop/service-{i}" for i in range(services)], minutes)
    start = np.datetime64(START.replace(tzinfo=None), "us") + np.timedelta64(first, "m")
    times = np.repeat(start + np.arange(minutes) * np.timedelta64(1, "m"), services)
    return pd.DataFrame({SERVICE: names, "timestamp": pd.DatetimeIndex(times, tz="UTC"), **columns})


class OfStore:
    """The workbench's own store."""

    def __init__(self, store: Store, size: Callable[[], int]) -> None:
        self.store = store
        self.size = size

    def write(self, batch: pd.DataFrame) -> None:
        self.store.write_samples(batch)

    def settle(self, now: datetime) -> None:
        """What the worker does as time goes on."""
        self.store.maintain(now)

    def latest(self, now: datetime) -> int:
        return len(self.store.latest(now - timedelta(minutes=10)))

    def day(self, service: str, now: datetime) -> int:
        return len(self.store.history(service, now - timedelta(days=1), now))

    def close(self) -> None:
        self.store.close()


class Sqlite:
    """The original design: one table with a UNIQUE index, and INSERT OR REPLACE."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = sqlite3.connect(path)
        columns = ", ".join(f"{name} REAL" for name in COLUMNS)
        self._connection.execute(
            f"CREATE TABLE m (id INTEGER PRIMARY KEY, service_name TEXT, timestamp TEXT, {columns}, "
            "UNIQUE (service_name, timestamp))"
        )

    def write(self, batch: pd.DataFrame) -> None:
        rows = batch.assign(timestamp=batch["timestamp"].dt.strftime("%Y-%m-%dT%H:%M:%S"))
        names = ", ".join([SERVICE, "timestamp", *COLUMNS])
        marks = ", ".join("?" * (len(COLUMNS) + 2))
        with self._connection:
            self._connection.executemany(
                f"INSERT OR REPLACE INTO m ({names}) VALUES ({marks})", rows.itertuples(index=False, name=None)
            )

    def settle(self, now: datetime) -> None:
        """Nothing to do."""

    def latest(self, now: datetime) -> int:
        newest = "SELECT service_name AS s, max(timestamp) AS t FROM m GROUP BY 1"
        query = f"SELECT * FROM m JOIN ({newest}) ON service_name = s AND timestamp = t"
        return len(pd.read_sql(query, self._connection))

    def day(self, service: str, now: datetime) -> int:
        query = "SELECT * FROM m WHERE service_name = ? AND timestamp BETWEEN ? AND ? ORDER BY timestamp"
        bounds = [f"{time:%Y-%m-%dT%H:%M:%S}" for time in (now - timedelta(days=1), now)]
        return len(pd.read_sql(query, self._connection, params=(service, *bounds)))

    def size(self) -> int:
        return self._path.stat().st_size

    def close(self) -> None:
        self._connection.close()


class Parquet:
    """A file a batch; upserts are left to the reader."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._connection = duckdb.connect()
        self._files = 0

    def write(self, batch: pd.DataFrame) -> None:
        self._connection.register("batch", batch)
        self._connection.execute(f"COPY batch TO '{self._folder}/{self._files:06}.parquet'")
        self._files += 1

    def settle(self, now: datetime) -> None:
        """Nothing to do."""

    def latest(self, now: datetime) -> int:
        newest = "row_number() OVER (PARTITION BY service_name ORDER BY timestamp DESC) = 1"
        query = f"FROM '{self._folder}/*.parquet' WHERE timestamp >= ? QUALIFY {newest}"
        return len(self._connection.execute(query, [now - timedelta(minutes=10)]).df())

    def day(self, service: str, now: datetime) -> int:
        query = (
            f"FROM '{self._folder}/*.parquet' WHERE service_name = ? AND timestamp BETWEEN ? AND ? ORDER BY timestamp"
        )
        return len(self._connection.execute(query, [service, now - timedelta(days=1), now]).df())

    def size(self) -> int:
        return sum(file.stat().st_size for file in self._folder.iterdir())

    def close(self) -> None:
        self._connection.close()


def of_file(path: Path) -> OfStore:
    """A store in a file of its own."""
    store = open_store(str(path))

    def size() -> int:
        store._database.run("CHECKPOINT")  # what is in the log belongs to the file
        return path.stat().st_size

    return OfStore(store, size)


def blocks(store: Store) -> dict[str, int]:
    """Bytes of a file's tables, without blocks that are free to be used again."""
    count = "SELECT count(DISTINCT block_id) FROM pragma_storage_info('{}')"
    tables = ("service_metrics", "rollup_5m", "rollup_1h")
    return {table: 2**18 * int(store._database.value(count.format(table))) for table in tables}


def of_lake(catalogue: str, folder: Path) -> OfStore:
    """A store in a lake."""
    store = open_store(f"ducklake:postgres:{catalogue}", options=StoreOptions(data_path=str(folder)))
    return OfStore(store, lambda: sum(file.stat().st_size for file in folder.rglob("*.parquet")))
