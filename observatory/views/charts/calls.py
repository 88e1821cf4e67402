"""Who calls whom as a figure: layers from left to right, services coloured by health, and grey squares outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from bokeh.models import (
    ColumnDataSource,
    GraphRenderer,
    HoverTool,
    MultiLine,
    NodesAndLinkedEdges,
    NodesOnly,
    PanTool,
    Range1d,
    ResetTool,
    Scatter,
    StaticLayoutProvider,
    TapTool,
    Text,
    WheelZoomTool,
)
from bokeh.plotting import figure

from observatory.analysis.call_graph import CallGraph, Edge, Node
from observatory.model import Band
from observatory.views.charts.figures import dress
from observatory.views.charts.layers import Place, arrange
from observatory.views.components.theme import Palette

CURVES = ((200, 28), (1000, 16), (10**9, 9))
"""Points of a line from one layer to the next, up to so many lines."""
FEW, SOME = 14, 45
"""Up to so many rows names stand under nodes; up to so many more they stand beside them, and beyond in small print."""
LONGEST_LABEL, SHORTEST_LABEL = 30, 12
"""Most characters of a name that stand in the picture, and those there is always room for."""
USUAL_WIDTH = 1100
"""Of the figure, to tell how much room names have [pixels]."""
SMALL = 13
"""Height of a row of small print [pixels]."""
OUTSIDE = {"user": "users", "database": "a database", "external": "a host outside", "unknown": "no service known here"}
TOOLTIP = """<div style="max-width:320px"><b>@name</b><br>@what</div>"""


@dataclass(frozen=True)
class Drawing:
    """What the figure shows: columns of nodes and of lines; `rows` high and `layers` wide."""

    nodes: Mapping[str, list[Any]]
    lines: Mapping[str, list[Any]]
    rows: float
    layers: int

    @property
    def dense(self) -> bool:
        """Whether names stand beside nodes, for there is no room under them."""
        return self.rows > FEW

    @property
    def row_height(self) -> int:
        """Height of a row [pixels]."""
        return 46 if not self.dense else 22 if self.rows <= SOME else SMALL

    @property
    def height(self) -> int:
        """Of the figure [pixels]."""
        return round(max(150.0, (self.rows + 1) * self.row_height + 34))


def drawing(graph: CallGraph, bands: Mapping[str, Band], colours: Palette, marked: str = "") -> Drawing:
    """Places, colours and lines of a graph; `bands` are those of services that are judged.

    The service `marked` stands out, or else the centre of the graph.
    """
    nodes = list(graph.nodes)
    centre = Node(marked) if marked else graph.centre
    number = {node: place for place, node in enumerate(nodes)}
    pairs = [(number[edge.caller], number[edge.callee]) for edge in graph.edges]
    places, routes = arrange(len(nodes), pairs)
    rows = max((row for _, row in places), default=0.0)
    count = round(max((column for column, _ in places), default=0.0)) + 1
    longest = _longest_label(count, rows)
    front = _common_front([node.name for node in nodes if node.is_service])
    is_called = {edge.callee for edge in graph.edges}
    shown: dict[str, list[Any]] = {
        "index": list(range(len(nodes))),
        "x": [place[0] for place in places],
        "y": [place[1] for place in places],
        "name": [node.name for node in nodes],
        "service": [node.name if node.is_service else "" for node in nodes],
        "what": [_what(node, bands) for node in nodes],
        "label": [_label(node, front, longest) for node in nodes],
        "marker": ["circle" if node.is_service else "square" for node in nodes],
        "size": [_size(node, centre, rows) for node in nodes],
        "fill": [colours[bands.get(node.name, "unknown")] if node.is_service else colours["faint"] for node in nodes],
        "edge": [colours["ink"] if node == centre else colours["surface"] for node in nodes],
        "weight": ["bold" if node == centre else "normal" for node in nodes],
        "before": [-_size(node, centre, rows) / 2 + 1 for node in nodes],
        "arrow": ["▸" if node in is_called else "" for node in nodes],
    }
    lines: dict[str, list[Any]] = {
        "start": [start for start, _ in pairs],
        "end": [end for _, end in pairs],
        "xs": [],
        "ys": [],
        "name": [f"{edge.caller.name} → {edge.callee.name}" for edge in graph.edges],
        "what": [_seen(edge) for edge in graph.edges],
    }
    points = next(points for most, points in CURVES if len(pairs) <= most)
    for start, end in pairs:
        bends = routes.get((start, end)) or [*reversed(routes.get((end, start), []))]
        xs, ys = _line([places[start], *bends, places[end]], points)
        lines["xs"].append(xs)
        lines["ys"].append(ys)
    return Drawing(shown, lines, rows, count)


class CallFigure:
    """A figure of calls, built once and then shown other graphs.

    Parameters
    ----------
    colours
        What it is drawn with.
    opened
        Called with the name of a service that is clicked.
    width
        Of the figure [pixels]; None for that of the page.
    """

    def __init__(self, colours: Palette, opened: Callable[[str], None] | None = None, width: int | None = None) -> None:
        self._opened = opened
        empty = drawing(CallGraph(), {}, colours)
        self.renderer = GraphRenderer(
            layout_provider=StaticLayoutProvider(graph_layout={}),
            inspection_policy=NodesAndLinkedEdges(),
            selection_policy=NodesOnly(),
        )
        self.nodes: ColumnDataSource = self.renderer.node_renderer.data_source
        self.lines: ColumnDataSource = self.renderer.edge_renderer.data_source
        self.labels = ColumnDataSource(dict(empty.nodes))
        marks = HoverTool(renderers=[self.renderer], tooltips=TOOLTIP, show_arrow=False)
        wheel = WheelZoomTool(modifiers={"ctrl": True})
        size = {"sizing_mode": "stretch_width"} if width is None else {"width": width}
        plot = self.figure = figure(
            height=empty.height,
            x_range=Range1d(0, 1),
            y_range=Range1d(1, 0),
            tools=[marks, TapTool(renderers=[self.renderer]), PanTool(), wheel, ResetTool()],
            toolbar_location=None,
            name="calls",
            **size,
        )
        plot.axis.visible = False
        plot.grid.visible = False
        plot.outline_line_color = None
        drawn = {"marker": "marker", "size": "size", "fill_color": "fill"}
        self._line = MultiLine(xs="xs", ys="ys", line_width=1.4)
        self._line_hovered = MultiLine(xs="xs", ys="ys", line_width=2.2)
        self._mark_hovered = Scatter(line_width=3, **drawn)
        self.renderer.edge_renderer.update(
            glyph=self._line, hover_glyph=self._line_hovered, selection_glyph=None, nonselection_glyph=None
        )
        self.renderer.node_renderer.update(
            glyph=Scatter(line_color="edge", line_width=2, **drawn),
            hover_glyph=self._mark_hovered,
            selection_glyph=None,
            nonselection_glyph=None,
        )
        self._names = Text(x="x", y="y", text="label", text_font_style="weight")
        self._arrows = Text(
            x="x", y="y", text="arrow", text_align="right", text_baseline="middle", x_offset="before", y_offset=-1
        )
        plot.renderers.append(self.renderer)
        plot.add_glyph(self.labels, self._arrows)
        plot.add_glyph(self.labels, self._names)
        if opened is not None:
            self.nodes.selected.on_change("indices", self._tapped)
        self.restyle(colours)
        self.show(empty)

    def show(self, content: Drawing) -> None:
        """Draw another graph."""
        dense = content.dense
        small = content.row_height <= SMALL
        self._names.update(
            text_align="left" if dense else "center",
            text_baseline="middle" if dense else "top",
            x_offset=(7 if small else 10) if dense else 0,
            y_offset=0 if dense else 10,
            text_font_size="10px" if small else "12px",
        )
        self._arrows.text_font_size = "11px" if small else "17px"
        self.nodes.selected.indices = []
        self.renderer.layout_provider.graph_layout = {
            index: [x, y] for index, x, y in zip(*(content.nodes[key] for key in ("index", "x", "y")), strict=True)
        }
        self.lines.data = dict(content.lines)
        self.nodes.data = {key: content.nodes[key] for key in ("index", "name", "service", "what", *_DRAWN)}
        self.labels.data = dict(content.nodes)
        self._line.line_alpha = max(0.22, min(0.8, 70 / max(1, len(content.lines["start"]))))
        # Names beside nodes need room on the right, those under them on both sides.
        self.figure.x_range.update(start=-0.25 if dense else -0.5, end=content.layers - (0.05 if dense else 0.5))
        self.figure.y_range.update(start=content.rows + 0.85, end=-0.6)
        self.figure.height = content.height

    def restyle(self, colours: Palette) -> None:
        """Take the colours of the dark or the light page; nodes get theirs from what is shown."""
        dress(self.figure, colours)
        self._line.line_color = colours["faint"]
        self._line_hovered.line_color = self._mark_hovered.line_color = colours["accent"]
        self._names.text_color = colours["ink"]
        self._arrows.text_color = colours["faint"]

    def _tapped(self, _: str, __: Any, indices: list[int]) -> None:
        names = self.nodes.data["service"]
        if self._opened is not None and indices and indices[0] < len(names) and names[indices[0]]:
            self._opened(names[indices[0]])


_DRAWN = ("marker", "size", "fill", "edge")


def _line(through: list[Place], points: int) -> tuple[list[float], list[float]]:
    """A line that leaves every place to the right and enters it from the left; a call back turns round in between."""
    xs: list[float] = []
    ys: list[float] = []
    for (x0, y0), (x1, y1) in pairwise(through):
        t = np.linspace(0, 1, points)
        reach = max(0.45 * abs(x1 - x0), 0.4) if x1 > x0 else 0.35 + 0.1 * abs(x1 - x0)
        sides = (reach, -reach) if len(through) == 2 or x1 > x0 else (-reach, reach)
        a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
        bow = 0.45 if len(through) == 2 and x1 <= x0 and abs(y1 - y0) < 0.5 else 0.0
        xs += (a * x0 + b * (x0 + sides[0]) + c * (x1 + sides[1]) + d * x1).round(3).tolist()
        ys += (a * y0 + b * (y0 + bow) + c * (y1 + bow) + d * y1).round(3).tolist()
    return xs, ys


def _size(node: Node, centre: Node | None, rows: float) -> int:
    """Diameter of a node [pixels]."""
    whole = 16 if rows <= FEW else 12 if rows <= SOME else 8
    if node == centre:
        return whole + 5
    return whole if node.is_service else whole - (4 if rows <= SOME else 2)


def _what(node: Node, bands: Mapping[str, Band]) -> str:
    return str(bands.get(node.name, "unknown")) if node.is_service else OUTSIDE[str(node.is_a)]


def _seen(edge: Edge) -> str:
    known = "known by " + ", ".join(edge.kinds)
    return known if edge.last_seen is None else f"{known}; last seen {edge.last_seen:%Y-%m-%d %H:%M} UTC"


def _longest_label(layers: int, rows: float) -> int:
    """Characters a name may have, so that names of a layer end before the next."""
    character = 6.6 if rows <= SOME else 5.4
    return max(SHORTEST_LABEL, min(LONGEST_LABEL, int(USUAL_WIDTH / layers / character) - 3))


def _common_front(names: list[str]) -> str:
    """What all services have before the last part of their names."""
    fronts = {name.rpartition("/")[0] for name in names}
    return f"{fronts.pop()}/" if len(fronts) == 1 and fronts != {""} else ""


def _label(node: Node, front: str, longest: int) -> str:
    name = node.name.removeprefix(front) if node.is_service else node.name
    return name if len(name) <= longest else f"…{name[1 - longest :]}"
