"""How unusual each metric of a service is in the incident, and what speaks against the service besides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from observatory.rootcause.options import LARGEST, LEAST_ROWS, Options
from observatory.rootcause.scale import Scale, quantile
from observatory.rootcause.signals import SYMPTOMS, signal_of, weights_of
from observatory.rootcause.window import BoolArray, FloatArray, Window

Standing = Literal["present", "new", "stopped", "silent"]
"""Whether a service reports: as before, for the first time, no longer, or no longer as happens without requests."""
STANDING_POINTS: dict[Standing, float] = {"present": 0.0, "new": 0.5, "stopped": 3.0, "silent": 0.3}

MOST_BLOCKS = 32
BLOCK_QUANTILE = 0.75
OVERDUE = 3.0
"""A service is silent when its last row is this many steps old."""
LONG_GONE = 10.0
"""One that fell silent more steps before the incident has nothing to do with it; alarms come a few steps late."""
LAST_ROWS, REPORTED = 20, 0.9
"""... and had values in this share of its last rows before the incident."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of one service, shape (metrics,) each.

    Attributes
    ----------
    strength
        How unusual, weighted by what the metric tells of; logarithmic, 0 is as usual.
    rising
        Whether the rise is what is unusual, else the fall.
    deviation
        Typical deviation of the worst rows in spreads, negative for a fall.
    worsening
        Mean change for the worse over the worst rows, in the metric's own unit.
    standing
        Whether the service reports.
    """

    strength: FloatArray
    rising: BoolArray
    deviation: FloatArray
    worsening: FloatArray
    standing: Standing = "present"

    @property
    def extra(self) -> float:
        """What its standing counts."""
        return STANDING_POINTS[self.standing]


def weigh(window: Window, scale: Scale, start: pd.Timestamp, end: pd.Timestamp, options: Options) -> Evidence:
    """Evidence of one service.

    With deviations z of the incident, ``worst(z)`` = mean of ln(1 + max(z, 0)) over the worst third of the rows. The
    same over stretches of history as long as the incident says what is usual for the metric: half of its 75 %
    quantile is taken off, so that what is restless by itself needs more. A rise and a fall are weighed apart
    (`observatory.rootcause.signals.weights_of`), and the larger one is the strength.
    """
    count = len(window.metrics)
    nothing = Evidence(np.zeros(count), np.ones(count, dtype=bool), np.zeros(count), np.zeros(count))
    if scale.values.max(initial=0) < LEAST_ROWS or not np.isfinite(window.incident).any():
        standing = _standing(window, scale, start, end)
        return Evidence(nothing.strength, nothing.rising, nothing.deviation, nothing.worsening, standing)
    now, before = scale.deviations(window.incident, LARGEST), scale.deviations(window.history, LARGEST)
    stretches = _stretches(before, now.shape[1])
    rise, fall = np.array([weights_of(metric) for metric in window.metrics]).reshape(-1, 2).T
    up, down = worst(now, options.share), worst(-now, options.share)
    risen = rise * np.maximum(up - options.usual * _usual(stretches, options.share), 0)
    fallen = fall * np.maximum(down - options.usual * _usual(-stretches, options.share), 0)
    rising = risen >= fallen
    return Evidence(
        np.where(scale.values >= LEAST_ROWS, np.maximum(risen, fallen), 0.0),
        rising,
        np.where(rising, np.expm1(up), -np.expm1(down)),
        _worsening(window, scale, options.share),
    )


def worst(deviations: FloatArray, share: float) -> FloatArray:
    """Mean ln(1 + max(z, 0)) over the largest `share` of the finite values along the last axis; 0 without any."""
    missing = np.isnan(deviations)
    counts = deviations.shape[-1] - missing.sum(axis=-1)
    taken = np.maximum(1, np.ceil(share * counts - 1e-9)).astype(int)
    positive = np.maximum(deviations, 0)
    positive[missing] = 0
    most = int(taken.max(initial=1))
    largest = np.sort(positive, axis=-1)[..., ::-1][..., :most]
    summed = (np.log1p(largest) * (np.arange(largest.shape[-1]) < taken[..., None])).sum(axis=-1)
    return np.asarray(summed / taken)


def worst_rows(count: int, share: float) -> int:
    """How many of `count` rows speak for a metric."""
    return max(1, int(np.ceil(share * count - 1e-9)))


def _standing(window: Window, scale: Scale, start: pd.Timestamp, end: pd.Timestamp) -> Standing:
    """Of a service that cannot be compared: nothing in the incident, or nothing before it."""
    if scale.values.max(initial=0) < LEAST_ROWS:
        return "new" if np.isfinite(window.incident).any() else "present"
    rows = window.history.shape[1]
    last = window.times[-1]
    if start - last > LONG_GONE * window.step:
        return "present"
    late = end - last > OVERDUE * window.step
    reported = np.isfinite(window.history[:, max(0, rows - LAST_ROWS) :]).any(axis=0).mean() >= REPORTED
    if not (late and reported):
        return "present"
    # Latency and errors alone go missing as well where nobody asks for anything.
    return "stopped" if any(signal_of(metric) not in SYMPTOMS for metric in window.metrics) else "silent"


def _stretches(deviations: FloatArray, rows: int) -> FloatArray:
    """History in stretches of `rows` rows, half overlapping, shape (metrics, stretches, rows)."""
    count = deviations.shape[1]
    if count <= rows:
        return deviations[:, None, :]
    first = np.arange(0, count - rows + 1, max(1, rows // 2))
    if len(first) > MOST_BLOCKS:
        first = first[np.linspace(0, len(first) - 1, MOST_BLOCKS).astype(int)]
    return np.asarray(np.lib.stride_tricks.sliding_window_view(deviations, rows, axis=1)[:, first])


def _usual(stretches: FloatArray, share: float) -> FloatArray:
    found = np.sort(worst(stretches, share), axis=1)
    return quantile(found, np.full(len(found), float(found.shape[1])), BLOCK_QUANTILE)


def _worsening(window: Window, scale: Scale, share: float) -> FloatArray:
    sign = np.array([-1.0 if signal_of(metric) == "success" else 1.0 for metric in window.metrics])
    change = np.nan_to_num(np.maximum((window.incident - scale.median[:, None]) * sign[:, None], 0))
    rows = worst_rows(window.incident.shape[1], share)
    return np.asarray(-np.sort(-change, axis=1)[:, :rows].mean(axis=1))
