"""How well scores rank anomalous rows above normal ones, whatever the threshold.

VUS-PR is the volume under the surface that the precision–recall curve makes as labels are widened: each event gets
shoulders, in which rows count less the farther they are from it, so that a score that rises a little early or late is
not taken for wrong. It is defined as TSB-AD computes it (Liu and Paparrizos 2024, NeurIPS; Paparrizos et al. 2022,
doi:10.14778/3551793.3551830), where rows of a shoulder count only as far as they are predicted, and an event without
any predicted row lowers the recall.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from observatory.evaluation.events import BoolArray, FloatArray, runs, same_length

THRESHOLDS = 250
PERIOD = 125
"""Window where a series has no period, and the widest that is used [rows]."""
LAGS, FIRST_LAG, LONGEST_PERIOD, ROWS = 400, 3, 300, 20_000


def average_precision(labels: BoolArray, scores: FloatArray) -> float:
    """Area under the precision–recall curve as a sum over thresholds; NaN without anomalous rows."""
    precision, recall = precision_recall(labels, scores)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision)) if len(recall) else float("nan")


def precision_recall(labels: BoolArray, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Precision and recall of rows at each distinct score, falling; empty without anomalous rows.

    As scikit-learn has it, whose import takes longer than judging a series.
    """
    labels, scores = same_length(labels, scores)
    if not labels.any():
        return np.empty(0), np.empty(0)
    values = filled(scores)
    order = np.argsort(-values, kind="stable")
    hits = np.cumsum(labels[order])
    last = np.flatnonzero(np.append(np.diff(values[order]) != 0, True))  # rows of equal score are taken together
    return hits[last] / (last + 1), hits[last] / hits[-1]


def vus_pr(labels: BoolArray, scores: FloatArray, window: int, thresholds: int = THRESHOLDS) -> float:
    """Volume under the precision–recall surface.

    Parameters
    ----------
    labels, scores
        Of the scored rows, shape (n,).
    window
        Widest window [rows]; half of it lies on each side of an event. Widths from 0 to it are averaged.
    thresholds
        Quantiles of the scores that are tried.

    Returns
    -------
    From 0 to 1; NaN without anomalous rows.
    """
    labels, scores = same_length(labels, scores)
    if not labels.any():
        return float("nan")
    values = filled(scores)
    n = len(values)
    ordered = np.sort(values)
    lines = ordered[::-1][np.linspace(0, n - 1, thresholds).astype(int)]
    predicted = n - np.searchsorted(ordered, lines, side="left")
    # A row counts from the first of the falling lines that it reaches: sums over thresholds are running sums.
    reached = thresholds - np.searchsorted(lines[::-1], values, side="right")
    first, last = runs(labels)
    hits = _running(reached[labels], None, thresholds)
    shoulders = _Shoulders(labels, first, last, window // 2)
    total = 0.0
    for width in range(window + 1):
        shoulder = _running(reached[shoulders.rows], shoulders.worth(width), thresholds)
        found = hits + shoulder
        recall = np.minimum(found / (labels.sum() + shoulder / 2), 1.0)
        recall = recall * _existence(reached, first, last, width // 2, thresholds)
        total += float(np.sum(np.diff(recall, prepend=0.0) * found / predicted))
    return total / (window + 1)


def period(values: FloatArray) -> int:
    """The dominant period of a series [rows] by its autocorrelation, as TSB-AD finds it; `PERIOD` if there is none.

    It is the lag of the highest local maximum beyond the first few, and at most `PERIOD`.
    """
    x = np.nan_to_num(np.asarray(values, dtype=float))[:ROWS]
    if len(x) <= FIRST_LAG:
        return PERIOD
    x = x - x.mean()
    spectrum = np.fft.rfft(x, 2 * len(x))
    covariance = np.fft.irfft(spectrum * spectrum.conj())[: min(LAGS, len(x) - 1) + 1]
    if covariance[0] <= 1e-12 * len(x):
        return PERIOD
    tail = covariance[FIRST_LAG:]
    peaks = np.flatnonzero((tail[1:-1] > tail[:-2]) & (tail[1:-1] > tail[2:])) + 1
    if not len(peaks):
        return PERIOD
    lag = int(peaks[np.argmax(tail[peaks])])
    return min(lag + FIRST_LAG, PERIOD) if FIRST_LAG <= lag <= LONGEST_PERIOD else PERIOD


def filled(scores: FloatArray) -> FloatArray:
    """Scores without holes: NaN as the lowest of them, infinity as a very high one."""
    finite = scores[np.isfinite(scores)]
    lowest = float(finite.min()) if len(finite) else 0.0
    return np.nan_to_num(scores, nan=lowest, posinf=1e6, neginf=lowest)


def _running(reached: NDArray[Any], weights: FloatArray | None, thresholds: int) -> FloatArray:
    """Sum of weights of the rows that reached each threshold."""
    return np.cumsum(np.bincount(reached, weights, minlength=thresholds)[:thresholds]).astype(float)


class _Shoulders:
    """Rows beside events, at most `reach` away: `rows`, and what they are worth in a window of some width."""

    def __init__(self, labels: BoolArray, first: NDArray[Any], last: NDArray[Any], reach: int) -> None:
        distance = np.repeat(np.arange(1, reach + 1), 2 * len(first))  # the nearest first
        rows = np.tile(np.concatenate([last, first]), reach)
        rows = rows + distance * np.tile(np.repeat([1, -1], len(first)), reach)
        beside = (rows >= 0) & (rows < len(labels))
        beside[beside] = ~labels[rows[beside]]
        self._distance = distance[beside]
        self.rows, self._place = np.unique(rows[beside], return_inverse=True)

    def worth(self, width: int) -> FloatArray:
        """Falling with the distance; what a row gets from two events adds up, to 1 at the most."""
        near = self._distance[: np.searchsorted(self._distance, width // 2, side="right")]
        worth = np.bincount(self._place[: len(near)], np.sqrt(1 - near / max(width, 1)), minlength=len(self.rows))
        return np.minimum(worth, 1.0)


def _existence(
    reached: NDArray[Any], first: NDArray[Any], last: NDArray[Any], reach: int, thresholds: int
) -> FloatArray:
    """Share of events, with those merged whose shoulders touch, that have a predicted row, by threshold."""
    apart = last[:-1] + reach < first[1:] - reach
    begins = np.maximum(first[np.r_[True, apart]] - reach, 0)
    ends = np.minimum(last[np.r_[apart, True]] + reach, len(reached) - 1)
    earliest = [reached[a : b + 1].min() for a, b in zip(begins, ends, strict=True)]
    return _running(np.asarray(earliest), None, thresholds) / len(earliest)
