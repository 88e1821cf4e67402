"""How good a detector is, judged causally: on labelled files, on the demo's faults, on what users said.

>>> import numpy as np, pandas as pd
>>> frame = pd.DataFrame({"x": np.r_[np.sin(np.arange(600) / 9), [9, 9, 9]]})
>>> frame.index = pd.date_range("2026-01-01", periods=603, freq="60s", tz="UTC")
>>> alarms = score_stream(frame, train_rows=500) >= 1
>>> np.flatnonzero(alarms).tolist()
[600, 601, 602]
"""

from __future__ import annotations

from observatory.evaluation.benchmark import BenchmarkResult, benchmark, series_table, summary
from observatory.evaluation.cases import case_table
from observatory.evaluation.demo import demo_series
from observatory.evaluation.episodes import EventScores, evaluate_demo, event_scores
from observatory.evaluation.feedback import evaluate_feedback
from observatory.evaluation.folder import labelled_folder
from observatory.evaluation.injected import evaluate_single
from observatory.evaluation.series import LabelledSeries
from observatory.evaluation.stream import first_look_ahead, score_stream

__all__ = [
    "BenchmarkResult",
    "EventScores",
    "Judged",
    "LabelledSeries",
    "benchmark",
    "case_table",
    "demo_series",
    "evaluate_demo",
    "evaluate_feedback",
    "evaluate_single",
    "event_scores",
    "first_look_ahead",
    "judge",
    "labelled_folder",
    "score_stream",
    "series_table",
    "summary",
]

Judged, judge = BenchmarkResult, benchmark
"""Earlier names, for the notebooks of users."""
