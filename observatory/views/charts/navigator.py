"""The strip over the charts: the whole range, and in it the part that the charts show, as a window to drag."""

from __future__ import annotations

import numpy as np
import pandas as pd
from bokeh.models import BoxAnnotation, ColumnDataSource, CustomJS, Range1d, RangeTool, VArea, VStrip
from bokeh.plotting import figure

from observatory.analysis.history import ServiceHistory
from observatory.views.charts.charts import milliseconds, spans
from observatory.views.charts.figures import TIME_FORMAT, dress
from observatory.views.charts.flag_glyphs import Flags
from observatory.views.charts.flags import flags
from observatory.views.components.theme import Palette

HEIGHT = 66
LEADING = ("request_rate", "cpu_usage", "memory_usage")
"""What the strip draws to be recognised by: the first of these that has samples."""

# A window over everything would take the drag that chooses a part, so it can be moved while there is a part.
_MOVES_WHERE_ZOOMED = "window.editable = window.left > whole.start + 1000 || window.right < whole.end - 1000"


class Navigator:
    """A Bokeh figure, built once: a drag chooses a part, dragging the window or an edge of it moves that.

    Parameters
    ----------
    time
        Range of the charts' time axis.
    colours
        What it is drawn with, see `restyle`.
    """

    def __init__(self, time: Range1d, colours: Palette) -> None:
        self.source = ColumnDataSource({"time": [], "value": []})
        self.spans = ColumnDataSource({k: [] for k in ("left", "right", "colour", "alpha")})
        self.window = BoxAnnotation(inverted=True, fill_alpha=0.62, line_width=1.5, line_alpha=1)
        plot = self.figure = figure(
            height=HEIGHT,
            sizing_mode="stretch_width",
            x_axis_type="datetime",
            x_range=Range1d(0, 1),
            y_range=Range1d(0, 1.08),
            tools=[RangeTool(x_range=time, overlay=self.window, start_gesture="pan")],
            toolbar_location=None,
            min_border_left=54,
            min_border_right=22,
            min_border_top=7,
            styles={
                "grid-column": "1 / -1",
                "background": "var(--surface)",
                "border": "1px solid var(--line)",
                "border-radius": "12px",
            },
            name="navigator",
        )
        fixed = CustomJS(args={"whole": plot.x_range, "window": self.window}, code=_MOVES_WHERE_ZOOMED)
        for model, sides in ((self.window, ("left", "right")), (plot.x_range, ("start", "end"))):
            for side in sides:
                model.js_on_change(side, fixed)
        self.area = VArea(x="time", y1=0, y2="value", fill_alpha=0.34)
        plot.add_glyph(self.source, self.area)
        strip = VStrip(
            x0="left", x1="right", fill_color="colour", fill_alpha="alpha", line_color="colour", line_width=2
        )
        plot.add_glyph(self.spans, strip)
        self.flags = Flags(plot, hover=False)
        plot.yaxis.visible = False
        plot.ygrid.visible = False
        plot.xaxis.ticker.desired_num_ticks = 14
        plot.xaxis.formatter = TIME_FORMAT.clone()
        self.restyle(colours)

    def show(self, history: ServiceHistory, colours: Palette) -> None:
        """Draw the whole range of a service."""
        name = next((n for n in LEADING if n in history.samples and history.samples[n].notna().any()), None)
        values = history.samples[name].to_numpy(dtype=float) if name else np.empty(0)
        index = pd.DatetimeIndex(history.samples.index)
        top = float(np.nanmax(values)) if name else 1.0
        self.source.data = {
            "time": index.tz_convert(None).to_numpy() if name else [],
            "value": values / (top or 1.0),
        }
        found = spans(history.anomalies, history.step, "", colours)
        self.spans.data = found | {"alpha": [0.55] * len(found["left"])}
        self.flags.show(flags(history.changes))
        self.figure.x_range.update(start=milliseconds(history.start), end=milliseconds(history.end))

    def restyle(self, colours: Palette) -> None:
        """Take the colours of the dark or the light page."""
        dress(self.figure, colours)
        self.flags.restyle(colours)
        self.area.fill_color = colours["accent"]
        self.window.fill_color = colours["page"]
        self.window.line_color = colours["accent"]
