"""The process that sends is killed at every step: nothing is lost, and what comes twice has the same key."""

from __future__ import annotations

import signal
from collections import Counter
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from support.actors import CONTEXT
from support.destinations import an_incident, happens, open_all
from support.incidents import NOON
from support.sender import NAME, STEPS, tell, told
from support.servers import HANGS_AFTER, FaultyServer, Reply, Request

from observatory.model import DeliveryState
from observatory.runtime.hand_out import note_destinations
from observatory.runtime.notifier import LEASE
from observatory.store import open_store

pytestmark = pytest.mark.slow

INCIDENTS = [f"i{number:02}" for number in range(30)]
EXPECTED = [f"{incident}-{line}" for incident in INCIDENTS for line in (1, 2)]
ANSWERED = 3
"""The request during which a sender is killed from outside."""


class Receiver:
    """Takes everything; while it answers, it can kill whoever asks."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.victim: BaseProcess | None = None
        self._asked = 0

    def __call__(self, request: Request) -> Reply:
        self.keys.append(request.headers["webhook-id"])
        if self.victim is not None:
            self._asked += 1
            if self._asked == ANSWERED:
                self.victim.kill()
                self.victim.join(HANGS_AFTER)
        return Reply(204)


def prepared(path: Path) -> None:
    """A store in which incidents opened and ended, and nobody was told."""
    with open_store(str(path)) as store:
        note_destinations(store, told("http://127.0.0.1"), NOON - timedelta(days=1))
        open_all(store, [an_incident(one) for one in INCIDENTS])
        for one in INCIDENTS:
            happens(store, an_incident(one), "resolved", 1)


def test_a_sender_that_is_killed_at_each_step_loses_nothing_and_doubles_nothing_but_by_key(tmp_path: Path) -> None:
    path, receiver = tmp_path / "store.duckdb", Receiver()
    prepared(path)
    minutes = 2 * LEASE.total_seconds() / 60  # until the claim of one that was killed has run out
    with FaultyServer(choose=receiver) as server:
        starts = iter(range(2, 1000, int(minutes)))
        for step in STEPS:
            process = CONTEXT.Process(target=tell, args=(path, server.url, next(starts), step))
            process.start()
            process.join(HANGS_AFTER)
            assert process.exitcode == -signal.SIGKILL, step
        process = CONTEXT.Process(target=tell, args=(path, server.url, next(starts)))
        receiver.victim = process
        process.start()
        process.join(HANGS_AFTER)
        assert process.exitcode == -signal.SIGKILL, "while it was answered"
        receiver.victim = None
        process = CONTEXT.Process(target=tell, args=(path, server.url, next(starts)))
        process.start()
        process.join(HANGS_AFTER)
        assert process.exitcode == 0
    counts = Counter(receiver.keys)
    assert sorted(counts) == EXPECTED, "nothing is lost, and no key is new"
    again = sum(counts.values()) - len(counts)
    assert again == 4, "sent and not noted: after the send, before and in the noting, and while it was answered"
    firsts = list(counts)
    assert all(firsts.index(f"{one}-1") < firsts.index(f"{one}-2") for one in INCIDENTS)
    with open_store(str(path)) as store:
        log = store.notifications.log(NAME, limit=1000)
        assert sorted(delivery.key for delivery in log) == EXPECTED
        assert {delivery.state for delivery in log} == {DeliveryState.SENT}
        assert store.notifications.outbox() == []
