"""Every hit, miss and false alarm as a case of its own, to be looked at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from observatory.evaluation.benchmark import BenchmarkResult
from observatory.evaluation.events import alarm_rows, runs, with_recovery
from observatory.evaluation.series import LabelledSeries

HIT, MISS, FALSE_ALARM = "hit", "miss", "false alarm"
COLUMNS = [
    "set",
    "series",
    "detector",
    "case",
    "start",
    "end",
    "first row",
    "last row",
    "delay [rows]",
    "highest score",
]


def case_table(results: Sequence[BenchmarkResult], series: Sequence[LabelledSeries]) -> pd.DataFrame:
    """A row a case at the alarm line: events that were found or missed, and false alarms.

    Rows are counted from the beginning of the series; the delay is that of a hit.
    """
    times = {(one.group, one.name): one.frame.index for one in series}
    rows = []
    for one in results:
        index = times[one.group, one.name]
        for case, first, last, delay in _cases(one):
            highest = float(np.nanmax(np.nan_to_num(one.scores[first : last + 1], nan=0.0)))
            where = (one.group, one.name, one.detector, case, index[first], index[last])
            rows.append((*where, first, last, delay, highest))
    return pd.DataFrame(rows, columns=COLUMNS)


def _cases(one: BenchmarkResult) -> list[tuple[str, int, int, float]]:
    labels = one.labels.copy()
    labels[: one.train_rows] = False
    scores = one.scores.copy()
    scores[: one.train_rows] = np.nan
    alarms = alarm_rows(scores)
    found = []
    for first, last in zip(*runs(labels), strict=True):
        hit = np.flatnonzero(alarms[first : last + 1])
        found.append((HIT if len(hit) else MISS, int(first), int(last), float(hit[0]) if len(hit) else np.nan))
    for first, last in zip(*runs(alarms & ~with_recovery(labels)), strict=True):
        found.append((FALSE_ALARM, int(first), int(last), np.nan))
    return sorted(found, key=lambda case: case[1])
