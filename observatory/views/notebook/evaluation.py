"""Figures of an evaluation: precision against recall, and a gallery of hits, misses and false alarms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn

from observatory.detection.threshold import DEFAULT
from observatory.evaluation import BenchmarkResult, LabelledSeries
from observatory.evaluation.ranking import filled, precision_recall
from observatory.views.notebook.live import load_plots

AROUND = 90
"""Rows shown before and after a case."""
METRICS = 3
POINTS = 500
HIGHEST = 20.0
"""Scores are drawn up to here."""
COLOURS = {"hit": "#2e9e5b", "miss": "#d64550", "false alarm": "#e08a00"}


def precision_recall_figure(results: Sequence[BenchmarkResult]) -> Any:
    """A curve a detector over the rows of all series, and a point where its alarm line is.

    Returns
    -------
    A Panel pane whose ``object`` is the HoloViews overlay; so it is with `gallery`.
    """
    load_plots()
    overlay = hv.Overlay()
    for detector in dict.fromkeys(one.detector for one in results):
        mine = [one for one in results if one.detector == detector]
        labels = np.concatenate([one.labels[one.train_rows :] for one in mine])
        scores = np.concatenate([filled(one.scores[one.train_rows :]) for one in mine])
        precision, recall = precision_recall(labels, scores)
        points = np.unique(np.linspace(0, max(len(recall) - 1, 0), POINTS).astype(int))[: len(recall)]
        curve = hv.Curve((recall[points], precision[points]), "recall", "precision", label=detector)
        alarms = DEFAULT.classify(scores)
        hits = float((alarms & labels).sum())
        at = [(hits / max(labels.sum(), 1), hits / max(alarms.sum(), 1))]
        overlay *= curve.opts(interpolation="steps-post") * hv.Points(at, ["recall", "precision"], label=detector)
    overlay = overlay.opts(
        hv.opts.Curve(width=620, height=340, xlim=(0, 1), ylim=(0, 1.02), title="Rows: precision and recall"),
        hv.opts.Points(size=9),
        hv.opts.Overlay(legend_position="right"),
    )
    return pn.pane.HoloViews(overlay)


def gallery(cases: pd.DataFrame, results: Sequence[BenchmarkResult], series: Sequence[LabelledSeries]) -> Any:
    """A row a case: its most unusual metrics on the left, the score against the alarm line on the right.

    `cases` are rows of `observatory.evaluation.cases.case_table`.
    """
    load_plots()
    frames = {(one.group, one.name): one for one in series}
    scores = {(one.group, one.name, one.detector): one.scores for one in results}
    plots = []
    for case in cases.to_dict("records"):
        one = frames[case["set"], case["series"]]
        score = scores[case["set"], case["series"], case["detector"]]
        plots += _case_figures(case, one, score)
    return pn.pane.HoloViews(hv.Layout(plots).opts(shared_axes=False).cols(2) if plots else hv.Div("no cases"))


def _case_figures(case: dict[Any, Any], one: LabelledSeries, score: np.ndarray) -> list[Any]:
    first, last = case["first row"], case["last row"]
    shown = slice(max(0, first - AROUND), last + AROUND + 1)
    times = pd.DatetimeIndex(one.frame.index[shown]).tz_localize(None)
    span = hv.VSpan(*(pd.Timestamp(case[end]).tz_localize(None) for end in ("start", "end")))
    span = span.opts(color=COLOURS[case["case"]], alpha=0.2)
    values = one.frame.iloc[shown][_unusual(one, first, last)]
    scaled = (values - values.min()) / (values.max() - values.min()).replace(0.0, 1.0)
    left = [hv.Curve((times, scaled[name]), "time", "share of range", label=str(name)) for name in scaled]
    right = [hv.Curve((times, np.clip(score[shown], 0.0, HIGHEST)), "time", "score")]
    line = hv.HLine(DEFAULT.line).opts(color="grey", line_dash="dashed")
    title = f"{case['case']}: {case['series']}, {case['detector']}"
    size = hv.opts.Curve(height=190)
    return [
        hv.Overlay([*left, span]).opts(size, hv.opts.Overlay(width=560, legend_position="right", title=title)),
        hv.Overlay([*right, line, span]).opts(size, hv.opts.Overlay(width=380, title="score and alarm line")),
    ]


def _unusual(one: LabelledSeries, first: int, last: int) -> list[Any]:
    """The metrics that differ most from the rows learned from, in their spreads."""
    learned = one.frame.iloc[: one.train_rows]
    middle = learned.median()
    spread = (learned - middle).abs().median().where(lambda width: width > 0, learned.std()).replace(0.0, np.nan)
    values = (one.frame.iloc[first : last + 1] - middle) / spread.fillna(1.0)
    return list(values.abs().mean().nlargest(METRICS).index)
