"""Who calls whom, for notebooks: the figure of the dashboard, and a picture for reports."""

from __future__ import annotations

from html import escape
from typing import Any

from observatory.analysis.call_graph import call_graph
from observatory.notebooks.scriptless import as_image
from observatory.runtime.reader import Reader
from observatory.views.charts.calls import SMALL, CallFigure, Drawing, drawing
from observatory.views.components.base import Figure
from observatory.views.components.theme import FONT, palette
from observatory.views.notebook.live import load_views

WIDTH = 960
MARGIN, ROOM = 60, 150
"""Left of the first layer, and right of the last, where names stand [pixels]."""


def graph(reader: Reader, service: str | None = None, hops: int = 1) -> Any:
    """A Panel pane whose ``object`` is the Bokeh figure, with a `still` for reports.

    Services are coloured by their health now, what is outside is a grey square, and the service asked for stands out.

    Raises
    ------
    UnknownServiceError, InvalidInputError
        There is no such service; `hops` cannot be.
    """
    found = call_graph(reader.store, service, hops)
    bands = {status.name: status.health.band for status in reader.overview().services}
    colours = palette(dark=False)
    content = drawing(found, bands, colours)
    load_views()
    made = CallFigure(colours, width=WIDTH)
    made.show(content)
    pane = Figure(made.figure)
    pane.still = lambda: still_html(content)
    return pane


def still_html(content: Drawing) -> str:
    """The same as HTML that needs no script: a picture."""
    colours = palette(dark=False)
    across = (WIDTH - MARGIN - ROOM) / max(1, content.layers - 1)

    def x(layer: float) -> float:
        return round(MARGIN + layer * across, 1)

    def y(row: float) -> float:
        return round(24 + row * content.row_height, 1)

    parts = []
    for xs, ys in zip(content.lines["xs"], content.lines["ys"], strict=True):
        points = " ".join(f"{x(a)},{y(b)}" for a, b in zip(xs, ys, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colours["faint"]}" stroke-opacity=".5"/>')
    names = ("x", "y", "size", "marker", "fill", "edge", "label", "weight", "arrow")
    for column, row, size, marker, fill, edge, label, weight, arrow in zip(
        *(content.nodes[name] for name in names), strict=True
    ):
        left, top, half = x(column), y(row), size / 2
        if arrow:
            tip = left - half
            parts.append(f'<path d="M{tip - 7},{top - 4}L{tip},{top}L{tip - 7},{top + 4}Z" fill="{colours["faint"]}"/>')
        drawn = f'fill="{fill}" stroke="{edge}" stroke-width="2"'
        if marker == "circle":
            parts.append(f'<circle cx="{left}" cy="{top}" r="{half}" {drawn}/>')
        else:
            parts.append(f'<rect x="{left - half}" y="{top - half}" width="{size}" height="{size}" {drawn}/>')
        dense = content.dense
        at = f'x="{left + half + 4}" y="{top + 4}"' if dense else f'x="{left}" y="{top + half + 13}"'
        anchor = "start" if dense else "middle"
        parts.append(f'<text {at} text-anchor="{anchor}" font-weight="{weight}">{escape(label)}</text>')
    height, size = content.height, 12 if content.row_height > SMALL else 10
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="{FONT}" font-size="{size}" fill="{colours["ink"]}">{"".join(parts)}</svg>'
    )
    return as_image(svg, "who calls whom")
