"""Of the processes that share a store one works in the background, and another takes over when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from support.shop import Clock

from observatory.config import Settings
from observatory.runtime import Runtime
from observatory.runtime.leader import LeaderElection
from observatory.store import Store, open_store

MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with open_store(":memory:") as store:
        yield store


def test_one_has_the_turn_until_it_falls_silent(store: Store) -> None:
    clock = Clock()
    one, other = (LeaderElection(store, "silent", clock, MINUTE) for _ in range(2))
    assert [one.claim(), other.claim(), one.claim()] == [True, False, True]
    clock.forward(seconds=59)
    assert not other.claim()
    one.claim()
    clock.forward(seconds=59)
    assert not other.claim()
    clock.forward(seconds=1)
    assert [other.claim(), one.claim()] == [True, False]


def test_who_ends_leaves_the_turn_at_once_and_only_its_own(store: Store) -> None:
    clock = Clock()
    one, other = (LeaderElection(store, "ends", clock, MINUTE) for _ in range(2))
    one.claim()
    other.claim()
    other.release()
    assert not other.claim()
    one.release()
    assert other.claim()


def test_works_have_turns_of_their_own(store: Store) -> None:
    assert LeaderElection(store, "a", Clock(), MINUTE).claim()
    assert LeaderElection(store, "b", Clock(), MINUTE).claim()


def test_taking_a_turn_changes_nothing_that_answers_depend_on(store: Store) -> None:
    before = store.revision
    LeaderElection(store, "quiet", Clock(), MINUTE).claim()
    assert store.revision == before


@pytest.mark.slow
def test_a_runtime_collects_in_its_turn_only(store: Store) -> None:
    clock = Clock()
    settings = Settings(store=":memory:", worker=False, detector="seasonal", demo_days=0.05)
    one, other = (Runtime(settings, store=store, clock=clock) for _ in range(2))
    one.start()
    other.start()
    filled = int(store.sample_counts()["samples"].sum())
    assert filled > 0
    clock.forward(minutes=1)
    other._cycle_as_leader(clock())
    assert store.cycles() == []
    one._cycle_as_leader(clock())
    assert len(store.cycles()) == 1
    one.leader.release()
    clock.forward(minutes=1)
    other._cycle_as_leader(clock())
    assert len(store.cycles()) == 2
