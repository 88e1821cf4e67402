"""What the processes of `test_processes` do, one role each: ``actors.py ROLE STORE NAME [COUNT]``.

A line on standard output is an acknowledgement; the end of standard input ends a process.
"""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pandas as pd

from observatory.store import Store, open_store

START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = 50


def batch(name: str, number: int) -> pd.DataFrame:
    """Rows of the writer's own services, and one that all writers share."""
    services = [f"{name}/{i}" for i in range(ROWS)] + ["shared"]
    at = START + timedelta(minutes=number)
    return pd.DataFrame({"service_name": services, "timestamp": at, "request_rate": float(number), "pod_count": 1.0})


def own(store: Store, name: str, count: int) -> None:
    print("ready", flush=True)
    sys.stdin.read()


def write(store: Store, name: str, count: int) -> None:
    for number in range(count):
        store.write_samples(batch(name, number))
        print(number, flush=True)


def archive(store: Store, name: str, count: int) -> None:
    """Archive a week more at a time, until killed."""
    print("ready", flush=True)
    for week in range(1, 13):
        store.archive.move(START + timedelta(weeks=week))


def read(store: Store, name: str, count: int) -> None:
    """Read until told to end; says how often, how long the longest read took [s], and if a count ever fell."""
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    print("ready", flush=True)
    reads, longest, seen, fell = 0, 0.0, 0, False
    while not ended.is_set():
        began = time.perf_counter()
        rows = int(store.sample_counts()["samples"].sum())
        longest = max(longest, time.perf_counter() - began)
        fell, seen, reads = fell or rows < seen, rows, reads + 1
    print(reads, longest, fell, flush=True)


if __name__ == "__main__":
    role, url, name, *rest = sys.argv[1:]
    opened = open_store(url)
    {"own": own, "write": write, "read": read, "archive": archive}[role](opened, name, int(rest[0]) if rest else 0)
    opened.close()
