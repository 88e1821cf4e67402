"""Bands: what each metric is expected to be at a time of day, and how far a sample lies outside.

On the scale of the metric's transform, typical is the median of the samples at about the same time of day
(apart for weekdays and weekends where the history has both), spread the median absolute deviation. The band is
as many spreads wide as the history's own residuals call for, so that heavy-tailed noise stays inside:
with quantiles :math:`q` of their absolute value and an exponential tail,
:math:`k = q_{95} + β \\ln(0.05 / p)`, :math:`β = (q_{95} − q_{85}) / \\ln 3`.
Medians and these central quantiles hardly notice a few percent of faults in the history.
No band is narrower than the smallest deviation that the catalogue finds worth a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from observatory.catalog import FloatArray, metric
from observatory.errors import NotEnoughDataError

BINS = 48  # half hours; each also sees its neighbours
REACH = 1
MINIMUM = 30
SPREAD = 1.4826  # makes the median absolute deviation a standard deviation for Gaussian noise
TAIL = 1e-4  # share of normal rows that may leave one metric's band: about one a week
NARROWEST, WIDEST = 4.0, 12.0  # spreads
UNSEEN = 2.0  # bands of a kind of day that the history does not have are so much wider,
YOUNG = 3.0  # and so are all of them until it has a whole day
GATE_REQUESTS, GATE_SECONDS = 20, 300


@dataclass(frozen=True, slots=True)
class Expected:
    """Expected values over an index, in base units: frames of shape (n, metrics)."""

    typical: pd.DataFrame
    lower: pd.DataFrame
    upper: pd.DataFrame


@dataclass(frozen=True, slots=True)
class _Profile:
    """Typical and spread on the transformed scale, by kind of day and bin: shape (2, BINS, metrics)."""

    typical: FloatArray
    spread: FloatArray
    widening: FloatArray  # (2, BINS)


class Bands:
    """Seasonal bands of every metric of one service.

    Attributes
    ----------
    metrics
        Columns of the history that was fitted.
    """

    def __init__(self) -> None:
        self.metrics: tuple[str, ...] = ()

    def fit(self, history: pd.DataFrame) -> Self:
        """Learn from `history`, shape (n, metrics).

        Raises
        ------
        NotEnoughDataError
            Fewer than 30 rows.
        """
        if len(history) < MINIMUM:
            raise NotEnoughDataError(len(history), MINIMUM, "the band of normal values")
        self.metrics = tuple(str(column) for column in history.columns)
        values = self._transformed(history)
        weekend, bins = _calendar(_times(history))
        self._profile = _profile(values, weekend, bins)
        residual = (values - self._profile.typical[weekend, bins]) / self._profile.spread[weekend, bins]
        self._factor = np.vstack([_factor(residual, -1), _factor(residual, 1)])
        return self

    def evaluate(self, index: pd.DatetimeIndex) -> Expected:
        """What is expected at the times of `index`."""
        typical, low, high = self._bounds(index)
        frames = []
        for values in (typical, low, high):
            columns = {name: metric(name).invert(values[:, i]) for i, name in enumerate(self.metrics)}
            frames.append(pd.DataFrame(columns, index=index))
        return Expected(*frames)

    def deviation(self, frame: pd.DataFrame) -> pd.DataFrame:
        """How far each sample lies on the bad side of typical, in half-widths of its band: 1.0 is the edge.

        Shape (n, metrics), never negative: deviations for the better, missing values, and ratios of too few
        requests count 0.
        """
        return self.signed(frame).abs()

    def signed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """As `deviation`, negative where the sample lies below typical."""
        index = _times(frame)
        typical, low, high = self._bounds(index)
        known = frame.reindex(columns=list(self.metrics))
        values = self._transformed(known)
        above = (values - typical) / (high - typical)
        below = (typical - values) / (typical - low)
        for i, name in enumerate(self.metrics):
            if metric(name).worse == "up":
                below[:, i] = 0.0
            elif metric(name).worse == "down":
                above[:, i] = 0.0
        above = np.maximum(np.nan_to_num(above, nan=0.0, posinf=1e6), 0.0)
        below = np.maximum(np.nan_to_num(below, nan=0.0, posinf=1e6), 0.0)
        signed = np.where(above >= below, above, -below)
        if "request_rate" in frame:
            quiet = frame["request_rate"].to_numpy(float) * GATE_SECONDS < GATE_REQUESTS
            gated = np.array([metric(name).needs_traffic for name in self.metrics], dtype=bool)
            signed[np.ix_(quiet, gated)] = 0.0
        return pd.DataFrame(signed, index=frame.index, columns=list(self.metrics))

    def _transformed(self, frame: pd.DataFrame) -> FloatArray:
        columns = [metric(name).apply(frame[name].to_numpy(float)) for name in self.metrics]
        values = np.column_stack(columns) if columns else np.empty((len(frame), 0))
        values[~np.isfinite(values)] = np.nan
        return values

    def _bounds(self, index: pd.DatetimeIndex) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Typical, lower and upper on the transformed scale, each of shape (n, metrics)."""
        weekend, bins = _calendar(index)
        minutes = (index.hour * 60 + index.minute + index.second / 60).to_numpy(float)
        # Between the middles of two bins the profile runs in a straight line: no steps on the hour.
        position = minutes / (1440 / BINS) - 0.5
        left = np.floor(position).astype(int)
        share = (position - left)[:, None]
        left, right = left % BINS, (left + 1) % BINS

        def at(table: FloatArray) -> FloatArray:
            return np.asarray(table[weekend, left] * (1 - share) + table[weekend, right] * share)

        typical, spread = at(self._profile.typical), at(self._profile.spread)
        spread = spread * self._profile.widening[weekend, bins][:, None]
        low, high = typical - self._factor[0] * spread, typical + self._factor[1] * spread
        for i, name in enumerate(self.metrics):
            row = metric(name)
            base = row.invert(typical[:, i])
            least = np.maximum(row.min_absolute, row.min_relative * np.abs(base))
            least = np.where(least > 0, least, 1e-9 + 1e-6 * np.abs(base))
            high[:, i] = np.fmax(high[:, i], row.apply(base + least))
            low[:, i] = np.fmin(low[:, i], row.apply(base - least))
            # A floor at zero would make the band's lower half vanish: "worse down" needs some room.
            low[:, i] = np.minimum(low[:, i], typical[:, i] - 1e-9)
        return typical, low, high


