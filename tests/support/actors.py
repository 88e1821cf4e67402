"""Processes that use a store, one role each; what a process says is an acknowledgement.

They are forked from a server that has the imports done, so that starting one takes no time.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count as numbers
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import pandas as pd
from support.servers import wait_until

from observatory.catalog import METRICS
from observatory.errors import StoreError
from observatory.model import Call, Service
from observatory.store import Store, open_store
from observatory.store.engine.homes.base import Session

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        "observatory.store",
        "observatory.store.engine.homes.file",
        "observatory.runtime.notifier",
        "observatory.integrations",
    ]
)
WAIT = 120
Say = Callable[..., None]
_numbers = numbers()
START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = 50
FAULTS = (("shop/web", 5, 20), ("shop/db", 12, 40), ("shop/cart", 30, 60), ("shop/web", 70, 80))
"""Service, and the minutes from and to which its health is critical."""


def batch(name: str, number: int) -> pd.DataFrame:
    """Rows of the writer's own services, and one that all writers share."""
    services = [f"{name}/{i}" for i in range(ROWS)] + ["shared"]
    at = START + timedelta(minutes=number)
    return pd.DataFrame({"service_name": services, "timestamp": at, "request_rate": float(number), "pod_count": 1.0})


def own(store: Store, name: str, count: int, say: Say, ended: Event) -> None:
    say("ready")
    ended.wait()


def write(store: Store, name: str, count: int, say: Say, ended: Event) -> None:
    for number in range(count):
        store.write_samples(batch(name, number))
        say(number)


def see(store: Store, name: str, count: int, say: Say, ended: Event) -> None:
    """See one call hour by hour, those of an odd number last first."""
    hours = [START + timedelta(hours=hour) for hour in range(40)]
    for at in reversed(hours) if count % 2 else hours:
        store.write_calls([Call("web", "cart", "istio", "eu"), Call("web", name, "istio", "eu")], at)
    say("seen")


def hold(store: Store, name: str, count: int, say: Say, ended: Event) -> None:
    """Begin a transaction that locks all other writers out, and never end it."""

    def work(session: Session) -> None:
        say("in the middle")
        ended.wait()

    store._database.transaction(work)


def archive(store: Store, name: str, count: int, say: Say, ended: Event) -> None:
    """Archive a week more at a time."""
    say("ready")
    for week in range(1, 13):
        store.archive.move(START + timedelta(weeks=week))


def tidy(store: Store, name: str, count: int, say: Say, ended: Event) -> None:
    """Roll up and sort again and again."""
    say("ready")
    while not ended.is_set():
        store._database.write([*store.watermarks.forgetting("rollup"), *store.watermarks.forgetting("tidy")])
        store.maintain(START + timedelta(days=count))


def read(store: Store, name: str, count: int, say: Say, ended: Event) -> None:
    """Read until told to end; says how often, how long the longest read took [s], and if a count ever fell."""
    say("ready")
    reads, longest, seen, fell = 0, 0.0, 0, False
    while not ended.is_set():
        began = time.perf_counter()
        rows = int(store.sample_counts()["samples"].sum())
        longest = max(longest, time.perf_counter() - began)
        fell, seen, reads = fell or rows < seen, rows, reads + 1
    say(reads, longest, fell)


