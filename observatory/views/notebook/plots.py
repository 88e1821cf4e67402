"""Plots for notebooks, to explore with: HoloViews, from the same arrays as the dashboard's charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import panel as pn
from bokeh.models import HoverTool

from observatory.analysis.history import ServiceHistory
from observatory.catalog import METRICS
from observatory.views.charts.charts import SPAN, Chart, charts, telling
from observatory.views.charts.flags import DASHES, FLAG_SIZE, FLAGS_AT, TOOLTIP
from observatory.views.components.theme import palette
from observatory.views.notebook.live import load_plots
from observatory.views.notebook.stills import still_html

WIDTH, HEIGHT = 900, 200


def plot(history: ServiceHistory, metrics: Sequence[str] | None = None) -> Any:
    """HoloViews plots, a row a metric, zoomed together: samples, the band that was expected, anomalies, changes.

    Returns
    -------
    A Panel pane whose ``object`` is the HoloViews layout, with a `still` for reports.
    """
    load_plots()
    import holoviews as hv

    drawn = charts(history, [METRICS[name] for name in metrics or telling(history)], palette(dark=False))
    pane = pn.pane.HoloViews(hv.Layout([_overlay(chart, hv) for chart in drawn]).cols(1))
    pane.still = lambda: still_html(history, metrics)
    return pane


def _overlay(chart: Chart, hv: Any) -> Any:
    colours = palette(dark=False)
    columns = chart.columns
    value = hv.Dimension(chart.metric.name, label=chart.metric.label, unit=chart.scale.unit or None)
    time = hv.Dimension("time", label="UTC")
    band = hv.Area((columns["time"], columns["lower"], columns["upper"]), time, [value, "upper"])
    hover = HoverTool(
        tooltips=[("UTC", "@time{%b %e, %H:%M}"), (chart.metric.label, f"@{chart.metric.name}{{0,0.[000]}}")],
        formatters={"@time": "datetime"},
        mode="vline",
    )
    flags = {name: list(chart.flags[name]) for name in ("time", "title", "text", "told")}
    flags["top"] = [FLAGS_AT * chart.top] * len(flags["time"])
    flag_hover = HoverTool(tooltips=TOOLTIP, attachment="vertical", show_arrow=False)
    overlay = hv.Overlay(
        [
            band.opts(color=colours["healthy"], alpha=0.16, line_alpha=0),
            *[
                hv.VSpan(left, right).opts(color=colour, alpha=alpha)
                for left, right, colour, alpha in zip(*(chart.spans[key] for key in SPAN), strict=True)
            ],
            hv.Curve((columns["time"], columns["typical"]), time, value).opts(
                color=colours["healthy"], line_dash="dashed", line_width=1
            ),
            hv.Curve((columns["time"], columns["actual"]), time, value).opts(
                color=colours["accent"], line_width=1.5, tools=[hover]
            ),
            *[hv.VLine(at).opts(color=colours["soft"], line_width=1, line_dash=DASHES) for at in flags["time"]],
            hv.Points(flags, [time, hv.Dimension("top", label=chart.metric.label)], ["title", "text", "told"]).opts(
                marker="inverted_triangle", size=FLAG_SIZE, color=colours["soft"], tools=[flag_hover]
            ),
        ]
    )
    return overlay.opts(
        width=WIDTH,
        height=HEIGHT,
        title=chart.title,
        xlabel="",
        ylim=(0, chart.top),
        show_legend=False,
        active_tools=["box_zoom"],
        fontsize={"title": 10},
    )