def _times(frame: pd.DataFrame) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(frame.index)


def _calendar(index: pd.DatetimeIndex) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Kind of day (0 weekday, 1 weekend) and bin of the day of each time, UTC."""
    weekend = (index.dayofweek >= 5).astype(int)
    bins = (index.hour * 60 + index.minute) * BINS // 1440
    return np.asarray(weekend, dtype=np.int64), np.asarray(bins, dtype=np.int64)


def _profile(values: FloatArray, weekend: NDArray[np.int64], bins: NDArray[np.int64]) -> _Profile:
    width = values.shape[1]
    pooled = _median(values)
    pooled_spread = SPREAD * _median(np.abs(values - pooled))
    typical = np.tile(pooled, (2, BINS, 1))
    spread = np.tile(pooled_spread, (2, BINS, 1))
    widening = np.full((2, BINS), YOUNG)
    covered = len(np.unique(bins)) >= BINS - 2 * REACH
    for kind in (0, 1):
        rows = weekend == kind
        if len(np.unique(bins[rows])) < BINS - 2 * REACH:
            rows = np.ones(len(rows), dtype=bool)  # not a whole day of this kind yet: borrow the others
            own = UNSEEN
        else:
            own = 1.0
        for b in range(BINS):
            near = rows & (((bins - b + REACH) % BINS) <= 2 * REACH)
            if not covered or near.sum() < MINIMUM // 2:
                continue
            typical[kind, b] = _or(_median(values[near]), pooled)
            spread[kind, b] = SPREAD * _median(np.abs(values[near] - typical[kind, b]))
            widening[kind, b] = own
    floor = np.fmax(0.5 * _median(spread.reshape(-1, width)), 1e-9 + 1e-6 * np.abs(np.nan_to_num(pooled)))
    spread = np.fmax(spread, floor)
    return _Profile(typical, spread, widening)


def _factor(residual: FloatArray, sign: int) -> FloatArray:
    """Half-width of the band in spreads, on one side, by metric."""
    side = np.maximum(sign * residual, 0.0)
    quantiles = _quantiles(side, (0.85, 0.95))
    beta = (quantiles[1] - quantiles[0]) / np.log(3)
    factor = quantiles[1] + beta * np.log(0.05 / TAIL)
    return np.asarray(np.clip(np.nan_to_num(factor, nan=NARROWEST), NARROWEST, WIDEST))


def _median(values: FloatArray) -> FloatArray:
    return np.asarray(_quantiles(values, (0.5,))[0])


def _quantiles(values: FloatArray, shares: tuple[float, ...]) -> FloatArray:
    """Column quantiles over finite values, NaN where a column has none: shape (shares, columns)."""
    ordered = np.sort(values, axis=0)  # NaN go last
    counts = np.isfinite(values).sum(axis=0)
    result = np.full((len(shares), values.shape[1]), np.nan)
    some = np.flatnonzero(counts)
    for i, share in enumerate(shares):
        position = share * (counts[some] - 1)
        low = np.floor(position).astype(int)
        high = np.minimum(low + 1, counts[some] - 1)
        part = position - low
        result[i, some] = ordered[low, some] * (1 - part) + ordered[high, some] * part
    return result


def _or(values: FloatArray, otherwise: FloatArray) -> FloatArray:
    return np.where(np.isfinite(values), values, otherwise)
