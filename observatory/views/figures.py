"""Figures as plain functions of data: what a chart shows, and the Bokeh figure that shows it.

A figure is built once a session. After that only the data of its sources change, which costs some
milliseconds where building it again costs hundreds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from bokeh.models import (
    BoxZoomTool,
    ColumnDataSource,
    CrosshairTool,
    DatetimeTickFormatter,
    HoverTool,
    Line,
    NumeralTickFormatter,
    Range1d,
    Span,
    VArea,
    VStrip,
)
from bokeh.plotting import figure
from numpy.typing import NDArray

from observatory.catalog import FloatArray, Metric
from observatory.history import ServiceHistory
from observatory.model import Anomaly
from observatory.views.theme import SEVERITY_COLOUR, Palette

FONT = "system-ui, sans-serif"
CHART_HEIGHT = 228
GAP_STEPS = 2.5
TIME_FORMAT = DatetimeTickFormatter(
    seconds="%H:%M:%S",
    minsec="%H:%M:%S",
    minutes="%H:%M",
    hourmin="%H:%M",
    hours="%H:%M",
    days="%b %-d",
    months="%b %Y",
    context=None,
)


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
    """

    metric: Metric
    scale: Scale
    columns: Mapping[str, NDArray[Any]]
    top: float
    spans: Mapping[str, Sequence[Any]]

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
        usual = self.metric.show(typical / self.scale.factor).removesuffix(f" {shown.partition(' ')[2]}")
        return f"{self.metric.label}   {shown}, typical {usual}"


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
    sources = {
        "actual": (history.samples, ""),
        "least": (history.samples, "__min"),
        "most": (history.samples, "__max"),
        "typical": (expected and expected.typical, ""),
        "lower": (expected and expected.lower, ""),
        "upper": (expected and expected.upper, ""),
    }
    made = []
    for metric in metrics:
        columns = {key: column(frame, metric.name + suffix) for key, (frame, suffix) in sources.items()}
        highest, band = _highest(columns["actual"], columns["most"]), _highest(columns["upper"])
        to = scale(metric, highest or band)
        top = max(highest * 1.12, min(band * 1.15, highest * 2) or band * 1.3, metric.min_absolute) * to.factor
        shown = {"time": time, **{key: values * to.factor for key, values in columns.items()}}
        made.append(Chart(metric, to, shown, top, spans(history.anomalies, history.step, metric.name, colours)))
    return made


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


def with_gaps(index: pd.DatetimeIndex, step: float) -> tuple[NDArray[np.intp], pd.DatetimeIndex]:
    """`index` with a time more wherever samples are missing for long, so that lines break there.

    Returns where the times of `index` went, shape (n,), and the longer index.
    """
    late = np.diff(index) > pd.Timedelta(seconds=GAP_STEPS * step)
    places = np.arange(len(index)) + np.concatenate([[0], np.cumsum(late)])[: len(index)]
    holes = index[:-1][late] + pd.Timedelta(seconds=step)
    return places.astype(np.intp), index.append(holes).sort_values()


