"""What the small multiples show: plain functions from a service's history to arrays in display units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from observatory.analysis.history import ServiceHistory
from observatory.annotations import occurrences
from observatory.catalog import METRICS, FloatArray, Metric
from observatory.model import Anomaly
from observatory.views.charts.flags import flags
from observatory.views.components.theme import SEVERITY_COLOUR, Palette

GAP_STEPS = 2.5
USUAL = ("request_rate", "error_rate", "latency_p95")
"""What is drawn where nothing is unusual."""
MOST = 4
SPAN = ("left", "right", "colour", "alpha")
"""Columns of `Chart.spans`."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How a metric is drawn: values × `factor`, in `unit`."""

    factor: float
    unit: str


def scale(metric: Metric, highest: float) -> Scale:
    """The unit people read `metric` in when its largest value is `highest` [base unit]."""
    if metric.unit == "s":
        return Scale(1.0, "s") if highest >= 10 else Scale(1e3, "ms")
    if metric.unit == "ratio":
        return Scale(100.0, "%")
    if metric.unit == "bytes":
        return Scale(1e-9, "GB") if highest >= 5e9 else Scale(1e-6, "MB")
    return Scale(1.0, metric.unit)


@dataclass(frozen=True, slots=True)
class Chart:
    """What one small multiple shows, in display units.

    `columns` are those of its source: ``time`` [UTC], ``actual``, ``least`` and ``most`` (the extremes where
    samples are summarised), ``typical``, ``lower`` and ``upper``; all of shape ``(n,)``, missing is NaN.
    `alarm` is the colour of an open anomaly of this metric, `flags` are the changes of the service.
    """

    metric: Metric
    scale: Scale
    columns: Mapping[str, NDArray[Any]]
    top: float
    alarm: str | None
    spans: Mapping[str, Sequence[Any]]
    flags: Mapping[str, Sequence[Any]]

    @property
    def title(self) -> str:
        """Label, and the newest value beside what is typical for it."""
        actual = self.columns["actual"]
        known = np.flatnonzero(np.isfinite(actual))
        if not len(known):
            return f"{self.metric.label}: no samples"
        now, typical = actual[known[-1]], self.columns["typical"][known[-1]]
        shown = self.metric.show(now / self.scale.factor)
        if not np.isfinite(typical):
            return f"{self.metric.label}   {shown}"
        return f"{self.metric.label}   {shown}  (typical {self.metric.show(typical / self.scale.factor)})"


def charts(history: ServiceHistory, metrics: Iterable[Metric], colours: Palette) -> list[Chart]:
    """What to draw of each metric from the history of a service."""
    index = pd.DatetimeIndex(history.samples.index)
    places, index = with_gaps(index, history.step)
    time = index.tz_convert(None).to_numpy() if len(index) else np.array([], dtype="datetime64[ns]")

    def column(frame: pd.DataFrame | None, name: str) -> FloatArray:
        values = np.full(len(index), np.nan)
        if frame is not None and name in frame:
            values[places] = frame[name].to_numpy(dtype=float)
        return values

    expected = history.expected
    sources: dict[str, tuple[pd.DataFrame | None, str]] = {
        "actual": (history.samples, ""),
        "least": (history.samples, "__min"),
        "most": (history.samples, "__max"),
        "typical": (expected.typical if expected else None, ""),
        "lower": (expected.lower if expected else None, ""),
        "upper": (expected.upper if expected else None, ""),
    }
    made = []
    for metric in metrics:
        columns = {key: column(frame, metric.name + suffix) for key, (frame, suffix) in sources.items()}
        highest, band = _highest(columns["actual"], columns["most"]), _highest(columns["upper"])
        to = scale(metric, highest or band)
        top = max(highest * 1.12, min(band * 1.15, highest * 2) or band * 1.3, metric.min_absolute) * to.factor
        shown = {"time": time, **{key: values * to.factor for key, values in columns.items()}}
        alarm = _alarm(history.anomalies, metric.name, colours)
        marked = quiet_spans(history, metric.name, colours)
        for name, values in spans(history.anomalies, history.step, metric.name, colours).items():
            marked[name] += values
        made.append(Chart(metric, to, shown, top, alarm, marked, flags(history.changes)))
    return made


def telling(history: ServiceHistory) -> list[str]:
    """Metrics worth a plot: those of the worst anomaly, or the usual ones."""
    worst = max(history.anomalies, key=lambda anomaly: anomaly.score, default=None)
    return [name for name in (worst.metrics if worst else USUAL) if name in METRICS][:MOST]


def spans(anomalies: Sequence[Anomaly], step: float, metric: str, colours: Palette) -> dict[str, list[Any]]:
    """Times in which a service was anomalous; strong where `metric` was part of it."""
    half = pd.Timedelta(seconds=step / 2)
    data: dict[str, list[Any]] = {"left": [], "right": [], "colour": [], "alpha": []}
    for anomaly in sorted(anomalies, key=lambda a: -a.severity.rank):
        data["left"].append(naive(anomaly.started_at) - half)
        data["right"].append(naive(anomaly.ended_at) + half)
        data["colour"].append(colours[SEVERITY_COLOUR[anomaly.severity]])
        data["alpha"].append(0.30 if metric in anomaly.metrics else 0.09)
    return data


def quiet_spans(history: ServiceHistory, metric: str, colours: Palette) -> dict[str, list[Any]]:
    """Times in which a service was silenced, or `metric` of it."""
    data: dict[str, list[Any]] = {"left": [], "right": [], "colour": [], "alpha": []}
    for silence in history.silences:
        if silence.metrics and metric not in silence.metrics:
            continue
        for start, end in occurrences.spans(silence, history.start, history.end):
            data["left"].append(naive(start))
            data["right"].append(naive(end))
            data["colour"].append(colours["soft"])
            data["alpha"].append(0.12 if silence.judges else 0.22)
    return data


def with_gaps(index: pd.DatetimeIndex, step: float) -> tuple[NDArray[Any], pd.DatetimeIndex]:
    """`index` with a time more wherever samples are missing for long, so that lines break there.

    Returns where the times of `index` went, shape (n,), and the longer index.
    """
    late = np.diff(index) > pd.Timedelta(seconds=GAP_STEPS * step)
    places = np.arange(len(index)) + np.concatenate([[0], np.cumsum(late)])[: len(index)]
    holes = index[:-1][late] + pd.Timedelta(seconds=step)
    return places, pd.DatetimeIndex(index.append(holes).sort_values())


def _alarm(anomalies: Sequence[Anomaly], metric: str, colours: Palette) -> str | None:
    found = [a.severity for a in anomalies if a.is_open and metric in a.metrics]
    return colours[SEVERITY_COLOUR[min(found, key=lambda severity: severity.rank)]] if found else None


def _highest(*columns: FloatArray) -> float:
    values = np.concatenate(columns)
    values = values[np.isfinite(values)]
    return float(values.max()) if len(values) else 0.0


def milliseconds(time: datetime) -> float:
    """What Bokeh's ranges count in."""
    return time.timestamp() * 1000


def naive(time: datetime) -> pd.Timestamp:
    """Bokeh draws times without a zone as they are: UTC here."""
    return pd.Timestamp(time).tz_convert(None)
