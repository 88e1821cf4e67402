"""Changes in Bokeh figures: a thin dashed line at the time of each, under a small flag that says what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bokeh.models import ColumnDataSource, HoverTool, Scatter, Segment, VSpan
from bokeh.plotting import figure

from observatory.views.charts.flags import COLUMNS, DASHES, FLAG_SIZE, TOOLTIP, flags
from observatory.views.components.theme import Palette


class Flags:
    """The changes in one figure: over its whole height, or in the row of their service.

    Parameters
    ----------
    plot
        The figure, to which glyphs and a hover tool are added.
    in_rows
        Whether the figure has a row a service.
    hover
        Whether a flag says what was done.
    """

    def __init__(self, plot: figure, *, in_rows: bool = False, hover: bool = True) -> None:
        self.source = ColumnDataSource(flags(()) | {"top": []})
        line = {"line_width": 1.2, "line_dash": DASHES}
        if in_rows:
            self.line: Any = Segment(x0="time", x1="time", y0="low", y1="high", **line)
            self.flag = Scatter(x="time", y="high", size=FLAG_SIZE, marker="inverted_triangle")
        else:
            self.line = VSpan(x="time", **line)
            self.flag = Scatter(x="time", y="top", size=FLAG_SIZE, marker="inverted_triangle")
        drawn = [plot.add_glyph(self.source, glyph) for glyph in (self.line, self.flag)]
        for renderer in drawn:  # a tap chooses an anomaly, and fades no flag
            renderer.nonselection_glyph = renderer.selection_glyph = None
        if hover:
            plot.add_tools(HoverTool(renderers=drawn, tooltips=TOOLTIP, attachment="vertical", show_arrow=False))

    def show(self, data: Mapping[str, Sequence[Any]], top: float = 1.0) -> None:
        """Draw other changes; `top` is where the flags are."""
        self.source.data = {name: list(data[name]) for name in COLUMNS} | {"top": [top] * len(data["time"])}

    def restyle(self, colours: Palette) -> None:
        """Take the colours of the dark or the light page."""
        self.line.line_color = self.flag.fill_color = colours["soft"]
        self.flag.line_color = colours["surface"]
