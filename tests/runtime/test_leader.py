"""Of the processes that share a store one works in the background, and another takes over when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from support.shop import Clock

from observatory.config import Settings
from observatory.runtime import Runtime
from observatory.runtime.leader import Turn
from observatory.store import Store, open_store

MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with open_store(":memory:") as store:
        yield store


def test_one_has_the_turn_until_it_falls_silent(store: Store) -> None:
    clock = Clock()
    one, other = (Turn(store, "silent", clock, MINUTE) for _ in range(2))
    assert [one.take(), other.take(), one.take()] == [True, False, True]
    clock.forward(seconds=59)
    assert not other.take()
    one.take()
    clock.forward(seconds=59)
    assert not other.take()
    clock.forward(seconds=1)
    assert [other.take(), one.take()] == [True, False]


def test_who_ends_leaves_the_turn_at_once_and_only_its_own(store: Store) -> None:
    clock = Clock()
    one, other = (Turn(store, "ends", clock, MINUTE) for _ in range(2))
    one.take()
    other.take()
    other.end()
    assert not other.take()
    one.end()
    assert other.take()


def test_works_have_turns_of_their_own(store: Store) -> None:
    assert Turn(store, "a", Clock(), MINUTE).take()
    assert Turn(store, "b", Clock(), MINUTE).take()


def test_taking_a_turn_changes_nothing_that_answers_depend_on(store: Store) -> None:
    before = store.revision
    Turn(store, "quiet", Clock(), MINUTE).take()
    assert store.revision == before


def test_a_runtime_collects_in_its_turn_only(store: Store) -> None:
    clock = Clock()
    settings = Settings(store=":memory:", worker=False, detector="seasonal", demo_days=0.05)
    one, other = (Runtime(settings, store=store, clock=clock) for _ in range(2))
    one.start()
    other.start()
    filled = int(store.sample_counts()["samples"].sum())
    assert filled > 0
    clock.forward(minutes=1)
    other._cycle_in_turn(clock())
    assert store.cycles() == []
    one._cycle_in_turn(clock())
    assert len(store.cycles()) == 1
    one.turn.end()
    clock.forward(minutes=1)
    other._cycle_in_turn(clock())
    assert len(store.cycles()) == 2
