"""Each way in which a receiver fails, for each transition: it is told in the end, in order, each with its key."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from support.destinations import an_incident, happens
from support.incidents import NOON, at
from support.secure import Certificates
from support.sender import NAME, told
from support.servers import FaultyServer, Reply, free_port

from observatory.model import TRANSITIONS, DeliveryState, EventKind
from observatory.runtime.hand_out import hand_out, note_destinations
from observatory.runtime.sending import Lane
from observatory.store import Store, open_store

pytestmark = pytest.mark.slow

LIFE: tuple[EventKind, ...] = ("opened", "acknowledged", "worse", "better", "resolved", "reopened", "merged")
TAKEN = Reply(204)
FAULTS = {
    "time-out": Reply(silent=True),
    "429": Reply(429, b"slowly", {"Retry-After": "30"}),
    "500": Reply(500, b"oh"),
    "503": Reply(503),
    "half an answer": Reply(200, b"x" * 100, cut=10),
    "no answer": Reply(0),
}


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store(":memory:") as store:
        note_destinations(store, told("http://127.0.0.1"), NOON - timedelta(days=1))
        yield store


def lives(store: Store, kind: EventKind, number: int) -> None:
    facts: dict[str, Any] = {"state": "merged", "symptoms": (), "merged_into": "b"} if kind == "merged" else {}
    happens(store, an_incident(), kind, number, **facts)


def tell_all(store: Store, url: str, now: datetime, after: Callable[[], object] = lambda: None, **options: Any) -> int:
    """Send as long as anything waits, with time going on; returns how many attempts failed."""
    destinations = told(url, **options)
    lane = Lane(store, destinations[NAME], chance=lambda: 1.0)
    failed = 0
    with contextlib.closing(destinations[NAME].destination):
        while store.notifications.has_work():
            hand_out(store, destinations, now)
            if not lane.send_due(now):
                failed += bool(lane.error)
                after()
            now += timedelta(minutes=11)  # longer than any wait
            assert now < NOON + timedelta(hours=20), lane.error
    return failed


def test_these_are_all_the_transitions_there_are() -> None:
    assert sorted(LIFE) == sorted(TRANSITIONS)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_before_each_transition_loses_none_and_keeps_their_order(store: Store, fault: str) -> None:
    happens(store, an_incident("b"), "opened", -60 * 48)
    keys: list[str] = []
    for number, kind in enumerate(LIFE):
        lives(store, kind, number)
        with FaultyServer(FAULTS[fault], FAULTS[fault], TAKEN) as server:
            # only one that never answers is not waited for: on a busy machine others take their time
            tell_all(store, server.url, at(number), timeout=1 if fault == "time-out" else 60)
            keys += [request.headers["webhook-id"] for request in server.requests]
    expected = [f"a-{line}" for line in range(1, len(LIFE) + 1)]
    assert keys == [key for key in expected for _ in range(3)], "two attempts failed, and the third was taken"
    log = {one.key: one for one in store.notifications.log(NAME)}
    assert [log[key].kind for key in expected] == list(LIFE)
    assert {(one.state, one.attempts) for one in log.values()} == {(DeliveryState.SENT, 3)}


def test_a_receiver_that_is_not_there_is_told_all_once_it_is(store: Store) -> None:
    for number, kind in enumerate(LIFE):
        lives(store, kind, number)
    port = free_port()
    with contextlib.ExitStack() as stack:
        servers: list[FaultyServer] = []

        def comes_up() -> None:
            servers.append(stack.enter_context(FaultyServer(TAKEN, port=port)))

        failed = tell_all(store, f"http://127.0.0.1:{port}", at(10), comes_up)
        (server,) = servers
        assert [request.headers["webhook-id"] for request in server.requests] == [f"a-{n}" for n in range(1, 8)]
    assert failed == 1
    assert {one.state for one in store.notifications.log(NAME)} == {DeliveryState.SENT}


def test_a_receiver_whose_certificate_is_not_trusted_is_told_all_once_it_is(
    store: Store, certificates: Certificates
) -> None:
    for number, kind in enumerate(LIFE):
        lives(store, kind, number)
    with FaultyServer(TAKEN, tls=certificates.context()) as server:
        destinations = told(server.url)
        hand_out(store, destinations, at(10))
        lane = Lane(store, destinations[NAME])
        assert lane.send_due(at(10)) == 0
        assert "has a certificate that is not trusted" in lane.error
        destinations[NAME].destination.close()
        assert server.requests == [], "nothing was told to whoever answered"
        tell_all(store, server.url, at(30), ca_file=certificates.authority)
        assert [request.headers["webhook-id"] for request in server.requests] == [f"a-{n}" for n in range(1, 8)]
    assert {one.state for one in store.notifications.log(NAME)} == {DeliveryState.SENT}
