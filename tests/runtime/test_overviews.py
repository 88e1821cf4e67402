"""One read of all services serves everybody, and nobody waits for one of unchanged data."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from support.servers import wait_until
from support.shop import NOON, Clock

from observatory.errors import StoreError
from observatory.health.overview import Overview
from observatory.runtime.overviews import OverviewCache

WAIT = 30


class Reads:
    """Reads empty overviews, as many as are asked for; fails or waits where told to."""

    def __init__(self) -> None:
        self.times: list[datetime] = []
        self.error: Exception | None = None
        self.go = threading.Event()
        self.go.set()
        self.revision = 1
        self.clock = Clock()
        self.cache = OverviewCache(self.read, lambda: self.revision, self.clock)

    def read(self, now: datetime) -> Overview:
        self.times.append(now)
        assert self.go.wait(WAIT)
        if self.error is not None:
            raise self.error
        return Overview(now, "demo", (), None)


@pytest.fixture
def reads() -> Reads:
    return Reads()


def test_an_overview_is_kept_until_the_store_changes(reads: Reads) -> None:
    first = reads.cache.get()
    reads.clock.forward(seconds=14)
    assert reads.cache.get() is first
    reads.revision = 2
    assert reads.cache.get() is not first
    assert len(reads.times) == 2


def test_an_older_one_is_handed_out_while_another_is_read(reads: Reads) -> None:
    first = reads.cache.get()
    reads.clock.forward(seconds=16)
    reads.go.clear()
    assert reads.cache.get() is first
    assert reads.cache.get() is first, "nobody waits, and it is read once"
    reads.go.set()
    wait_until(lambda: reads.cache.get() is not first, WAIT, "the new overview")
    assert len(reads.times) == 2


def test_one_that_is_too_old_is_waited_for(reads: Reads) -> None:
    first = reads.cache.get()
    reads.clock.forward(seconds=31)
    assert reads.cache.get().at == first.at + timedelta(seconds=31)


def test_of_many_who_wait_one_reads(reads: Reads) -> None:
    reads.go.clear()
    found: list[Overview] = []
    threads = [threading.Thread(target=lambda: found.append(reads.cache.get())) for _ in range(8)]
    for thread in threads:
        thread.start()
    wait_until(lambda: reads.times, WAIT, "somebody to read")
    reads.go.set()
    for thread in threads:
        thread.join(WAIT)
    assert len(found) == 8
    assert all(one is found[0] for one in found)
    assert len(reads.times) == 1


def test_a_read_that_fails_is_raised_and_the_next_one_is_made(reads: Reads) -> None:
    reads.error = StoreError("disk full")
    with pytest.raises(StoreError):
        reads.cache.get()
    reads.error = None
    assert reads.cache.get().at == NOON


@pytest.mark.parametrize("error", [StoreError("disk full"), ZeroDivisionError("by zero")])
def test_a_read_beside_that_fails_is_logged_and_tried_again(
    reads: Reads, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    first = reads.cache.get()
    reads.clock.forward(seconds=16)
    reads.error = error
    assert reads.cache.get() is first
    wait_until(lambda: str(error) in caplog.text, WAIT, "the log")
    reads.error = None
    wait_until(lambda: reads.cache.get() is not first, WAIT, "the new overview")


def test_where_no_thread_can_start_it_is_read_later(reads: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    first = reads.cache.get()
    reads.clock.forward(seconds=16)

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        assert reads.cache.get() is first
    wait_until(lambda: reads.cache.get() is not first, WAIT, "the new overview")
    reads.clock.forward(seconds=31)
    assert reads.cache.get().at == reads.clock.now
