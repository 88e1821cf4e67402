"""Pictures for reports, from the same arrays as the dashboard's charts; they are drawn without loading Panel."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from IPython.display import SVG
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from observatory.analysis.history import ServiceHistory
from observatory.catalog import METRICS
from observatory.notebooks.scriptless import as_image
from observatory.views.charts.charts import SPAN, charts, telling
from observatory.views.charts.flags import FLAGS_AT
from observatory.views.components.theme import palette


def still(history: ServiceHistory, metrics: Sequence[str] | None = None) -> Any:
    """Plots of a service as a picture (SVG), a row a metric, which needs no script to be seen."""
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
        for at in chart.flags["time"]:
            axes.axvline(at, color=colours["soft"], lw=0.8, ls=(0, (4, 3)))
            axes.plot([at], [FLAGS_AT * chart.top], marker="v", color=colours["soft"], ms=4.5)
        axes.set_ylim(0, chart.top)
        axes.set_title(chart.title, loc="left", fontsize=9, color=colours["ink"])
        axes.set_ylabel(chart.scale.unit, fontsize=8)
        axes.tick_params(labelsize=8, colors=colours["soft"])
        axes.spines[["top", "right"]].set_visible(False)
        locator = AutoDateLocator()
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    return SVG(_svg(figure))


def still_html(history: ServiceHistory, metrics: Sequence[str] | None = None) -> str:
    """The same as HTML: the picture."""
    return as_image(still(history, metrics).data, f"metrics of {history.service.name}")


def _svg(figure: Figure) -> bytes:
    page = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "observatory", "svg.fonttype": "none"}):
        figure.savefig(page, format="svg", metadata={"Date": None})
    return page.getvalue()
