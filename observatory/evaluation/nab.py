"""The score of the Numenta Anomaly Benchmark, standard profile (Lavin and Ahmad 2015, doi:10.1109/ICMLA.2015.141).

Within a labelled window only the first alarm counts, and the more the earlier it is; every alarm outside of windows
costs, the less the closer it follows one; a window without any alarm costs in full. The weight of an alarm at
`y`, its position relative to the end of a window in widths of it, is :math:`2 / (1 + e^{5y}) - 1`. Sums over the corpus
are put on a scale on which never alarming is 0 and alarming first thing in each window, and never else, is 100.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from observatory.detection.threshold import Threshold
from observatory.evaluation.events import BoolArray, FloatArray, runs, same_length
from observatory.evaluation.ranking import filled

REWARD, FALSE_ALARM, MISS = 1.0, 0.11, 1.0
PROBATION, LONGEST_PROBATION = 0.15, 750
FAR = 3.0
"""Widths behind a window from which on an alarm costs in full; so it does before the first window."""


def nab_score(corpus: Iterable[tuple[BoolArray, FloatArray]], line: float | None = None) -> float:
    """NAB's score of a whole corpus.

    Parameters
    ----------
    corpus
        Labels and scores of each series, complete with the rows that a detector learns from: the first 15 % of the
        rows, at most 750, do not count.
    line
        Rows with this score or more are alarms. None takes the one line that is best for the corpus, as NAB does.

    Returns
    -------
    At most 100; negative where silence would be better, NaN without a window.
    """
    parts, rows = [], 0
    for labels, scores in corpus:
        parts.append(_points(labels, scores, rows))
        rows += len(labels)
    points = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"window": []})
    inside = points["window"].notna()
    windows = points["window"].nunique()
    if not windows:
        return float("nan")
    if line is not None:
        alarms = Threshold(line).classify(points["score"])
        points, inside = points[alarms], inside[alarms]
    points = points.assign(inside=inside).sort_values("score", ascending=False, kind="stable")
    # In the order of falling scores a window is worth the best of its rows so far, and a miss before the first.
    best = points[points["inside"]].groupby("window")["worth"].cummax().clip(lower=-MISS)
    before = best.groupby(points["window"]).shift(fill_value=-MISS)
    gain = points["worth"].where(~points["inside"], 0.0).add(best - before, fill_value=0.0).reindex(points.index)
    total = np.concatenate([[0.0], gain.cumsum()])
    if line is None:
        scores = points["score"].to_numpy()
        complete = np.concatenate([[True], scores[1:] != scores[:-1], [True]])  # rows of equal score alarm together
        reached = float(total[complete].max())
    else:
        reached = float(total[-1])
    return 100 * reached / (windows * (REWARD + MISS))


def weight(position: FloatArray) -> FloatArray:
    """What an alarm is worth by its position relative to the end of a window: near 1 at −1, 0 at 0, −1 far behind."""
    return np.where(position >= FAR, -1.0, 2 / (1 + np.exp(5 * np.minimum(position, FAR))) - 1)


def _points(labels: BoolArray, scores: FloatArray, offset: int) -> pd.DataFrame:
    """Rows of one series that count: their score, what an alarm there is worth, and the window they are in.

    A window's number is its first row, counted from `offset`.
    """
    labels, scores = same_length(labels, scores)
    n, row = len(labels), np.arange(len(labels))
    first, last = runs(labels)
    worth = np.full(n, -FALSE_ALARM)
    window = np.full(n, np.nan)
    until = np.concatenate([first[1:], [n]])[: len(first)]
    for begin, end, following in zip(first, last, until, strict=True):
        width = end - begin + 1
        within, behind = slice(begin, end + 1), slice(end + 1, following)
        earliest = weight(np.array([-1.0]))
        worth[within] = REWARD * weight(-(end - row[within] + 1) / width) / earliest
        worth[behind] = FALSE_ALARM * weight((row[behind] - end) / max(width - 1, 1))
        window[within] = offset + begin
    counts = row >= min(int(PROBATION * n), LONGEST_PROBATION)
    return pd.DataFrame({"score": filled(scores), "worth": worth, "window": window})[counts]
