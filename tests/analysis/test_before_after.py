"""What a change did is told apart from what the service does by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import cast

import numpy as np
import pandas as pd
import pytest
from support.series import series

from observatory.analysis.before_after import BeforeAfter, before_after
from observatory.catalog import METRICS
from observatory.config import Settings
from observatory.errors import NotFoundError
from observatory.model import SERVICE, Anomaly, Change, ChangeKind, Service, Severity
from observatory.store import open_store

pytestmark = pytest.mark.slow

SETTINGS = Settings(store=":memory:")
MINUTE = timedelta(minutes=1)
NAME = "shop/cart"
WEEK = series(8)
LAST = cast(pd.Timestamp, WEEK.index[-1]).to_pydatetime()
AT = LAST - 45 * MINUTE
Edit = Callable[[pd.DataFrame], None]


def compared(
    frame: pd.DataFrame,
    at=AT,
    now=LAST,
    others: tuple[Change, ...] = (),
    anomalies: tuple[Anomaly, ...] = (),
) -> BeforeAfter:
    with open_store(":memory:") as store:
        store.register([Service(NAME)])
        store.write_samples(frame.rename_axis("timestamp").reset_index().assign(**{SERVICE: NAME}))
        store.changes.write([Change("c1", NAME, at, ChangeKind.DEPLOYMENT, "2"), *others])
        store.write_anomalies(anomalies)
        return before_after(store, SETTINGS, "c1", now)


def changed(metric: str, factor: float, start=AT, end=LAST, frame: pd.DataFrame = WEEK) -> pd.DataFrame:
    found = frame.copy()
    found.loc[start:end, metric] *= factor
    return found


def verdicts(found: BeforeAfter) -> dict[str, bool | None]:
    return {one.metric.name: one.is_more for one in found.differences}


def test_what_a_change_did_is_more_than_noise_and_the_rest_is_not() -> None:
    found = compared(changed("latency_p95", 1.6))
    assert [name for name, more in verdicts(found).items() if more] == ["latency_p95"]
    (slow,) = [one for one in found.differences if one.is_more]
    assert slow.after / slow.before == pytest.approx(1.6, rel=0.15)
    assert slow.expected == pytest.approx(slow.before, rel=0.1)
    assert slow.is_worse
    assert f"More than noise: p95 latency {METRICS['latency_p95'].show(slow.before)} → " in found.summary
    assert found.table["verdict"].tolist() == ["worse"] + ["noise"] * 8


def test_what_gets_better_is_different_and_not_worse() -> None:
    (fast,) = [one for one in compared(changed("latency_p95", 0.6)).differences if one.is_more]
    assert not fast.is_worse


def test_the_slope_of_the_day_is_no_difference() -> None:
    """Around midnight requests grow by six hundredths from one half hour to the next: that is expected."""
    at = LAST.replace(hour=0, minute=30)
    rate = next(one for one in compared(WEEK, at).differences if one.metric.name == "request_rate")
    assert rate.after > rate.before * 1.03
    assert rate.expected == pytest.approx(rate.after, rel=0.03)
    assert rate.is_more is False


def test_what_wanders_slowly_needs_a_larger_difference() -> None:
    """Noise that follows on itself moves medians of half an hour; independent noise of that size would not."""
    random = np.random.default_rng(3)
    steps = random.normal(0, 1, len(WEEK))
    slow = np.zeros(len(WEEK))
    for row in range(1, len(slow)):
        slow[row] = 0.99 * slow[row - 1] + steps[row]
    walk, white = WEEK.copy(), WEEK.copy()
    walk["cpu_usage"] = 2 * np.exp(0.2 * slow / slow.std())
    white["cpu_usage"] = 2 * np.exp(0.2 * random.normal(0, 1, len(WEEK)))
    noise = [
        next(one.noise for one in compared(frame).differences if one.metric.name == "cpu_usage")
        for frame in (walk, white)
    ]
    assert noise[0] > 2 * noise[1]


def test_at_quiet_moments_about_one_in_a_hundred_is_called_different() -> None:
    random = np.random.default_rng(5)
    found: list[bool | None] = []
    for _ in range(12):
        at = LAST - float(random.uniform(40, 1200)) * MINUTE
        found += verdicts(compared(WEEK, at)).values()
    assert len(found) == 108
    assert sum(map(bool, found)) <= 5


def test_a_fault_of_the_past_is_no_noise() -> None:
    frame = WEEK.copy()
    anomalies = []
    for days in range(1, 7):
        start = LAST - timedelta(days=days, hours=3 * days)
        frame = changed("latency_p95", 3, start, start + 120 * MINUTE, frame)
        anomalies.append(
            Anomaly(NAME, start, start + 120 * MINUTE, start, False, Severity.HIGH, 3.0, "seasonal", "slow", ())
        )
    frame = changed("latency_p95", 1.6, frame=frame)
    assert not verdicts(compared(frame))["latency_p95"]
    assert verdicts(compared(frame, anomalies=tuple(anomalies)))["latency_p95"]


def test_other_changes_nearby_bound_what_is_compared() -> None:
    others = tuple(
        Change(f"c{place}", NAME, AT + minutes * MINUTE, ChangeKind.DEPLOYMENT)
        for place, minutes in enumerate((-12, 9), 2)
    )
    found = compared(WEEK, others=others)
    assert (found.start, found.end) == (AT - 12 * MINUTE, AT + 9 * MINUTE)
    assert compared(WEEK, now=AT + 17 * MINUTE).end == AT + 17 * MINUTE


def test_a_change_just_now_has_nothing_to_compare_yet() -> None:
    found = compared(WEEK, at=LAST - MINUTE)
    assert found.differences == ()
    assert found.table.empty
    assert "There are not enough samples before and after it" in repr(found)


def test_with_an_hour_of_history_the_values_are_told_without_a_verdict() -> None:
    found = compared(WEEK.loc[AT - 60 * MINUTE :])
    assert set(verdicts(found).values()) == {None}
    assert "Too little is known of the time before" in found.summary


def test_gaps_and_infinite_values_are_left_out() -> None:
    frame = changed("latency_p95", 1.6)
    frame.loc[frame.index[::3], "latency_p95"] = np.nan
    frame.loc[frame.index[1000:2000], :] = np.nan
    assert verdicts(compared(frame))["latency_p95"]


def test_an_unknown_change_is_refused_with_the_way_out() -> None:
    with (
        open_store(":memory:") as store,
        pytest.raises(NotFoundError, match="no change 'c9': `observatory changes list`"),
    ):
        before_after(store, SETTINGS, "c9", LAST)
