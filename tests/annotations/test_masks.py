"""Samples that a silence covers are not judged, or not learned from; others are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pandas as pd
import pytest
from support.incidents import NOON
from support.silences import HOUR, a_silence

from observatory.annotations.masks import learned_history, masks_of
from observatory.model import Effect
from observatory.store import Store, open_store

START, END = NOON - HOUR, NOON + 2 * HOUR


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store(":memory:") as store:
        times = pd.date_range(START, END, freq="1h")
        names = ("shop/cart", "shop/pay")
        store.write_samples(
            pd.concat(
                pd.DataFrame({"service_name": name, "timestamp": times, "request_rate": range(len(times))})
                for name in names
            )
        )
        yield store


def hours(times: pd.DatetimeIndex) -> list[int]:
    return [int((time - pd.Timestamp(NOON)) / HOUR) for time in times]


def test_what_is_only_not_told_is_judged_and_learned_from(store: Store) -> None:
    store.silences.write([a_silence()])
    masks = masks_of(store, START, END)
    rows = store.history_of_all(START, END)
    assert not masks
    assert len(masks.learned_of_all(rows)) == len(rows)
    assert not masks.unjudged_of_all(rows).any()


def test_what_is_not_judged_is_learned_from(store: Store) -> None:
    store.silences.write([a_silence("shop/cart", effect=Effect.DO_NOT_JUDGE)])
    masks = masks_of(store, START, END)
    rows = store.history_of_all(START, END)
    left_out = rows[masks.unjudged_of_all(rows)]
    assert list(left_out["service_name"]) == ["shop/cart"]
    assert hours(left_out["timestamp"]) == [0]  # its end is not in it
    assert len(masks.learned_of_all(rows)) == len(rows)


def test_what_is_not_learned_from_is_not_judged_either(store: Store) -> None:
    store.silences.write([a_silence("shop/cart", effect=Effect.DO_NOT_LEARN)])
    masks = masks_of(store, START, END)
    rows = store.history_of_all(START, END)
    assert masks.unjudged_of_all(rows).sum() == 1
    assert len(masks.learned_of_all(rows)) == len(rows) - 1
    read = learned_history(store)
    assert hours(pd.DatetimeIndex(read("shop/cart", START, END).index)) == [-1, 1, 2]
    assert hours(pd.DatetimeIndex(read("shop/pay", START, END).index)) == [-1, 0, 1, 2]


def test_one_that_comes_again_leaves_out_each_time(store: Store) -> None:
    again = a_silence(
        effect=Effect.DO_NOT_LEARN,
        cron="30 */2 * * *",
        duration=timedelta(minutes=45),
        starts_at=NOON - timedelta(days=1),
        ends_at=NOON + timedelta(days=1),
    )
    store.silences.write([again])
    left = learned_history(store)("shop/cart", START, END)
    assert hours(pd.DatetimeIndex(left.index)) == [0, 2]
