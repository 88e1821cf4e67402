"""What detectors have learned is kept in every home of a store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from observatory.store import Store
from observatory.store.tables.states import KeptState

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE = KeptState("a", "multiscale", "v1", NOON, NOON, bytes(range(256)) * 300)


def test_states_come_back_as_they_were_and_later_ones_replace_earlier_ones(store: Store) -> None:
    assert store.states.read("multiscale") == []
    revision = store.revision
    store.states.write([ONE, replace(ONE, service_name="b")])
    later = replace(ONE, learned_until=NOON.replace(hour=13), state=b"\0newer")
    store.states.write([later, replace(ONE, detector="other")])
    assert store.states.read("multiscale") == [later, replace(ONE, service_name="b")]
    assert store.revision == revision, "what views show is the same"
    assert store.states.write([]) == 0


def test_what_was_learned_of_services_that_are_gone_is_forgotten(store: Store) -> None:
    gone = replace(ONE, service_name="gone", learned_until=NOON.replace(hour=2))
    store.states.write([ONE, gone])
    store.states.forget(NOON.replace(hour=2))
    assert store.states.read("multiscale") == [ONE, gone]
    store.states.forget(NOON.replace(hour=3))
    assert store.states.read("multiscale") == [ONE]
