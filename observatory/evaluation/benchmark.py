"""Run detectors on labelled series, in parallel, and put the figures of a set into one row."""

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
from observatory.evaluation.explanation import Explained, evaluate_explanations
from observatory.evaluation.nab import nab_score
from observatory.evaluation.ranking import PERIOD, average_precision, period, vus_pr
from observatory.evaluation.series import LabelledSeries
from observatory.evaluation.stream import explain_stream, first_look_ahead, score_stream
from observatory.model import Failure, Progress, no_progress

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class BenchmarkResult:
    """One detector on one series.

    Attributes
    ----------
    scores, labels
        Of all rows of the series, shape (n,); scores are NaN in the first `train_rows`, which are not scored.
    auc_pr, vus_pr
        Rank of anomalous rows, see `observatory.evaluation.ranking`; NaN without events.
    at_line, best
        Events at the alarm line of 1.0, and at the line that is best in hindsight, which is `best_line`.
    days
        Scored time outside of events [days].
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


def benchmark(
    series: Sequence[LabelledSeries],
    detectors: Sequence[str] | None = None,
    jobs: int = 1,
    progress: Progress = no_progress,
    *,
    look_ahead: bool = False,
) -> tuple[list[BenchmarkResult], list[Failure]]:
    """Run detectors on series; one that fails on a series is a failure, and the others go on.

    Parameters
    ----------
    series
        What to run them on.
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
    found: dict[int, BenchmarkResult] = {}
    failures: list[Failure] = []
    done = dict.fromkeys(names, 0)
    for number, outcome in outcomes(benchmark_one, [(one, name, look_ahead) for name, one in work], jobs):
        name, one = work[number]
        done[name] += 1
        progress(done[name], len(series), name, one.name)
        if isinstance(outcome, BenchmarkResult):
            found[number] = outcome
        else:
            failures.append(Failure(f"{name} on {one.group}/{one.name}", f"{type(outcome).__name__}: {outcome}"))
    return [found[number] for number in sorted(found)], failures


def chosen_detectors(names: Sequence[str] | None) -> list[str]:
    """`names`, or all that are registered; raises UnknownPluginError."""
    for name in names or ():
        DETECTORS.get(name)
    return list(names) if names else list(DETECTORS)


def benchmark_one(series: LabelledSeries, detector: str, look_ahead: bool = False) -> BenchmarkResult:
    """Run one detector on one series."""
    began = time.process_time()
    shares: pd.DataFrame | None = None
    if series.causes:
        scores, shares = explain_stream(series.frame, series.train_rows, detector)
    else:
        scores = score_stream(series.frame, series.train_rows, detector)
    seconds = time.process_time() - began
    scored = slice(series.train_rows, None)
    labels, tested = series.labels[scored], scores[scored]
    line, best = best_line(labels, tested)
    ahead = first_look_ahead(series.frame, series.train_rows, detector, scores=scores) if look_ahead else None
    return BenchmarkResult(
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
        None if shares is None else evaluate_explanations(shares.iloc[scored], tested, series.causes),
        ahead,
    )


def window_of(series: LabelledSeries) -> int:
    """Window for VUS-PR: the period of the first metric, gaps filled with what was known last."""
    first = series.frame.iloc[:, 0].ffill().fillna(0.0).to_numpy()
    return min(period(first), PERIOD)


def summary(results: Sequence[BenchmarkResult]) -> pd.DataFrame:
    """A row a set and detector.

    Rates and areas are means over series, of those with events where they need one; delay is the median over all
    events found; ``NAB`` is the score at the corpus's best line, ``NAB at line`` that at the alarm line;
    ``ms a day`` is what scoring 1,440 rows took.
    """
    groups: dict[tuple[str, str], list[BenchmarkResult]] = {}
    for one in results:
        groups.setdefault((one.group, one.detector), []).append(one)
    rows = [{"set": group, "detector": detector} | _figures(many) for (group, detector), many in groups.items()]
    return pd.DataFrame(rows).sort_values("set", kind="stable", ignore_index=True)


def series_table(results: Sequence[BenchmarkResult]) -> pd.DataFrame:
    """A row a series and detector, with the same figures."""
    identity = [{"set": one.group, "series": one.name, "detector": one.detector} for one in results]
    return pd.DataFrame([_figures([one]) | who for one, who in zip(results, identity, strict=True)])


def _figures(many: Sequence[BenchmarkResult]) -> dict[str, object]:
    """The figures of one row of a table."""
    delays = [(rows, rows * one.step) for one in many for rows in one.at_line.delays]
    rows_scored = sum(len(one.labels) - one.train_rows for one in many)
    explained = [one.explained for one in many if one.explained is not None and one.explained.events]
    corpus = [(one.labels, one.scores) for one in many]
    figures: dict[str, object] = {
        "series": len(many),
        "events": sum(one.at_line.events for one in many),
        "AUC-PR": _mean([one.auc_pr for one in many]),
        "VUS-PR": _mean([one.vus_pr for one in many]),
        "best F1": _mean([one.best.f1 for one in many]),
        "F1": _mean([one.at_line.f1 for one in many]),
        "precision": _mean([one.at_line.precision for one in many if one.at_line.events]),
        "recall": _mean([one.at_line.recall for one in many]),
        "false alarms a day": _mean([one.false_alarms_per_day for one in many]),
        "delay [rows]": float(np.median([d[0] for d in delays])) if delays else math.nan,
        "delay [s]": float(np.median([d[1] for d in delays])) if delays else math.nan,
        "NAB": nab_score(corpus),
        "NAB at line": nab_score(corpus, line=ALARM_LINE),
        "hit@100%": _mean([e.hit_rate_100 for e in explained]),
        "hit@150%": _mean([e.hit_rate_150 for e in explained]),
        "NDCG": _mean([e.ndcg for e in explained]),
        "ms a day": 1440e3 * sum(one.seconds for one in many) / max(rows_scored, 1),
    }
    ahead = [one for one in many if one.looks_ahead_at is not None]
    return figures | ({"looks ahead": f"{ahead[0].name}, row {ahead[0].looks_ahead_at}"} if ahead else {})


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return float(np.mean(known)) if known else math.nan
