"""The worker keeps its beat whatever a cycle does."""

from __future__ import annotations

import itertools
import logging
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest

from observatory.errors import StoreError
from observatory.model import Cycle
from observatory.runtime.worker import Worker

START = datetime(2026, 1, 1, 0, 0, 10, tzinfo=UTC)


class FakeTime:
    """A clock that moves only when somebody waits, and stops the worker after some waits."""

    def __init__(self, waits: int) -> None:
        self.now = START
        self.left = waits

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now += timedelta(seconds=seconds)
        self.left -= 1
        return self.left < 0


def cycle(at: datetime) -> Cycle:
    return Cycle(at, 0.1, 1, 1, 0)


def test_cycles_run_at_multiples_of_the_interval() -> None:
    time, ran = FakeTime(3), []
    Worker(lambda at, skipped: ran.append(at) or cycle(at), 60, time, time.wait).run()
    assert ran == [datetime(2026, 1, 1, 0, minute, tzinfo=UTC) for minute in (1, 2, 3)]


def test_a_failing_cycle_is_kept_as_error_and_the_next_one_runs(caplog) -> None:
    time, ran, seen = FakeTime(3), [], []

    def fail_once(at: datetime, skipped: int) -> Cycle:
        seen.append(worker.error)
        ran.append(at)
        if len(ran) == 1:
            raise RuntimeError("disk full")
        return cycle(at)

    worker = Worker(fail_once, 60, time, time.wait)
    worker.run()
    assert len(ran) == 3
    assert seen == [None, "RuntimeError: disk full", None]
    assert "a cycle failed" in caplog.text


def test_a_cycle_that_ends_with_the_worker_is_no_failure(caplog) -> None:
    began, closed = threading.Event(), threading.Event()

    def collect(at: datetime, skipped: int) -> None:
        began.set()
        closed.wait()
        raise StoreError("the store is closed")

    worker = Worker(collect, 60, lambda: START, lambda seconds: False)
    worker.start()
    began.wait()
    worker.stop(timeout=0)
    closed.set()
    worker.stop()
    assert not worker.is_running
    assert worker.error is None
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


ENDING = """
import atexit, concurrent.futures.thread as pools, logging, threading
from observatory.runtime.worker import Worker
from observatory.times import utc_now

began = threading.Event()

def cycle(at, skipped):
    began.set()
    while not pools._shutdown:
        pass
    pools.ThreadPoolExecutor(1).submit(print, "too late")

logging.basicConfig(level=logging.INFO)
worker = Worker(cycle, 60, utc_now, lambda seconds: False)
worker.start()
atexit.register(worker.stop)
began.wait()
"""


@pytest.mark.slow
def test_a_cycle_that_python_ends_under_is_no_failure() -> None:
    ended = subprocess.run([sys.executable, "-c", ENDING], capture_output=True, text=True, check=True)
    assert "the cycle in progress was left" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_slow_cycles_skip_and_never_pile_up() -> None:
    time, ran, told = FakeTime(3), [], []

    def slow(at: datetime, skipped: int) -> Cycle:
        ran.append(at)
        told.append(skipped)
        time.now += timedelta(seconds=200)
        return cycle(at)

    worker = Worker(slow, 60, time, time.wait)
    worker.run()
    assert told == [0, 2, 2]
    assert worker.skipped > sum(told)  # those after the last cycle, too
    assert all(later - earlier >= timedelta(seconds=200) for earlier, later in itertools.pairwise(ran))


def test_start_and_stop_end_the_thread() -> None:
    began = threading.Event()
    worker = Worker(lambda at, skipped: began.set() or cycle(at), 0.01, lambda: datetime.now(UTC))
    worker.start()
    worker.start()
    assert began.wait(10)
    worker.stop()
    assert not worker.is_running
