"""What several marks of a service show is one change, and belongs to what people reported of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from observatory.collection.changes import read_changes
from observatory.model import Change, ChangeKind, Failure, Service
from observatory.model.running import MarkKind, Seen, Sighting
from observatory.store import Store, open_store

pytestmark = pytest.mark.slow

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass
class Running:
    """A source that shows what it is told to, a value a minute."""

    values: dict[tuple[MarkKind, str], list[tuple[int, str]]]
    name: str = "eu"
    failures: Sequence[Failure] = field(default_factory=list)

    def running(self, start: datetime, end: datetime, services: Collection[str]) -> Seen:
        seen = [
            Sighting("shop/cart", kind, mark, at, tuple(text.split()))
            for (kind, mark), values in self.values.items()
            for minute in range(1 + (end - START) // MINUTE)
            if start <= (at := START + minute * MINUTE) <= end
            for text in [next((text for begin, text in reversed(values) if minute >= begin), "")]
        ]
        return Seen(sorted(seen, key=lambda one: one.at), self.failures)


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store(":memory:") as opened:
        opened.register([Service("shop/cart")])
        yield opened


def found(store: Store, values: dict[tuple[MarkKind, str], list[tuple[int, str]]], every: int = 2) -> list[Change]:
    """What is kept after an hour and a half of looks."""
    for minutes in range(every, 91, every):
        read_changes(Running(values), store, START, START + minutes * MINUTE, [])
    return store.changes.read()


IMAGE, VERSION, REVISION = (MarkKind.IMAGE, "cart"), (MarkKind.VERSION, "cart_build_info"), (MarkKind.REVISION, "")
SIDECAR, STARTED = (MarkKind.SIDECAR, "istio-proxy"), (MarkKind.STARTED, "pods")


def since(*starts: int) -> list[tuple[int, str]]:
    """Start times of one instance."""
    return [(minute, f"{START.timestamp() + minute * 60:.0f}") for minute in starts]


@pytest.mark.parametrize("every", [1, 2, 7, 30])
def test_all_that_a_roll_out_shows_is_one_deployment(store: Store, every: int) -> None:
    """Also where a look ends in the middle of it, and what is rolled back after ten minutes is a second one."""
    values = {
        STARTED: [*since(0), *since(20), *since(30)],
        REVISION: [(0, "cart-1"), (20, "cart-1 cart-2"), (23, "cart-2"), (40, "cart-2 cart-1"), (44, "cart-1")],
        IMAGE: [(0, "cart:1"), (20, "cart:1 cart:2"), (23, "cart:2"), (40, "cart:2 cart:1"), (44, "cart:1")],
        VERSION: [(0, "1.0"), (21, "1.0 2.0"), (24, "2.0"), (41, "2.0 1.0"), (45, "1.0")],
    }
    changes = found(store, values, every)
    assert [(one.kind, (one.at - START) // MINUTE) for one in changes] == [
        (ChangeKind.DEPLOYMENT, 20),
        (ChangeKind.DEPLOYMENT, 40),
    ]
    assert changes[0].version in ("2", "2.0")


def test_what_runs_beside_a_service_changes_its_settings(store: Store) -> None:
    (change,) = found(store, {SIDECAR: [(0, "proxy:1"), (20, "proxy:2")], STARTED: [*since(0), *since(20)]})
    assert (change.kind, change.version) == (ChangeKind.CONFIG, "")
    assert change.summary == "image of istio-proxy: proxy:2, before 1"


def test_what_crashes_again_and_again_is_restarted_once(store: Store) -> None:
    (change,) = found(store, {STARTED: since(0, *range(20, 60, 5))})
    assert (change.kind, change.at) == (ChangeKind.RESTART, START + 20 * MINUTE)


def test_what_is_found_belongs_to_what_was_reported(store: Store) -> None:
    reported = Change("c1", "shop/cart", START + 18 * MINUTE, ChangeKind.DEPLOYMENT, "", "faster", "", "key:ci")
    store.changes.write([reported])
    (change,) = found(store, {IMAGE: [(0, "cart:1"), (20, "cart:2")], STARTED: [*since(0), *since(20)]})
    assert (change.id, change.at, change.version, change.source) == ("c1", reported.at, "2", "key:ci")


def test_a_look_that_was_killed_before_its_end_repeats_nothing(store: Store) -> None:
    source = Running({IMAGE: [(0, "cart:1"), (20, "cart:2")]})
    read_changes(source, store, START, START + 10 * MINUTE, [])
    before = store.running.read("eu")
    read_changes(source, store, START, START + 30 * MINUTE, [])
    store.running.write(before)
    store.running.look_from("eu", START + 10 * MINUTE)
    read_changes(source, store, START, START + 30 * MINUTE, [])
    assert len(store.changes.read()) == 1


def test_what_a_source_refuses_is_a_failure_and_the_rest_is_found(store: Store) -> None:
    source = Running({IMAGE: [(0, "cart:1"), (20, "cart:2")]}, failures=[Failure("versions", "too many series")])
    failures: list[Failure] = []
    read_changes(source, store, START, START + 30 * MINUTE, failures)
    assert [(one.what, one.error) for one in failures] == [("changes of eu: versions", "too many series")]
    assert len(store.changes.read()) == 1
