"""Events found, false alarms and delay: what a person on call gets from a score with an alarm line.

An event counts once, however many of its rows are above the line (no point adjustment), and so does an alarm:
quiet rows between alarms that belong together are closed, alarms shortly after an event are part of its recovery, and
one that gets stuck counts again with every hour of minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from observatory.detection.threshold import Threshold
from observatory.detectors.base import ALARM_LINE
from observatory.errors import InvalidInputError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

MERGE = 5
"""Alarms whose rows are at most so far apart are one."""
RECOVERY = 15
"""Rows after an event in which alarms are not false."""
STUCK = 60
"""Longest false alarm that counts once [rows]."""
CANDIDATES = 60


@dataclass(frozen=True, slots=True)
class EventCounts:
    """What an alarm line gives: events, those found, false alarms, and by found event the rows to its first alarm."""

    events: int
    found: int
    false_alarms: int
    delays: tuple[int, ...]

    @property
    def precision(self) -> float:
        """Events found out of all that was alarmed about; 0 without an alarm."""
        raised = self.found + self.false_alarms
        return self.found / raised if raised else 0.0

    @property
    def recall(self) -> float:
        """Share of events found; NaN without events."""
        return self.found / self.events if self.events else float("nan")

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; NaN without events."""
        if not self.events:
            return float("nan")
        return 2 * self.found / (self.events + self.found + self.false_alarms)


def count_events(labels: BoolArray, scores: FloatArray, line: float = ALARM_LINE) -> EventCounts:
    """Hold the alarms that `scores` raise at `line` against the runs of `labels`; both of shape (n,)."""
    labels, scores = same_length(labels, scores)
    alarms = alarm_rows(scores, line)
    first, last = runs(labels)
    position = np.flatnonzero(alarms)
    earliest = np.searchsorted(position, first)
    delays = [
        int(position[k] - a)
        for k, a, b in zip(earliest, first, last, strict=True)
        if k < len(position) and position[k] <= b
    ]
    begins, ends = runs(alarms & ~with_recovery(labels))
    false = int(np.ceil((ends - begins + 1) / STUCK).sum())
    return EventCounts(len(first), len(delays), false, tuple(delays))


def best_line(labels: BoolArray, scores: FloatArray) -> tuple[float, EventCounts]:
    """The line with the best F1 in hindsight, and what it gives: how good a detector with a perfect line would be.

    Quantiles of the scores are tried, from a single row to 30 % of them above the line.
    """
    labels, scores = same_length(labels, scores)
    finite = np.nan_to_num(scores, nan=np.nanmin(scores) if np.isfinite(scores).any() else 0.0, posinf=1e6)
    quantiles = 1 - np.geomspace(1 / len(finite), 0.3, CANDIDATES)
    counts = [(float(line), count_events(labels, finite, line)) for line in np.unique(np.quantile(finite, quantiles))]
    return max(counts, key=lambda pair: (np.nan_to_num(pair[1].f1), -pair[0]))


def alarm_rows(scores: FloatArray, line: float = ALARM_LINE) -> BoolArray:
    """Rows in alarm, those included that lie between two alarms that are one; NaN is none."""
    position = np.flatnonzero(Threshold(line).classify(scores))
    alarms = np.zeros(len(scores), dtype=bool)
    alarms[position] = True
    for k in np.flatnonzero((np.diff(position) > 1) & (np.diff(position) <= MERGE)):
        alarms[position[k] : position[k + 1]] = True
    return alarms


def with_recovery(labels: BoolArray) -> BoolArray:
    """Rows of events and of the recovery after them."""
    widened = labels.copy()
    for end in runs(labels)[1]:
        widened[end : end + 1 + RECOVERY] = True
    return widened


def runs(flags: BoolArray) -> tuple[NDArray[Any], NDArray[Any]]:
    """First and last row of each run of true values."""
    edges = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1


def same_length(labels: Any, scores: Any) -> tuple[BoolArray, FloatArray]:
    """Both as arrays of shape (n,); raises InvalidInputError where they do not fit."""
    flags, values = np.asarray(labels, dtype=bool), np.asarray(scores, dtype=float)
    if flags.ndim != 1 or flags.shape != values.shape or not len(flags):
        raise InvalidInputError(f"labels of shape {flags.shape} and scores of shape {values.shape}: need equal lengths")
    return flags, values
