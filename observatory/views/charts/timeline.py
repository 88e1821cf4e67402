"""The radar's timeline: services × time, a bar for each anomaly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bokeh.models import BoxZoomTool, ColumnDataSource, FactorRange, HoverTool, Range1d, Scatter, Segment, TapTool
from bokeh.plotting import figure

from observatory.model import Anomaly, Change
from observatory.views.charts.charts import milliseconds, naive
from observatory.views.charts.figures import TIME_FORMAT, dress
from observatory.views.charts.flag_glyphs import Flags
from observatory.views.charts.flags import flags
from observatory.views.components.theme import SEVERITY_COLOUR, Palette
from observatory.views.components.words import lasting, when

ROW_HEIGHT, AXIS_HEIGHT = 30, 40
ROOM = 0.012  # of the range, right of now for the marks of open anomalies
DOT = 0.001  # of the range: a line without length is not drawn
LINE_WIDTH = {"critical": 13, "high": 11, "medium": 9, "low": 7}
"""Bars are thicker the worse they are, so that colour is not the only sign."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """What the radar's timeline shows: one row a service, the one with the newest anomaly on top."""

    services: tuple[str, ...]
    bars: Mapping[str, Sequence[Any]]
    start: datetime
    end: datetime
    marked: str = ""
    flags: Mapping[str, Sequence[Any]] = field(default_factory=lambda: flags(()))

    @property
    def height(self) -> int:
        return AXIS_HEIGHT + ROW_HEIGHT * max(2, len(self.services))


def timeline(
    anomalies: Sequence[Anomaly],
    start: datetime,
    end: datetime,
    now: datetime,
    colours: Palette,
    marked: str = "",
    changes: Sequence[Change] = (),
) -> Timeline:
    """Bars from start to end of each anomaly, cut to the range shown; `marked` is the key of the chosen one.

    Of `changes` those of services with an anomaly are flagged.
    """
    newest: dict[str, datetime] = {}
    for anomaly in anomalies:
        newest[anomaly.service_name] = max(anomaly.ended_at, newest.get(anomaly.service_name, anomaly.ended_at))
    services = sorted(newest, key=lambda name: (newest[name], name))
    columns = (
        "service",
        "left",
        "right",
        "colour",
        "width",
        "hole",
        "alpha",
        "open",
        "hollow",
        "key",
        "message",
        "severity",
        "time",
    )
    bars: dict[str, list[Any]] = {name: [] for name in columns}
    for anomaly in sorted(anomalies, key=lambda a: -a.severity.rank):
        since = max(anomaly.started_at, start)
        until = max(now if anomaly.is_open else anomaly.ended_at, since + (end - start) * DOT)
        key = anomaly_key(anomaly)
        row = (
            anomaly.service_name,
            naive(since),
            naive(until),
            colours[SEVERITY_COLOUR[anomaly.severity]],
            LINE_WIDTH[anomaly.severity],
            LINE_WIDTH[anomaly.severity] - 4,
            1.0 if not marked or key == marked else 0.35,
            (1.0 if not marked or key == marked else 0.35) if anomaly.is_open else 0.0,
            colours["surface"],
            key,
            anomaly.sentence,
            str(anomaly.severity),
            f"{when(anomaly.started_at, now)}, {lasting(anomaly, now)}",
        )
        for name, value in zip(columns, row, strict=True):
            bars[name].append(value)
    flagged = [change for change in changes if change.service_name in newest and start <= change.at <= end]
    return Timeline(tuple(services), bars, start, end, marked, flags(flagged))


class TimelineFigure:
    """The radar's timeline: services × time, a bar an anomaly, thicker and redder the worse it is."""

    def __init__(self, colours: Palette) -> None:
        self.source = ColumnDataSource(timeline((), _EPOCH, _EPOCH, _EPOCH, colours).bars)
        hover = HoverTool(tooltips=_TIMELINE_TOOLTIP, attachment="vertical", show_arrow=False)
        zoom = BoxZoomTool(dimensions="width")
        plot = self.figure = figure(
            height=AXIS_HEIGHT + ROW_HEIGHT,
            sizing_mode="stretch_width",
            x_axis_type="datetime",
            x_range=Range1d(0, 1),
            y_range=FactorRange(),
            tools=[hover, zoom, TapTool()],
            active_drag=zoom,
            toolbar_location=None,
            min_border_right=18,
            name="timeline",
        )
        bar = Segment(
            x0="left",
            x1="right",
            y0="service",
            y1="service",
            line_width="width",
            line_cap="round",
            line_color="colour",
            line_alpha="alpha",
        )
        still_open = Scatter(
            x="right",
            y="service",
            size="hole",
            line_color=None,
            fill_color="hollow",
            fill_alpha="open",
        )
        hover.renderers = [plot.add_glyph(self.source, bar, nonselection_glyph=None, selection_glyph=None)]
        plot.add_glyph(self.source, still_open, nonselection_glyph=None, selection_glyph=None)
        self.flags = Flags(plot, in_rows=True)
        plot.xaxis.formatter = TIME_FORMAT.clone()
        plot.xaxis.ticker.desired_num_ticks = 12
        self.restyle(colours)

    def show(self, content: Timeline) -> None:
        """Draw other anomalies or another range."""
        self.figure.y_range.factors = list(content.services)
        self.figure.height = content.height
        self.figure.x_range.update(
            start=milliseconds(content.start), end=milliseconds(content.end + (content.end - content.start) * ROOM)
        )
        self.source.data = {key: list(values) for key, values in content.bars.items()}
        self.flags.show(content.flags)
        self.source.selected.indices = [i for i, key in enumerate(content.bars["key"]) if key == content.marked]

    def restyle(self, colours: Palette) -> None:
        """Take the colours of the dark or the light page."""
        dress(self.figure, colours)
        self.flags.restyle(colours)
        self.figure.ygrid.grid_line_color = colours["line"]
        self.figure.yaxis.major_label_text_color = colours["ink"]
        self.figure.yaxis.major_label_text_font_size = "12.5px"


def anomaly_key(anomaly: Anomaly) -> str:
    """Tells an anomaly from all others."""
    return f"{anomaly.service_name} {anomaly.started_at.isoformat()} {anomaly.detector}"


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")

# Bokeh escapes what it puts in for @columns.
_TIMELINE_TOOLTIP = """<div style="max-width:420px;padding:2px 4px;font:13px/1.45 var(--font)">
<b style="text-transform:capitalize">@severity</b> · <b>@service</b><br>@message<br>
<span style="opacity:.75">@time</span></div>"""
