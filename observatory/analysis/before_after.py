"""What a change did: each metric before and after it, and whether the difference is more than its noise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import cast

import numpy as np
import pandas as pd

from observatory.catalog import METRICS, FloatArray, Metric
from observatory.config import Settings
from observatory.errors import NotFoundError
from observatory.frames import ReadableFrame
from observatory.model import Anomaly, Change
from observatory.store.reader import StoreReader
from observatory.times import TIME

BEFORE = AFTER = timedelta(minutes=30)
"""So much is compared; less where another change of the service is closer, or not so much has passed yet."""
HISTORY = timedelta(days=7)
"""Noise is that of so long before."""
FEWEST = 5
"""Samples there must be before and after."""
FEWEST_MOMENTS = 200
"""Moments of the past that tell how much a metric wanders by itself."""
FEWEST_DAYS = 3
"""Days from which the time of day is known."""
USUAL = 0.99
"""Share of moments at which a metric wanders less than its noise."""
SMALLEST = 0.02
"""Share of the expected value that a difference is worth a word from."""
BIN = 30
"""Of the day's profile [minutes]."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric before and after a change: medians, in base units.

    `expected` is what the time of day alone would have made of the value before, `noise` how far from it the value
    after may be without a reason; both are NaN, and `is_more` is None, where too little is known.
    """

    metric: Metric
    before: float
    after: float
    expected: float
    noise: float
    is_more: bool | None

    @property
    def is_worse(self) -> bool:
        """Whether it is more than noise, in the direction in which the metric gets worse."""
        up = self.after > self.expected
        return bool(self.is_more) and (self.metric.worse == "both" or up == (self.metric.worse == "up"))


@dataclass(frozen=True, slots=True, repr=False)
class BeforeAfter:
    """A change, and what each metric of its service did from `start` over the change until `end`."""

    change: Change
    start: datetime
    end: datetime
    differences: tuple[Difference, ...]

    @property
    def summary(self) -> str:
        """What it did, in a sentence or two."""
        change = self.change
        head = f"{change.service_name}: {change.title} at {change.at:{TIME}} UTC. "
        if not self.differences:
            return head + "There are not enough samples before and after it to compare."
        more = [one for one in self.differences if one.is_more]
        if more:
            told = [f"{one.metric.label} {one.metric.show(one.before)} → {one.metric.show(one.after)}" for one in more]
            return head + f"More than noise: {', '.join(told)}."
        if all(one.is_more is None for one in self.differences):
            return head + "Too little is known of the time before it to tell a difference from noise."
        return head + "No metric differs by more than its noise."

    @property
    def table(self) -> pd.DataFrame:
        """A row a metric, what differs the most first: ``metric``, ``before``, ``after``, ``expected``, ``verdict``."""
        rows = []
        for one in sorted(self.differences, key=lambda one: (not one.is_worse, not one.is_more)):
            show = one.metric.show
            known = np.isfinite(one.expected)
            expected = f"{show(one.expected)} ± {show(one.noise)}" if known else ""
            rows.append((one.metric.label, show(one.before), show(one.after), expected, _verdict(one)))
        columns = ["metric", "before", "after", "expected", "verdict"]
        return ReadableFrame(rows, columns=columns, nothing="not enough samples before and after it to compare")

    def __repr__(self) -> str:
        return self.summary if self.table.empty else f"{self.summary}\n\n{self.table.to_string(index=False)}"

    def _repr_html_(self) -> str:
        table = "" if self.table.empty else self.table.to_html(index=False)
        return f"<p>{escape(self.summary)}</p>{table}"


def _verdict(one: Difference) -> str:
    if one.is_more is None:
        return "too little known"
    return ("worse" if one.is_worse else "different") if one.is_more else "noise"


def before_after(store: StoreReader, settings: Settings, change_id: str, now: datetime) -> BeforeAfter:
    """Compare each metric before and after the change with an id.

    The medians of the half hours before and after are compared on the metric's scale, less what the same time of other
    days was. Noise is the difference that the same two windows have around every moment of the week before, by
    subsampling: 99 % of these differences are smaller. As the windows are as long and as close, what follows on itself
    (autocorrelation) is in them, and nothing is assumed of a distribution. Times with an anomaly are left out of the
    past. A difference of less than a fiftieth is not worth a word, whatever the noise.

    The method is that of Politis and Romano (1994), "Large sample confidence regions based on subsamples under minimal
    assumptions", doi:10.1214/aos/1176325770; that the past is asked the same question is the in-time placebo of
    Abadie, Diamond and Hainmueller (2015), doi:10.1111/ajps.12116.

    Raises
    ------
    NotFoundError
        There is no such change.
    """
    change = store.changes.get(change_id)
    if change is None:
        raise NotFoundError(f"no change {change_id[:80]!r}: `observatory changes list` shows what there is")
    name, at = change.service_name, change.at
    around = store.changes.read(at - BEFORE, at + AFTER, [name])
    start = max([at - BEFORE, *(one.at for one in around if one.at < at)])
    end = min([at + AFTER, now, *(one.at for one in around if one.at > at)])
    samples = store.history(name, at - HISTORY - BEFORE, max(end, at))
    anomalies = store.anomalies(at - HISTORY - BEFORE, at, [name])
    step = pd.Timedelta(seconds=settings.interval)
    found = [
        difference
        for metric in METRICS.values()
        if metric.name in samples
        and (difference := _compare(metric, samples[metric.name], at, (start, end), anomalies, step)) is not None
    ]
    return BeforeAfter(change, start, end, tuple(found))


def _compare(
    metric: Metric,
    values: pd.Series,
    at: datetime,
    bounds: tuple[datetime, datetime],
    anomalies: Sequence[Anomaly],
    step: pd.Timedelta,
) -> Difference | None:
    """The difference of one metric; None where there are too few samples."""
    start, end = (pd.Timestamp(bound) for bound in bounds)
    moment = pd.Timestamp(at)
    before = values[(values.index >= start) & (values.index < moment)].dropna()
    after = values[(values.index >= moment) & (values.index <= end)].dropna()
    if min(len(before), len(after)) < FEWEST:
        return None
    first, last = float(before.median()), float(after.median())
    scaled = pd.Series(metric.apply(values.to_numpy(dtype=float)), index=values.index).dropna()
    times = pd.DatetimeIndex(scaled.index).floor(step)
    grid = scaled.groupby(times).median().asfreq(f"{round(step.total_seconds() * 1000)}ms")
    past = grid[grid.index < start].copy()
    for anomaly in anomalies:
        past[(past.index >= anomaly.started_at - step) & (past.index <= anomaly.ended_at + step)] = np.nan
    profile = _profile(past, pd.DatetimeIndex(grid.index))
    rest = (grid - profile).to_numpy()
    rest_of_past = rest[: len(past)].copy()
    rest_of_past[past.isna().to_numpy()] = np.nan
    windows = max(1, round((moment - start) / step)), max(1, round((end - moment) / step))
    wandered = np.abs(_differences(pd.Series(rest_of_past), *windows))
    wandered = wandered[np.isfinite(wandered)]
    if len(wandered) < FEWEST_MOMENTS:
        return Difference(metric, first, last, np.nan, np.nan, None)
    noise = float(np.quantile(wandered, USUAL))
    index = grid.index
    own = [rest[(index >= start) & (index < moment.floor(step))], rest[(index >= moment.ceil(step)) & (index <= end)]]
    moved = float(np.nanmedian(own[1]) - np.nanmedian(own[0]))
    expected_scaled = float(metric.apply(np.array([last]))[0]) - moved
    expected, upper = (float(value) for value in metric.invert(np.array([expected_scaled, expected_scaled + noise])))
    distance = abs(last - expected)
    return Difference(
        metric, first, last, expected, upper - expected, abs(moved) > noise and distance > SMALLEST * abs(expected)
    )


def _profile(past: pd.Series, index: pd.DatetimeIndex) -> FloatArray:
    """What the metric is at the time of day of each of `index`: the median of the other days; 0 where they are few.

    A day is left out of its own profile: else the past would follow it more closely than what comes after.
    """
    bins = index.hour * (60 // BIN) + index.minute // BIN
    days = pd.factorize(index.floor("D"))[0]
    table = np.full((int(days.max()) + 1, 24 * 60 // BIN), np.nan)
    known = past.notna().to_numpy()
    grouped = past[known].groupby([days[: len(past)][known], bins[: len(past)][known]]).median()
    for (day, place), value in cast("Iterable[tuple[tuple[int, int], float]]", grouped.items()):
        table[day, place] = value
    if (np.isfinite(table).sum(axis=1) > 0).sum() < FEWEST_DAYS:
        return np.zeros(len(index))
    profile = np.zeros_like(table)
    for day in range(len(table)):
        others = np.delete(table, day, axis=0)
        seen = np.isfinite(others).any(axis=0)
        profile[day, seen] = np.nanmedian(others[:, seen], axis=0)
        if not seen.all():
            profile[day, ~seen] = np.nanmedian(others)
    return _smooth(profile, days, index)


def _smooth(profile: FloatArray, days: np.ndarray, index: pd.DatetimeIndex) -> FloatArray:
    """The profile between the middles of its bins, so that no step is at the edge of one."""
    minutes = np.asarray(index.hour * 60 + index.minute, dtype=float)
    middles = np.arange(profile.shape[1]) * BIN + BIN / 2
    found = np.zeros(len(index))
    for day in range(len(profile)):
        rows = days == day
        found[rows] = np.interp(minutes[rows], middles, profile[day], period=24 * 60)
    return found


def _differences(rest: pd.Series, before: int, after: int) -> FloatArray:
    """Around every moment: the median of the `after` values from it on less that of the `before` ones ahead of it."""
    ahead = rest.rolling(before, min_periods=max(1, before // 2)).median().shift(1)
    beyond = rest[::-1].rolling(after, min_periods=max(1, after // 2)).median()[::-1]
    return np.asarray(beyond - ahead, dtype=np.float64)
