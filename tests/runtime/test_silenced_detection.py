"""During a silence a service may be left unjudged, and what happens then may be no part of what counts as normal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from support.incidents import NOON
from support.silences import a_silence

from observatory.analysis.history import service_history
from observatory.annotations.silences import end_silence
from observatory.catalog import METRICS
from observatory.config import Settings
from observatory.health.overview import overview
from observatory.model import Band, Effect, Service, Silence
from observatory.runtime.detection import LiveDetection
from observatory.runtime.relearning import Relearning
from observatory.store import Store, open_store

pytestmark = pytest.mark.slow

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
NAMES = ("shop/cart", "shop/pay")
USUAL, ILL = 0.1, 5.0
"""Latency [s]."""


class Shop:
    """Two services that a minute is added to at a time; `ill` are those that are slow."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.settings = Settings(store=":memory:", worker=False, training_days=1, minimum_samples=60)
        self.detection = LiveDetection(store, self.settings)
        self.now = NOON - 300 * MINUTE
        self.ill: set[str] = set()
        self.random = np.random.default_rng(1)

    def run(self, minutes: int, *, judged: bool = True) -> None:
        if not judged:
            times = [self.now + minute * MINUTE for minute in range(1, minutes + 1)]
            self.store.write_samples(pd.DataFrame([self._row(name, at) for name in NAMES for at in times]))
            self.now = times[-1]
            return
        for _ in range(minutes):
            self.now += MINUTE
            self.store.write_samples(pd.DataFrame([self._row(name, self.now) for name in NAMES]))
            self.detection.follow_silences(self.now)
            self.detection.detect_new(self.now, dict.fromkeys(NAMES, self.now))

    def _row(self, name: str, at: datetime) -> dict[str, object]:
        latency = (ILL if name in self.ill else USUAL) * self.random.uniform(0.95, 1.05)
        values = {"request_rate": 50 * self.random.uniform(0.95, 1.05), "error_rate": 0.0, "latency_p95": latency}
        return {"service_name": name, "timestamp": at, **dict.fromkeys(METRICS, np.nan), **values}

    @property
    def found(self) -> set[str]:
        return {anomaly.service_name for anomaly in self.store.anomalies(start=NOON)}

    def silence(self, effect: Effect, minutes: int = 30, **facts: object) -> Silence:
        known = {"starts_at": self.now, "created_at": self.now, "ends_at": self.now + minutes * MINUTE}
        made = a_silence("shop/cart", effect=effect, **known | facts)
        self.store.silences.write([made])
        return made

    def typical(self) -> float:
        """What is expected of the cart's latency at the end."""
        expected = service_history(self.store, self.settings, "shop/cart", self.now - 10 * MINUTE, self.now).expected
        assert expected is not None
        return float(expected.typical["latency_p95"].iloc[-1])


@pytest.fixture
def shop() -> Iterator[Shop]:
    with open_store(":memory:") as store:
        store.register(Service(name, "test") for name in NAMES)
        shop = Shop(store)
        shop.run(300, judged=False)
        assert shop.now == NOON
        shop.run(2)
        yield shop


def test_what_is_not_told_is_still_found(shop: Shop) -> None:
    shop.silence(Effect.TELL_NOBODY)
    shop.ill = set(NAMES)
    shop.run(10)
    assert shop.found == set(NAMES)


@pytest.mark.parametrize("effect", [Effect.DO_NOT_JUDGE, Effect.DO_NOT_LEARN])
def test_what_is_not_judged_opens_no_anomaly_and_has_no_score_until_the_silence_is_over(
    shop: Shop, effect: Effect
) -> None:
    made = shop.silence(effect)
    shop.ill = set(NAMES)
    shop.run(20)
    assert shop.found == {"shop/pay"}
    by_name = {one.name: one for one in overview(shop.store, shop.settings, shop.now).services}
    cart = by_name["shop/cart"]
    assert (cart.state, cart.health.band, cart.health.score) == ("silenced", Band.UNKNOWN, None)
    assert cart.health.reason == f"not judged, silenced until {made.ends_at:%Y-%m-%d %H:%M} UTC"
    assert [one.silence for one in cart.silences] == [made]
    assert by_name["shop/pay"].health.score is not None
    end_silence(shop.store.silences, made.id, "key:ann", shop.now)
    shop.run(10)
    assert shop.found == set(NAMES) or effect is Effect.DO_NOT_JUDGE  # it has learned that this is how it is
    status = next(one for one in overview(shop.store, shop.settings, shop.now).services if one.name == "shop/cart")
    assert status.health.score is not None


def test_an_anomaly_that_goes_on_ends_when_a_silence_begins(shop: Shop) -> None:
    shop.ill = {"shop/cart"}
    shop.run(10)
    assert [one.is_open for one in shop.store.anomalies(start=NOON)] == [True]
    shop.silence(Effect.DO_NOT_LEARN)
    shop.run(1)
    (ended,) = shop.store.anomalies(start=NOON)
    assert not ended.is_open
    assert ended.ended_at < shop.now


def test_what_is_not_learned_from_is_no_part_of_what_is_expected(shop: Shop) -> None:
    shop.silence(Effect.DO_NOT_LEARN, 290)
    shop.ill = {"shop/cart"}
    shop.run(285, judged=False)
    assert shop.typical() == pytest.approx(USUAL, rel=0.1)


def test_a_silence_of_the_past_has_what_was_learned_forgotten_once(shop: Shop) -> None:
    shop.ill = {"shop/cart"}
    shop.run(5)
    kept = Relearning(shop.store)
    assert kept.due(NOON - DAY) == set()
    shop.silence(Effect.DO_NOT_LEARN, starts_at=shop.now - 5 * MINUTE)
    assert kept.due(NOON - DAY) == {"shop/cart"}
    kept.done(NOON - DAY)
    assert kept.due(NOON - DAY) == set()
    assert Relearning(shop.store).due(NOON - DAY) == set()  # another process, later
    shop.run(20)
    shop.ill = set()
    shop.store.silences.write([replace(shop.store.silences.get("s1"), ends_at=shop.now)])
    shop.run(3)
    assert shop.typical() == pytest.approx(USUAL, rel=0.1)


def test_a_past_that_is_scored_leaves_it_out_too(shop: Shop) -> None:
    shop.ill = set(NAMES)
    shop.silence(Effect.DO_NOT_JUDGE)
    shop.run(15, judged=False)
    found, failures = LiveDetection(shop.store, shop.settings).replay(NOON, shop.now)
    assert failures == []
    assert {one.service_name for one in found} == {"shop/pay"}
