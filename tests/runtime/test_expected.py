"""Bands of all services are ready when somebody asks, and are those that a chart draws."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from observatory.detectors.bands import Bands
from observatory.errors import StoreError
from observatory.model import SERVICE, TIMESTAMP
from observatory.runtime import expected
from observatory.runtime.expected import ExpectedRanges

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


class Samples:
    """A day of samples of two services, as a store hands them out; `asked` says for whom."""

    def __init__(self) -> None:
        times = pd.date_range(NOON - DAY, NOON, freq="1min")
        noise = np.random.default_rng(7).normal(0, 0.01, len(times))
        values = {"latency_p95": 0.2 + noise, "queue_lag": np.full(len(times), np.nan)}
        self.frame = pd.concat(
            [pd.DataFrame({SERVICE: name, TIMESTAMP: times, **values}) for name in ("shop/a", "shop/b")],
            ignore_index=True,
        )
        self.asked: list[list[str]] = []
        self.error: Exception | None = None

    def read(self, start: datetime, end: datetime, services: object = None) -> pd.DataFrame:
        names = list(services)  # type: ignore[call-overload]
        self.asked.append(names)
        if self.error is not None:
            raise self.error
        inside = self.frame[SERVICE].isin(names) & (self.frame[TIMESTAMP] >= start) & (self.frame[TIMESTAMP] <= end)
        return self.frame[inside]


@pytest.fixture
def samples() -> Samples:
    return Samples()


@pytest.fixture
def ranges(samples: Samples) -> Iterator[ExpectedRanges]:
    made = ExpectedRanges(samples.read, interval=60, training=DAY, refit_after=timedelta(hours=6))
    yield made
    made.close()


def follow(ranges: ExpectedRanges, at: datetime, *names: str, existing: tuple[str, ...] = ("shop/a", "shop/b")) -> None:
    ranges.follow(dict.fromkeys(names, at), existing)
    ranges.wait()


def test_edges_are_those_that_a_chart_draws(ranges: ExpectedRanges, samples: Samples) -> None:
    follow(ranges, NOON, "shop/a")
    own = samples.frame[samples.frame[SERVICE] == "shop/a"].drop(columns=SERVICE).set_index(TIMESTAMP)
    drawn = Bands().fit(own[["latency_p95"]]).evaluate(pd.DatetimeIndex([NOON + 5 * MINUTE]))
    lower, upper = ranges.edges("shop/a", NOON + 5 * MINUTE)["latency_p95"]
    assert (lower, upper) == pytest.approx((drawn.lower.iloc[0, 0], drawn.upper.iloc[0, 0]))
    assert lower < 0.2 < upper


def test_what_is_not_known_is_absent(ranges: ExpectedRanges, samples: Samples) -> None:
    assert ranges.edges("shop/a", NOON) == {}
    follow(ranges, NOON, "shop/a", "shop/new")
    assert "queue_lag" not in ranges.edges("shop/a", NOON)
    assert ranges.edges("shop/new", NOON) == {}
    assert ranges.edges("shop/a", NOON - MINUTE) == {}
    assert ranges.edges("shop/a", NOON + DAY) == {}


def test_there_is_no_minute_without_edges_and_history_is_read_once(ranges: ExpectedRanges, samples: Samples) -> None:
    for minute in range(0, 180, 5):
        at = NOON + minute * MINUTE
        follow(ranges, at, "shop/a")
        assert ranges.edges("shop/a", at)
    assert len(samples.asked) == 1


def test_bands_are_learned_anew_when_they_are_old(ranges: ExpectedRanges, samples: Samples) -> None:
    follow(ranges, NOON, "shop/a")
    samples.frame["latency_p95"] *= 10
    samples.frame[TIMESTAMP] += timedelta(hours=7)
    follow(ranges, NOON + timedelta(hours=7), "shop/a")
    assert ranges.edges("shop/a", NOON + timedelta(hours=7))["latency_p95"][1] > 2


def test_many_services_are_learned_some_at_a_time_the_first_first(
    ranges: ExpectedRanges, samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expected, "SERVICES_AT_ONCE", 1)
    follow(ranges, NOON, "shop/b", "shop/a")
    assert (bool(ranges.edges("shop/b", NOON)), bool(ranges.edges("shop/a", NOON))) == (True, False)
    follow(ranges, NOON, "shop/b", "shop/a")
    assert ranges.edges("shop/a", NOON)


def test_services_that_are_gone_are_forgotten(ranges: ExpectedRanges) -> None:
    follow(ranges, NOON, "shop/a", "shop/b")
    follow(ranges, NOON, "shop/b")
    assert ranges.edges("shop/a", NOON), "whoever sees other services may ask for it"
    follow(ranges, NOON, "shop/b", existing=("shop/b",))
    assert ranges.edges("shop/a", NOON) == {}


def test_a_store_that_cannot_be_read_is_told_of_and_asked_again(
    ranges: ExpectedRanges, samples: Samples, caplog: pytest.LogCaptureFixture
) -> None:
    samples.error = StoreError("disk full")
    follow(ranges, NOON, "shop/a")
    assert "bands could not be learned: disk full" in caplog.text
    samples.error = None
    follow(ranges, NOON, "shop/a")
    assert ranges.edges("shop/a", NOON)


def test_nothing_begins_after_the_end(ranges: ExpectedRanges, samples: Samples) -> None:
    ranges.close()
    follow(ranges, NOON, "shop/a")
    assert samples.asked == []
