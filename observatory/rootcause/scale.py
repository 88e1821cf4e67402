"""How much a metric varies when nothing is wrong: its own spread, drawn towards that of the same metric elsewhere.

The spread of a short history is unreliable, and a metric that was constant has none. Both borrow from the other
services by shrinkage, as of variances in Smyth (2004), doi:10.2202/1544-6115.1027, with relative spreads since
services differ in size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from observatory.catalog import METRICS
from observatory.rootcause.signals import signal_of
from observatory.rootcause.window import FloatArray, Window

FLOOR = 0.05
"""Least spread, as a share of the usual value."""
SUCCESS_FLOOR = 0.005
"""The same of a share of success: of all requests, one in a hundred that fails is two spreads. Wider floors hide it."""
DECLARED_FLOOR = 0.1
"""Least spread, as a share of the smallest deviation that the catalogue finds worth a word."""
SMALLEST = 1e-9
DEVIATION_SHARE = 0.25
"""Share of the standard deviation that counts beside quantiles: metrics that are mostly 0 have no other spread."""
MOST_RELATIVE = 1e6


@dataclass(frozen=True, slots=True)
class Scale:
    """Usual value and spread of each metric of one service, in its own unit, shape (metrics,).

    Attributes
    ----------
    median, spread
        With them ``(x - median) / spread`` is a deviation in spreads.
    values
        Finite values of history.
    """

    median: FloatArray
    spread: FloatArray
    values: FloatArray

    def deviations(self, values: FloatArray, largest: float) -> FloatArray:
        """`values` of shape (metrics, rows) in spreads, cut at ± `largest`; NaN stays NaN."""
        return np.clip((values - self.median[:, None]) / self.spread[:, None], -largest, largest)


@dataclass(frozen=True, slots=True)
class _Own:
    """What the history of one service says by itself, shape (metrics,)."""

    values: FloatArray
    median: FloatArray
    high: FloatArray
    spread: FloatArray


def scales(windows: Sequence[Window], pool: float) -> list[Scale]:
    """The scale of every metric of every service.

    With median m, n values, own spread s₀ = max(IQR / 1.349, (q95 − q5) / 3.29, sd / 4), and over the services that
    have the metric r = median(s₀ / abs(m)) and l = median(max(abs(m), q95)):
    s = max(√((n s₀² + pool (r max(abs(m), l / 10))²) / (n + pool)), floors).
    The divisors make quantile ranges of a normal distribution its standard deviation.
    """
    owns = [_own(window.history) for window in windows]
    elsewhere = _pooled(windows, owns)
    return [_scale(window, own, elsewhere, pool) for window, own in zip(windows, owns, strict=True)]


def quantile(ordered: FloatArray, counts: FloatArray, share: float) -> FloatArray:
    """Quantile of each row, linear between values; rows are sorted, NaN last, with `counts` finite values."""
    position = share * np.maximum(counts - 1, 0)
    low, row = position.astype(int), np.arange(len(ordered))
    high = np.minimum(low + 1, np.maximum(counts - 1, 0).astype(int))
    below = ordered[row, low]
    return np.asarray(np.where(counts > 0, below + (ordered[row, high] - below) * (position - low), np.nan))


def _own(history: FloatArray) -> _Own:
    counts = np.isfinite(history).sum(axis=1).astype(float)
    if not history.size:
        zero = np.zeros(len(history))
        return _Own(counts, zero, zero, zero)
    ordered = np.sort(history, axis=1)
    q5, q25, q50, q75, q95 = (np.nan_to_num(quantile(ordered, counts, q)) for q in (0.05, 0.25, 0.5, 0.75, 0.95))
    filled = np.where(np.isnan(history), q50[:, None], history) - q50[:, None]
    number = np.maximum(counts, 1)
    mean = filled.sum(axis=1) / number
    variance = np.maximum((filled * filled).sum(axis=1) / number - mean**2, 0)
    spread = np.maximum.reduce([(q75 - q25) / 1.349, (q95 - q5) / 3.29, DEVIATION_SHARE * np.sqrt(variance)])
    return _Own(counts, q50, q95, spread)


def _pooled(windows: Sequence[Window], owns: Sequence[_Own]) -> dict[str, tuple[float, float]]:
    """Relative spread and level of each metric over the services that have it."""
    known: dict[str, list[tuple[float, float, float]]] = {}
    for window, own in zip(windows, owns, strict=True):
        usual = np.abs(own.median)
        levels = np.maximum(usual, own.high)
        for column, metric in enumerate(window.metrics):
            if own.values[column]:
                values = (float(usual[column]), float(levels[column]), float(own.spread[column]))
                known.setdefault(metric, []).append(values)
    found = {}
    for metric, rows in known.items():
        usual, levels, spreads = np.array(rows).T
        some = usual > 0
        with np.errstate(over="ignore"):
            relative = float(np.median(np.minimum(spreads[some] / usual[some], MOST_RELATIVE))) if some.any() else 0.0
        found[metric] = relative, float(np.median(levels[levels > 0])) if (levels > 0).any() else 0.0
    return found


def _scale(window: Window, own: _Own, elsewhere: dict[str, tuple[float, float]], pool: float) -> Scale:
    usual = np.abs(own.median)
    shared = np.array([elsewhere.get(metric, (0.0, 0.0)) for metric in window.metrics]).reshape(-1, 2)
    borrowed = shared[:, 0] * np.maximum(usual, 0.1 * shared[:, 1])
    number = np.maximum(own.values + pool, 1)
    spread = np.sqrt((own.values * own.spread**2 + pool * borrowed**2) / number)
    floors = [_floors(metric) for metric in window.metrics]
    relative, absolute = np.array(floors).reshape(-1, 2).T
    return Scale(own.median, np.maximum.reduce([spread, relative * usual, absolute]) + SMALLEST, own.values)


def _floors(metric: str) -> tuple[float, float]:
    """Least spread as a share of the usual value, and in the unit of the metric."""
    declared = METRICS.get(metric)
    # Latency and resources differ by orders of magnitude between services: those are compared by shares alone.
    absolute = DECLARED_FLOOR * declared.min_absolute if declared and declared.transform != "log" else 0.0
    return (SUCCESS_FLOOR if signal_of(metric) == "success" else FLOOR), absolute
