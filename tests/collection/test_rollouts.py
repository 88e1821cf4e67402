"""A roll-out is one change, one that is taken back another, and what comes and goes is none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observatory.collection.rollouts import Move, follow
from observatory.model.running import MarkKind, Running, Sighting

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def moves(*seen: tuple[float, str], kind: MarkKind = MarkKind.VERSION) -> list[Move]:
    """What is told of values that are seen from a minute on, and looked at every minute."""
    known: Running | None = None
    found = []
    last = int(seen[-1][0])
    for minute in range(last + 1):
        values = next(text for begin, text in reversed(seen) if minute >= begin)
        sighting = Sighting("shop/cart", kind, "", START + minute * MINUTE, tuple(values.split()))
        known, move = follow(known, sighting, "eu")
        found += [move] if move else []
    return found


def told(*seen: tuple[float, str]) -> list[tuple[int, str]]:
    return [((one.at - START) // MINUTE, one.after) for one in moves(*seen)]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([(0, "1"), (60, "1")], []),
        ([(0, "1"), (5, "2"), (90, "2")], [(5, "2")]),
        ([(0, "1"), (5, "1 2"), (12, "2"), (90, "2")], [(5, "2")]),
        ([(0, "1"), (5, "1 2"), (7, "2"), (8, "1 2"), (12, "2"), (60, "2")], [(5, "2")]),
        ([(0, "1"), (5, "1 2"), (9, "2"), (40, "1 2"), (45, "1"), (90, "1")], [(5, "2"), (40, "1")]),
        ([(0, "1"), (5, "1 2"), (9, "2"), (15, "1"), (60, "1")], [(5, "2"), (15, "1")]),
        ([(0, "1"), (5, "1 2"), (10, "1"), (60, "1")], [(5, "2"), (10, "1")]),
        ([(0, "1"), (5, "2"), (25, "3"), (60, "3")], [(5, "2"), (25, "3")]),
        ([(0, "1"), (5, ""), (50, "1"), (90, "1")], []),
        ([(0, "1"), (5, ""), (50, "2"), (90, "2")], [(50, "2")]),
        ([(0, "1"), (5, "1 2"), (9, "1"), (14, "1 2"), (18, "1"), (22, "1 2"), (28, "2"), (60, "2")], [(5, "2")]),
    ],
    ids=[
        "nothing",
        "at once",
        "one by one",
        "an old one is seen once more",
        "rolled back later",
        "rolled back at once",
        "taken back half way",
        "two in a row",
        "an outage",
        "another version after an outage",
        "the new one crashes at first",
    ],
)
def test_what_is_seen_of_versions_is_so_many_changes(
    seen: list[tuple[float, str]], expected: list[tuple[int, str]]
) -> None:
    assert told(*seen) == expected


def test_versions_that_live_side_by_side_come_and_go_without_a_change() -> None:
    """One of two hosts is away now and then; that a third version comes is a change."""
    away = [(minute, "1" if minute // 20 % 2 else "1 2") for minute in range(0, 400, 20)]
    assert told(*away) == []
    assert told((0, "1"), (5, "1 2"), *((minute + 70, text) for minute, text in away)) == [(5, "2")]
    assert told(*away, (410, "1 2 3"), (420, "2"), (500, "3")) == [(410, "3")]


def test_what_has_hundreds_of_versions_has_none() -> None:
    def many(first: int) -> str:
        return " ".join(map(str, range(first, first + 100)))

    assert told((0, "1"), (5, many(0)), (9, many(50)), (60, many(70))) == []


def starts(*seen: tuple[float, Sequence[float]]) -> list[int]:
    """Minutes of restarts, of instances that are there from a minute on, given by when they were started."""
    begin = START.timestamp()
    texts = [(minute, f"{begin + min(at) * 60:.0f} {begin + max(at) * 60:.0f}" if at else "") for minute, at in seen]
    return [(one.at - START) // MINUTE for one in moves(*texts, kind=MarkKind.STARTED)]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([(0, [-500, -400]), (60, [-500, -400])], []),
        ([(0, [-500, -400]), (10, [10, 10]), (60, [10, 10])], [10]),
        ([(0, [-500, -400]), (10, [-400, 10]), (14, [10, 14]), (90, [10, 14])], [10]),
        ([(0, [-500, -400]), (10, [-500, -400, 10]), (60, [-500, -400, 10])], []),
        ([(0, [-500, -400]), (10, [-400, 10]), (200, [10, 200]), (400, [200, 400])], []),
        ([(0, [-500, -400]), (10, [-400]), (60, [-400])], []),
        ([(0, [-500]), (10, [-499.95]), (60, [-499.95])], []),
    ],
    ids=["nothing", "at once", "one by one", "more instances", "one a few hours", "fewer instances", "a clock jitters"],
)
def test_a_restart_is_of_all_instances(seen: list[tuple[float, Sequence[float]]], expected: list[int]) -> None:
    assert starts(*seen) == expected


@pytest.mark.slow
@given(st.lists(st.lists(st.sampled_from(["1", "2", "3"]), max_size=3, unique=True), min_size=1, max_size=40))
def test_looking_only_when_something_is_other_finds_the_same_new_versions(looks: list[list[str]]) -> None:
    """A version that was never there is found at the first look that shows it, whatever else comes and goes."""
    seen = [(place * 2, " ".join(sorted(values))) for place, values in enumerate(looks)]
    first: dict[str, int] = {}
    for minute, text in seen:
        for value in text.split():
            first.setdefault(value, minute)
    known = {value for value, minute in first.items() if minute == min(first.values(), default=0)}
    if not looks[0]:
        return
    found = told(*seen)
    for value, minute in first.items():
        if value not in known:
            assert any(at == minute and after >= value for at, after in found)
