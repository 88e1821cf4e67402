"""Plots for notebooks: HoloViews to explore, and stills for reports, from the same arrays as the dashboard's charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import panel as pn
from bokeh.models import HoverTool

from observatory.analysis.history import ServiceHistory
from observatory.catalog import METRICS
from observatory.views.charts.charts import Chart, charts
from observatory.views.components.theme import palette
from observatory.views.notebook.live import load_plots

USUAL = ("request_rate", "error_rate", "latency_p95")
"""What is drawn where nothing is unusual."""
MOST = 4
WIDTH, HEIGHT = 900, 200


def telling(history: ServiceHistory) -> list[str]:
    """Metrics worth a plot: those of the worst anomaly, or the usual ones."""
    worst = max(history.anomalies, key=lambda anomaly: anomaly.score, default=None)
    return [name for name in (worst.metrics if worst else USUAL) if name in METRICS][:MOST]


def plot(history: ServiceHistory, metrics: Sequence[str] | None = None) -> Any:
    """HoloViews plots, a row a metric, zoomed together: samples, the band that was expected, anomalies.

    Returns
    -------
    A Panel pane whose ``object`` is the HoloViews layout.
    """
    load_plots()
    import holoviews as hv

    drawn = charts(history, [METRICS[name] for name in metrics or telling(history)], palette(dark=False))
    return pn.pane.HoloViews(hv.Layout([_overlay(chart, hv) for chart in drawn]).cols(1))


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


SPAN = ("left", "right", "colour", "alpha")


def still(history: ServiceHistory, metrics: Sequence[str] | None = None) -> Any:
    """The same as a picture (SVG) for reports, which needs no script to be seen."""
    import io

    import matplotlib as mpl
    from IPython.display import SVG
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure

    colours = palette(dark=False)
    drawn = charts(history, [METRICS[name] for name in metrics or telling(history)], colours)
    figure = Figure(figsize=(9.5, 1.9 * len(drawn)), layout="constrained")
    FigureCanvasSVG(figure)
    for axes, chart in zip(np.atleast_1d(figure.subplots(len(drawn), sharex=True)), drawn, strict=True):
        columns = chart.columns
        time, green = columns["time"], colours["healthy"]
        axes.fill_between(time, columns["lower"], columns["upper"], color=green, alpha=0.16, lw=0)
        for left, right, colour, alpha in zip(*(chart.spans[key] for key in SPAN), strict=True):
            axes.axvspan(left, right, color=colour, alpha=alpha, lw=0)
        axes.plot(time, columns["typical"], color=green, lw=0.8, ls="--")
        axes.plot(time, columns["actual"], color=colours["accent"], lw=1.2)
        axes.set_ylim(0, chart.top)
        axes.set_title(chart.title, loc="left", fontsize=9, color=colours["ink"])
        axes.set_ylabel(chart.scale.unit, fontsize=8)
        axes.tick_params(labelsize=8, colors=colours["soft"])
        axes.spines[["top", "right"]].set_visible(False)
        locator = AutoDateLocator()
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    page = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "observatory", "svg.fonttype": "none"}):
        figure.savefig(page, format="svg", metadata={"Date": None})
    return SVG(page.getvalue())