class MetricFigure:
    """One small multiple: a Bokeh figure and the sources behind it.

    Parameters
    ----------
    metric
        Whose values it shows.
    time
        Range of the time axis, shared by all of them.
    crosshair
        Vertical line under the pointer, shared as well.
    colours
        What it is drawn with, see `restyle`.
    """

    def __init__(self, metric: Metric, time: Range1d, crosshair: Span, colours: Palette) -> None:
        self.metric = metric
        self.source = ColumnDataSource(
            {k: [] for k in ("time", "actual", "least", "most", "typical", "lower", "upper")}
        )
        self.spans = ColumnDataSource({k: [] for k in ("left", "right", "colour", "alpha")})
        self.hover = HoverTool(
            mode="vline", attachment="horizontal", point_policy="snap_to_data", formatters={"@time": "datetime"}
        )
        self._hovered: tuple[Scale, bool] | None = None
        zoom = BoxZoomTool(dimensions="width")
        plot = self.figure = figure(
            height=CHART_HEIGHT,
            sizing_mode="stretch_width",
            x_axis_type="datetime",
            x_range=time,
            y_range=Range1d(0, 1),
            tools=[self.hover, zoom, CrosshairTool(overlay=crosshair)],
            active_drag=zoom,
            toolbar_location=None,
            min_border_left=54,
            min_border_right=14,
            title=metric.label,
            styles={"border": "1px solid var(--line)", "border-radius": "12px", "overflow": "hidden"},
            name=f"chart-{metric.name}",
        )
        strip = VStrip(x0="left", x1="right", fill_color="colour", fill_alpha="alpha", line_color=None)
        self.band = VArea(x="time", y1="lower", y2="upper", fill_alpha=0.16)
        self.envelope = VArea(x="time", y1="least", y2="most", fill_alpha=0.30)
        self.typical = Line(x="time", y="typical", line_dash=[5, 4], line_width=1.2)
        self.actual = Line(x="time", y="actual", line_width=1.6)
        plot.add_glyph(self.spans, strip)
        for glyph in (self.band, self.envelope, self.typical):
            plot.add_glyph(self.source, glyph)
        self.hover.renderers = [plot.add_glyph(self.source, self.actual)]
        plot.title.offset = -42
        plot.yaxis.ticker.desired_num_ticks = 4
        plot.xaxis.ticker.desired_num_ticks = 6
        plot.xaxis.formatter = TIME_FORMAT.clone()
        plot.yaxis.formatter = NumeralTickFormatter(format="0,0.[000]")
        dress(plot, colours)
        self.restyle(colours)

    def show(self, chart: Chart) -> None:
        """Draw another service, another range or newer samples."""
        self.source.data = dict(chart.columns)
        self.spans.data = {key: list(values) for key, values in chart.spans.items()}
        self.figure.y_range.end = chart.top
        self.figure.title.text = chart.title
        summarised = bool(np.isfinite(chart.columns["least"]).any())
        if (chart.scale, summarised) != self._hovered:
            self._hovered = chart.scale, summarised
            self.hover.tooltips = _tooltips(self.metric, chart.scale, summarised)

    def restyle(self, colours: Palette) -> None:
        """Take the colours of the dark or the light page."""
        dress(self.figure, colours)
        self.band.fill_color = colours["healthy"]
        self.envelope.fill_color = colours["accent"]
        self.typical.line_color = colours["healthy"]
        self.actual.line_color = colours["accent"]


def _tooltips(metric: Metric, to: Scale, summarised: bool) -> list[tuple[str, str]]:
    unit = f" {to.unit}" if to.unit else ""
    lines = [
        ("time", "@time{%b %e, %H:%M:%S} UTC"),
        (metric.label, f"@actual{{0,0.[000]}}{unit}"),
        ("typical", f"@typical{{0,0.[000]}}{unit}"),
        ("expected", f"@lower{{0,0.[000]}} – @upper{{0,0.[000]}}{unit}"),
    ]
    return lines + ([("lowest – highest", f"@least{{0,0.[000]}} – @most{{0,0.[000]}}{unit}")] if summarised else [])


def dress(plot: figure, colours: Palette) -> None:
    """Colours, fonts and hairlines common to all figures."""
    plot.background_fill_color = plot.border_fill_color = colours["surface"]
    plot.outline_line_color = None
    plot.grid.grid_line_color = colours["line"]
    plot.grid.grid_line_alpha = 0.75
    plot.axis.axis_line_color = colours["line"]
    plot.axis.major_tick_line_color = None
    plot.axis.minor_tick_line_color = None
    plot.axis.major_label_text_color = colours["faint"]
    plot.axis.major_label_text_font = FONT
    plot.axis.major_label_text_font_size = "12px"
    plot.title.text_color = colours["ink"]
    plot.title.text_font = FONT
    plot.title.text_font_size = "13px"
    plot.title.text_font_style = "bold"
    plot.xgrid.grid_line_color = None


def _highest(*columns: FloatArray) -> float:
    values = np.concatenate(columns)
    values = values[np.isfinite(values)]
    return float(values.max()) if len(values) else 0.0


def naive(time: datetime) -> pd.Timestamp:
    """Bokeh draws times without a zone as they are: UTC here."""
    return pd.Timestamp(time).tz_convert(None)
