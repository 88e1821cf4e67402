"""Who calls a service and whom it calls: a section of its page, and the graph for notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import panel as pn

from observatory.analysis.call_graph import CallGraph, call_graph
from observatory.runtime.reader import Reader
from observatory.views.charts.calls import CallFigure, Drawing, drawing
from observatory.views.components.base import Box, Component, Figure, module
from observatory.views.components.theme import palette
from observatory.views.components.words import plural
from observatory.views.session.live import live, when_read
from observatory.views.session.state import CALLS, State

MOST_DRAWN = 1500
"""Nodes that are drawn; more would be no picture."""


class CallHead(Component):
    """Title, what is shown, and the choice of how much."""

    _esm = module("calls.js")
    _sheets = ("calls.css",)


@dataclass(frozen=True)
class Shown:
    """A graph and how it is drawn; None where it is too large."""

    graph: CallGraph
    drawing: Drawing | None


class CallSection(pn.viewable.Viewer):  # type: ignore[misc]
    """The calls around the service that `State.service` names, or all of them. A click leads to a service."""

    def __init__(self, runtime: Reader, state: State) -> None:
        super().__init__()
        self._runtime = runtime
        self._state = state
        self._figure: CallFigure | None = None
        self._shown: Shown | None = None
        self._drawn: Shown | None = None
        self._asked: object = None
        self._error = ""
        self._head = CallHead(self._on_message)
        self._frame = Box(sheet="graph.css", css_classes=["graph"])
        self._layout = Box(self._head, self._frame, css_classes=["calls"])
        state.param.watch(self._ask, ["service", "calls", "overview", "dark"])
        self._describe()

    def __panel__(self) -> Any:
        return self._layout

    def build(self) -> None:
        """Make the figure, and show what is asked for."""
        self._renew()
        self._ask()

    def _renew(self) -> CallFigure:
        self._figure = CallFigure(palette(self._state.dark), self._open)
        self._frame.objects = [Figure(self._figure.figure, margin=0)]
        return self._figure

    def _on_message(self, message: Any) -> None:
        self._state.accept(message, ("calls", "service"))

    def _open(self, service: str) -> None:
        if service != self._state.service:
            with pn.io.hold():
                self._state.service = service

    def _ask(self, *_: Any) -> None:
        """Read the calls that the state asks for."""
        runtime, state = self._runtime, self._state
        if not state.service or self._figure is None:
            return
        service, which, dark = state.service, state.calls, state.dark
        future = live(runtime).once(("calls", service, which, dark), lambda: read(runtime, service, which, dark))
        self._asked = future

        def show(found: Shown | None, error: str) -> None:
            if self._asked is future:
                self._shown, self._error = found, error
                self._show()

        when_read(future, show)

    def _show(self) -> None:
        """Draw what was read, unless it is drawn already: most looks of the poll find nothing new."""
        figure, found = self._figure, self._shown
        if figure is not None and found is not None and found.drawing is not None and found is not self._drawn:
            if self._drawn is not None and _size(self._drawn) != _size(found):
                figure = self._renew()  # Bokeh may draw once more what it had, with the sizes of what it has
            self._drawn = found
            figure.restyle(palette(self._state.dark))
            figure.show(found.drawing)
        self._describe()

    def _describe(self) -> None:
        self._head.data = call_head(self._shown, self._state, self._error)


def read(runtime: Reader, service: str, which: str, dark: bool) -> Shown:
    """The calls around a service, or all of them, and how they are drawn."""
    store = runtime.store
    name = store.service(service).name
    graph = call_graph(store) if which == "all" else call_graph(store, name, int(which))
    bands = {status.name: status.health.band for status in runtime.overview().services}
    if len(graph.nodes) > MOST_DRAWN:
        return Shown(graph, None)
    return Shown(graph, drawing(graph, bands, palette(dark), name))


def _size(shown: Shown) -> tuple[int, int]:
    return len(shown.graph.nodes), len(shown.graph.edges)


def call_head(found: Shown | None, state: State, error: str) -> dict[str, Any]:
    """What the head draws."""
    graph = found.graph if found else CallGraph()
    services = sum(node.is_service for node in graph.nodes)
    counted = [plural(services, "service"), plural(len(graph.edges), "call")]
    counted += [f"{len(graph.nodes) - services} outside"] if services < len(graph.nodes) else []
    note = ", ".join(counted)
    if not graph.edges:
        note = "none is known: Help, Services says which metrics and settings tell them"
    if found is not None and found.drawing is None:
        note += ": too many to draw, `observatory services graph` lists them"
    return {
        "choices": [{"key": key, "label": label} for key, label in CALLS.items()],
        "choice": state.calls,
        "note": error or ("reading …" if found is None else note),
        "drawn": bool(graph.edges) and found is not None and found.drawing is not None,
        "away": bool(error),
    }
