"""The Bokeh figures of the small multiples, and the look that all figures share.

A figure is built once a session. After that only the data of its sources change, which costs some
milliseconds where building it again costs hundreds.
"""

from __future__ import annotations

import numpy as np
from bokeh.models import (
    BoxZoomTool,
    ColumnDataSource,
    CrosshairTool,
    DatetimeTickFormatter,
    HoverTool,
    Line,
    NoOverlap,
    NumeralTickFormatter,
    Range1d,
    Span,
    VArea,
    VStrip,
)
from bokeh.plotting import figure

from observatory.catalog import Metric
from observatory.views.charts.charts import Chart, Scale
from observatory.views.charts.flag_glyphs import Flags
from observatory.views.charts.flags import FLAGS_AT
from observatory.views.components.theme import FONT, Palette

CHART_HEIGHT = 210
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
            mode="vline",
            attachment="horizontal",
            point_policy="snap_to_data",
            show_arrow=False,
            formatters={"@time": "datetime"},
        )
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
            min_border_right=22,
            title=metric.label,
            styles={
                "background": "var(--surface)",
                "border": "1px solid var(--line)",
                "border-radius": "12px",
                "overflow": "hidden",
            },
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
        self.flags = Flags(plot)
        plot.title.update(offset=-42, standoff=16)
        plot.yaxis.ticker.desired_num_ticks = 4
        plot.xaxis.ticker.desired_num_ticks = 4
        plot.xaxis.formatter = TIME_FORMAT.clone()
        plot.yaxis.formatter = NumeralTickFormatter(format="0,0.[000]")
        dress(plot, colours)
        self.restyle(colours)

    def show(self, chart: Chart) -> None:
        """Draw another service, another range or newer samples."""
        self.source.data = dict(chart.columns)
        self.spans.data = {key: list(values) for key, values in chart.spans.items()}
        self.flags.show(chart.flags, FLAGS_AT * chart.top)
        self.figure.y_range.end = chart.top
        self.figure.y_range.start = -0.03 * chart.top  # a line at zero stays visible
        self.figure.title.text = chart.title
        self.figure.title.text_color = chart.alarm or self._ink
        summarised = bool(np.isfinite(chart.columns["least"]).any())
        text = tooltip(self.metric, chart.scale, chart.top, summarised)
        if text != self.hover.tooltips:
            self.hover.tooltips = text

    def restyle(self, colours: Palette) -> None:
        """Take the colours of the dark or the light page."""
        dress(self.figure, colours)
        self._ink = colours["ink"]
        self.band.fill_color = colours["healthy"]
        self.envelope.fill_color = colours["accent"]
        self.typical.line_color = colours["healthy"]
        self.actual.line_color = colours["accent"]
        self.flags.restyle(colours)


def tooltip(metric: Metric, to: Scale, top: float, summarised: bool) -> str:
    """What is said about the point under the pointer; Bokeh escapes what it puts in for ``@columns``."""
    digits = "0,0.[0]" if top >= 100 else "0,0.[00]" if top >= 10 else "0,0.[000]"
    rows = [(metric.label, f"@actual{{{digits}}}"), ("typical", f"@typical{{{digits}}}")]
    rows += [("expected", f"@lower{{{digits}}} – @upper{{{digits}}}")]
    rows += [("lowest – highest", f"@least{{{digits}}} – @most{{{digits}}}")] if summarised else []
    cells = "".join(
        f'<span style="opacity:.75">{name}</span><span style="text-align:right">{value} {to.unit}</span>'
        for name, value in rows
    )
    return (
        f'<div style="font:13px/1.5 {FONT}"><b>@time{{%b %e, %H:%M:%S}} UTC</b>'
        f'<div style="display:grid;grid-template-columns:auto auto;gap:0 14px">{cells}</div></div>'
    )


def dress(plot: figure, colours: Palette) -> None:
    """Colours, fonts and hairlines common to all figures."""
    plot.background_fill_color = plot.border_fill_color = plot.border_line_color = plot.outline_line_color = None
    plot.grid.grid_line_color = colours["line"]
    plot.grid.grid_line_alpha = 0.75
    plot.axis.axis_line_color = colours["line"]
    plot.axis.major_tick_line_color = None
    plot.axis.minor_tick_line_color = None
    plot.axis.major_label_text_color = colours["faint"]
    plot.axis.major_label_text_font = FONT
    plot.axis.major_label_text_font_size = "12px"
    plot.xaxis.major_label_policy = NoOverlap(min_distance=8)
    plot.title.text_color = colours["ink"]
    plot.title.text_font = FONT
    plot.title.text_font_size = "13px"
    plot.title.text_font_style = "bold"
    plot.xgrid.grid_line_color = None
