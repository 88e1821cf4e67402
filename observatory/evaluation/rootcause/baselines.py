"""Simple rankings to be compared with: the largest deviation, and BARO's robust scaler.

Both take the metric of each service that is furthest out, and look at nothing else: no graph, no kinds of metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from observatory.rootcause.window import FloatArray, Window, span, window

MOST_SPREADS = 1e6
"""A metric that was constant is this far out when it moves; only the order counts."""


def largest_deviation(
    frames: Mapping[str, pd.DataFrame], start: object, end: object, graph: object = None
) -> list[tuple[str, float]]:
    """By the largest change of a metric's mean in standard deviations of its history."""
    return _ranked(frames, start, end, _mean_change)


def robust_scaler(
    frames: Mapping[str, pd.DataFrame], start: object, end: object, graph: object = None
) -> list[tuple[str, float]]:
    """By the largest (x − median) / IQR of a metric in the incident.

    As RobustScorer of BARO (Pham, Ha and Zhang 2024, doi:10.1145/3660805), without its change point: start is given.
    """
    return _ranked(frames, start, end, _robust)


def _ranked(
    frames: Mapping[str, pd.DataFrame], start: object, end: object, measure: Callable[[Window], FloatArray]
) -> list[tuple[str, float]]:
    first, last = span(start, end)
    found = []
    for service in sorted(frames):
        seen = window(service, frames[service], first, last)
        usable = np.isfinite(seen.history).any(axis=1) & np.isfinite(seen.incident).any(axis=1)
        kept = Window(service, (), seen.times, seen.history[usable], seen.incident[usable])
        found.append((service, max(0.0, float(measure(kept).max())) if usable.any() else 0.0))
    return sorted(found, key=lambda item: (-item[1], item[0]))


def _mean_change(seen: Window) -> FloatArray:
    change = np.abs(np.nanmean(seen.incident, axis=1) - np.nanmean(seen.history, axis=1))
    return _over(change, np.nanstd(seen.history, axis=1))


def _robust(seen: Window) -> FloatArray:
    q25, q50, q75 = np.nanquantile(seen.history, [0.25, 0.5, 0.75], axis=1)
    return _over(np.nanmax(seen.incident, axis=1) - q50, q75 - q25)


def _over(change: FloatArray, spread: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(np.minimum(change / spread, MOST_SPREADS), nan=0.0)
