"""Threads that tell: a destination that hangs holds up no other, and of two processes one sends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from support.destinations import Recorder, an_incident, happens, open_all, told
from support.incidents import NOON, at
from support.servers import HANGS_AFTER, wait_until

from observatory.config import Settings
from observatory.errors import ConfigError, DeliveryError, NotFoundError
from observatory.integrations import Late
from observatory.model import DeliveryState
from observatory.runtime import Runtime
from observatory.runtime.hand_out import note_destinations
from observatory.runtime.notifier import LEASE, Notifier
from observatory.store import Store, open_store


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store(":memory:") as store:
        yield store


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def notifier(store: Store, clock: Clock, *recorders: Recorder) -> Notifier:
    destinations = {one.name: told(one, rate="10000/minute") for one in recorders}
    note_destinations(store, destinations, NOON - timedelta(days=1))
    return Notifier(store, destinations, clock)


def test_a_destination_that_hangs_holds_up_no_other(store: Store) -> None:
    slow, quick = Recorder("slow"), Recorder("quick")
    goes_on = threading.Event()
    slow.before = lambda message: goes_on.wait(HANGS_AFTER) and None
    notifying = notifier(store, Clock(), slow, quick)
    notifying.start()
    try:
        for key in ("a", "b"):
            happens(store, an_incident(key), "opened")
        notifying.wake()
        wait_until(lambda: len(quick.taken) == 2, HANGS_AFTER, "the quick one")
        assert slow.taken == []
        goes_on.set()
        wait_until(lambda: len(slow.taken) == 2, HANGS_AFTER, "the slow one")
    finally:
        goes_on.set()
        notifying.stop()


def test_of_two_processes_one_sends_and_the_other_takes_over(store: Store) -> None:
    clock = Clock()
    first, second = Recorder("desk"), Recorder("desk")
    one, other = notifier(store, clock, first), notifier(store, clock, second)
    happens(store, an_incident("a"), "opened")
    for _ in range(3):
        one.step()
        other.step()
    assert (first.keys, second.keys) == (["a-1"], [])
    happens(store, an_incident("b"), "opened", 2)
    clock.now = at(2)  # the first is gone without a word
    other.step()
    assert second.keys == ["b-1"]
    assert not one._may_send(), "held up for so long, it goes on with nothing"


def test_where_there_is_nothing_to_tell_nothing_is_written(store: Store) -> None:
    """A lake makes a snapshot of each write."""
    notifying = notifier(store, Clock(), Recorder())
    notifying.step()
    assert notifying._leader.is_ours is None
    happens(store, an_incident("a"), "opened")
    notifying.step()
    assert notifying._leader.is_ours


def test_a_destination_hears_of_the_first_incident_after_the_start(store: Store) -> None:
    clock, desk = Clock(), Recorder()
    notifying = Notifier(store, {"desk": told(desk)}, clock)
    happens(store, an_incident("before"), "opened", -1)
    notifying.step()
    happens(store, an_incident("after"), "opened", 1)
    clock.now = at(2)
    notifying.step()
    assert desk.kinds == [("after", "opened")]


def test_while_another_process_has_the_work_it_is_asked_for_now_and_then(store: Store) -> None:
    clock, first, second = Clock(), Recorder("desk"), Recorder("desk")
    one, other = notifier(store, clock, first), notifier(store, clock, second)
    first.refusals = iter([DeliveryError("is down")] * 1000)
    happens(store, an_incident("a"), "opened")
    one.step()
    asked = []
    taking = other._leader.claim
    other._leader.claim = lambda: asked.append(clock.now) or taking()  # type: ignore[method-assign, func-returns-value]
    for second_of in range(30):
        clock.now = at(second_of / 60)
        other.step()
    assert len(asked) == 3


def test_a_process_that_ends_leaves_the_work_to_the_next_at_once(store: Store) -> None:
    clock = Clock()
    first, second = Recorder("desk"), Recorder("desk")
    one, other = notifier(store, clock, first), notifier(store, clock, second)
    one.step()
    one.stop()
    happens(store, an_incident("a"), "opened")
    other.step()
    assert second.keys == ["a-1"]


@pytest.mark.slow
def test_kills_and_failures_lose_nothing_and_double_nothing_but_by_key(store: Store) -> None:
    """Every other attempt fails or is cut off after it was taken; every fifth step another process goes on."""
    clock, desk = Clock(), Recorder("desk", Late.EACH)
    count = 60
    open_all(store, [an_incident(f"i{number:02}") for number in range(count)])

    class Killed(BaseException):
        """Nothing of the process goes on."""

    attempts = 0

    def trouble(message: object) -> None:
        nonlocal attempts
        attempts += 1
        if attempts % 4 == 1:
            raise DeliveryError("503", wait=1)
        if attempts % 4 == 3:
            desk.taken.append(message)  # type: ignore[arg-type]
            raise Killed

    desk.before = trouble
    kills = 0
    working = notifier(store, clock, desk)
    for number in range(count):
        happens(store, an_incident(f"i{number:02}"), "resolved", 1)
    while store.notifications.outbox() or store.notifications.waiting("desk"):
        clock.now += timedelta(seconds=20)
        try:
            working.step()
        except Killed:
            kills += 1
            working = notifier(store, clock, desk)
            clock.now += LEASE
    assert kills > 20
    assert sorted(set(desk.keys)) == sorted(f"i{number:02}-{line}" for number in range(count) for line in (1, 2))
    firsts = list(dict.fromkeys(desk.keys))
    assert all(firsts.index(f"i{n:02}-1") < firsts.index(f"i{n:02}-2") for n in range(count))
    assert {one.state for one in store.notifications.log(limit=1000)} == {DeliveryState.SENT}


def test_a_store_that_is_away_is_said_once_and_asked_again(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    desk = Recorder()
    notifying = notifier(store, Clock(), desk)
    store.close()
    notifying.start()
    try:
        wait_until(lambda: notifying.error, HANGS_AFTER, "an error")
        for _ in range(3):
            notifying.wake()
        assert "is closed" in notifying.error
    finally:
        notifying.stop()
    said = [record for record in caplog.records if "cannot be told for now" in record.message]
    assert len(said) == 1


def test_settings_make_destinations_and_wrong_ones_are_refused() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    settings = Settings(store=":memory:", worker=False, notify={"log": {}, "other": {"kind": "log"}})
    runtime = Runtime(settings, clock=lambda: now)
    assert sorted(runtime.notifier.told) == ["log", "other"]
    with pytest.raises(NotFoundError, match="there is no destination 'nope': log, other"):
        runtime.notifier.of("nope")
    runtime.close()
    for notify, words in (
        ({"x": {"kind": "log", "quiet_hours": "late"}}, "quiet_hours = 'late': write them as in 22:00-07:00"),
        ({"x": {"kind": "log", "rate": "often"}}, "rate = 'often': write it as in 30/minute"),
        ({"x": {"kind": "log", "timezone": "Mars/North"}}, "Mars/North"),
        ({"x": {"kind": "log", "on": ["open"]}}, "'opened', 'worse'"),
    ):
        with pytest.raises(ValueError, match=words):
            Settings(store=":memory:", notify=notify)
    with pytest.raises(ConfigError, match=r"\[notify.x\] kind: unknown kind of destination 'x'"):
        Runtime(Settings(store=":memory:", worker=False, notify={"x": {}}))