def look(store: Store, name: str, count: int, say: Say, ended: Event) -> None:
    """Ask for the newest sample of every service, as an open page does; says how often, the longest, the usual [s]."""
    took: list[float] = []
    while not ended.is_set() or not took:
        began = time.perf_counter()
        store.latest(START)
        took.append(time.perf_counter() - began)
        say(len(took))
    say(len(took), max(took), sorted(took)[len(took) // 2])


def stream(store: Store, name: str, count: int, say: Say, ended: Event) -> None:
    """Write minutes of a thousand services, one after the other."""
    for number in range(count):
        rows = pd.DataFrame({"service_name": [f"{name}/{i}" for i in range(1000)], "timestamp": START})
        rows["timestamp"] += timedelta(days=400, minutes=number)
        store.write_samples(rows.assign(**{metric: np.random.random(1000) for metric in METRICS}))


def full(store: Store, name: str, count: int, say: Say, ended: Event) -> None:
    """Write what its file may not hold; then serve on, and write again when told to end."""
    rows = pd.concat([batch(name, number) for number in range(200)])
    store.write_samples(rows.assign(**{metric: np.random.random(len(rows)) for metric in METRICS}))
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, most))
    try:
        store._database.run("CHECKPOINT")
    except StoreError as error:
        say(str(error).replace("\n", " "))
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    ended.wait()
    store.register([Service("a")])
    say(store.sample_counts()["samples"].sum(), *(service.name for service in store.services()))


def track(store: Store, name: str, count: int, say: Say, ended: Event) -> None:
    """Follow incidents again and again, at the minute that the test has noted down; says each minute once."""
    from observatory.runtime.incidents import IncidentTracker

    tracker, before = IncidentTracker(store), -1
    while not ended.is_set():
        minute = int(store.note("minute") or 0)
        critical = [service for service, first, last in FAULTS if first <= minute < last]
        tracker.follow(START + timedelta(minutes=minute), {service: f"{service}: health 0" for service in critical})
        if minute != before:
            say(minute)
        before = minute


def make(store: Store, name: str, count: int, say: Say, ended: Event) -> None:
    """Opening it has made the store."""


ROLES = {
    "own": own,
    "write": write,
    "see": see,
    "hold": hold,
    "read": read,
    "archive": archive,
    "tidy": tidy,
    "full": full,
    "make": make,
    "track": track,
    "look": look,
    "stream": stream,
}


def play(role: str, path: Path, name: str, count: int, ended: Event, out: Path, err: Path) -> None:
    with out.open("w") as lines, err.open("w") as errors:
        os.dup2(errors.fileno(), 2)  # of this process alone
        print("opening", file=lines, flush=True)
        store = open_store(str(path))
        ROLES[role](store, name, count, lambda *words: print(*words, file=lines, flush=True), ended)
        store.close()


class Actor:
    """A process in one of the roles; what it acknowledged is in `said`."""

    def __init__(self, role: str, store: Path, name: str = "", count: int = 0) -> None:
        number = next(_numbers)
        self._out, self._err = store.with_name(f"{number}.out"), store.with_name(f"{number}.err")
        self._ended = CONTEXT.Event()
        arguments = (role, store, name, count, self._ended, self._out, self._err)
        self.process = CONTEXT.Process(target=play, args=arguments)
        self.process.start()
        wait_until(lambda: self._lines() or not self.process.is_alive(), WAIT, "an actor to start")

    @property
    def said(self) -> list[str]:
        return self._lines()[1:]

    def _lines(self) -> list[str]:
        return self._out.read_text().split("\n")[:-1] if self._out.exists() else []

    def wait_for(self, lines: int) -> None:
        wait_until(
            lambda: len(self.said) >= lines or not self.process.is_alive(), WAIT, "an actor", self._err.read_text
        )
        assert len(self.said) >= lines, self._err.read_text()

    def wait_for_line(self, line: str) -> None:
        """Wait until it has said that."""
        wait_until(lambda: line in self.said or not self.process.is_alive(), WAIT, "an actor", self._err.read_text)
        assert line in self.said, self._err.read_text()

    def wait_for_change(self, look: Callable[[], object]) -> None:
        """Wait until something looks otherwise than now, or the process is done."""
        before = look()
        wait_until(lambda: look() != before or not self.process.is_alive(), WAIT, "a change", self._err.read_text)

    def end(self) -> list[str]:
        """Tell it to end and wait; returns what it said."""
        self._ended.set()
        self.process.join(WAIT)
        assert self.process.exitcode == 0, self._err.read_text()
        return self.said

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.join()
