"""Judge detectors on labelled series, in parallel, and put the figures of a set into one row."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from observatory.compute.processes import outcomes
from observatory.detectors import DETECTORS
from observatory.detectors.base import ALARM_LINE
from observatory.evaluation.events import BoolArray, EventCounts, FloatArray, best_line, count_events
from observatory.evaluation.explanation import Explained, judge_explanations
from observatory.evaluation.nab import nab_score
from observatory.evaluation.ranking import PERIOD, average_precision, period, vus_pr
from observatory.evaluation.series import LabelledSeries
from observatory.evaluation.stream import explain_stream, first_look_ahead, score_stream
from observatory.model import Failure, Progress, no_progress

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Judged:
    """One detector on one series.

    Attributes
    ----------
    scores, labels
        Of all rows of the series, shape (n,); scores are NaN in the first `train_rows`, which are not judged.
    auc_pr, vus_pr
        Rank of anomalous rows, see `observatory.evaluation.ranking`; NaN without events.
    at_line, best
        Events at the alarm line of 1.0, and at the line that is best in hindsight, which is `best_line`.
    days
        Judged time outside of events [days].
    seconds
        What scoring took [s].
    looks_ahead_at
        The first row whose score knew later rows, where that was looked for and found.
    """

    group: str
    name: str
    detector: str
    step: float
    train_rows: int
    scores: FloatArray
    labels: BoolArray
    auc_pr: float
    vus_pr: float
    at_line: EventCounts
    best: EventCounts
    best_line: float
    days: float
    seconds: float
    explained: Explained | None = None
    looks_ahead_at: int | None = None

    @property
    def false_alarms_per_day(self) -> float:
        """At the alarm line."""
        return self.at_line.false_alarms / self.days if self.days else float("nan")


def judge(
    series: Sequence[LabelledSeries],
    detectors: Sequence[str] | None = None,
    jobs: int = 1,
    progress: Progress = no_progress,
    *,
    look_ahead: bool = False,
) -> tuple[list[Judged], list[Failure]]:
    """Judge detectors on series; one that fails on a series is a failure, and the others go on.

    Parameters
    ----------
    series
        What to judge on.
    detectors
        Names; all that are registered if None.
    jobs
        Processes that work at a time.
    progress
        Is told how many series each detector has done.
    look_ahead
        Whether to look for scores that knew later rows; costs about as much again as scoring twice.

    Returns
    -------
    By detector and series in the order given, and what failed.

    Raises
    ------
    UnknownPluginError
        No detector of a name.
    """
    names = chosen_detectors(detectors)
    work = [(name, one) for name in names for one in series]
    found: dict[int, Judged] = {}
    failures: list[Failure] = []
    done = dict.fromkeys(names, 0)
    for number, outcome in outcomes(judge_one, [(one, name, look_ahead) for name, one in work], jobs):
        name, one = work[number]
        done[name] += 1
        progress(done[name], len(series), name, one.name)
        if isinstance(outcome, Judged):
            found[number] = outcome
        else:
            failures.append(Failure(f"{name} on {one.group}/{one.name}", f"{type(outcome).__name__}: {outcome}"))
    return [found[number] for number in sorted(found)], failures


def chosen_detectors(names: Sequence[str] | None) -> list[str]:
    """`names`, or all that are registered; raises UnknownPluginError."""
    for name in names or ():
        DETECTORS.get(name)
    return list(names) if names else list(DETECTORS)


def judge_one(series: LabelledSeries, detector: str, look_ahead: bool = False) -> Judged:
    """Judge one detector on one series."""
    began = time.process_time()
    shares: pd.DataFrame | None = None
    if series.causes:
        scores, shares = explain_stream(series.frame, series.train_rows, detector)
    else:
        scores = score_stream(series.frame, series.train_rows, detector)
    seconds = time.process_time() - began
    judged = slice(series.train_rows, None)
    labels, tested = series.labels[judged], scores[judged]
    line, best = best_line(labels, tested)
    ahead = first_look_ahead(series.frame, series.train_rows, detector, scores=scores) if look_ahead else None
    return Judged(
        series.group,
        series.name,
        detector,
        series.step,
        series.train_rows,
        scores,
        series.labels,
        average_precision(labels, tested),
        vus_pr(labels, tested, window_of(series)),
        count_events(labels, tested),
        best,
        line,
        float((~labels).sum()) * series.step / DAY,
        seconds,
        None if shares is None else judge_explanations(shares.iloc[judged], tested, series.causes),
        ahead,
    )


def window_of(series: LabelledSeries) -> int:
    """Window for VUS-PR: the period of the first metric, gaps filled with what was known last."""
    first = series.frame.iloc[:, 0].ffill().fillna(0.0).to_numpy()
    return min(period(first), PERIOD)


def summary(judged: Sequence[Judged]) -> pd.DataFrame:
    """A row a set and detector.

    Rates and areas are means over series, of those with events where they need one; delay is the median over all
    events found; ``NAB`` is the score at the corpus's best line, ``NAB at line`` that at the alarm line;
    ``ms a day`` is what scoring 1,440 rows took.
    """
    groups: dict[tuple[str, str], list[Judged]] = {}
    for one in judged:
        groups.setdefault((one.group, one.detector), []).append(one)
    rows = [{"set": group, "detector": detector} | _figures(many) for (group, detector), many in groups.items()]
    return pd.DataFrame(rows).sort_values("set", kind="stable", ignore_index=True)


def series_table(judged: Sequence[Judged]) -> pd.DataFrame:
    """A row a series and detector, with the same figures."""
    identity = [{"set": j.group, "series": j.name, "detector": j.detector} for j in judged]
    return pd.DataFrame([_figures([j]) | who for j, who in zip(judged, identity, strict=True)])


def _figures(many: Sequence[Judged]) -> dict[str, object]:
    """What a row of a table tells."""
    delays = [(rows, rows * j.step) for j in many for rows in j.at_line.delays]
    rows_judged = sum(len(j.labels) - j.train_rows for j in many)
    explained = [j.explained for j in many if j.explained is not None and j.explained.events]
    corpus = [(j.labels, j.scores) for j in many]
    figures: dict[str, object] = {
        "series": len(many),
        "events": sum(j.at_line.events for j in many),
        "AUC-PR": _mean([j.auc_pr for j in many]),
        "VUS-PR": _mean([j.vus_pr for j in many]),
        "best F1": _mean([j.best.f1 for j in many]),
        "F1": _mean([j.at_line.f1 for j in many]),
        "precision": _mean([j.at_line.precision for j in many if j.at_line.events]),
        "recall": _mean([j.at_line.recall for j in many]),
        "false alarms a day": _mean([j.false_alarms_per_day for j in many]),
        "delay [rows]": float(np.median([d[0] for d in delays])) if delays else math.nan,
        "delay [s]": float(np.median([d[1] for d in delays])) if delays else math.nan,
        "NAB": nab_score(corpus),
        "NAB at line": nab_score(corpus, line=ALARM_LINE),
        "hit@100%": _mean([e.hit_rate_100 for e in explained]),
        "hit@150%": _mean([e.hit_rate_150 for e in explained]),
        "NDCG": _mean([e.ndcg for e in explained]),
        "ms a day": 1440e3 * sum(j.seconds for j in many) / max(rows_judged, 1),
    }
    ahead = [j for j in many if j.looks_ahead_at is not None]
    return figures | ({"looks ahead": f"{ahead[0].name}, row {ahead[0].looks_ahead_at}"} if ahead else {})


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return float(np.mean(known)) if known else math.nan
