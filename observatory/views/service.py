"""One service: how its score came about, its metrics against what was expected, and its anomalies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import panel as pn
from bokeh.events import DoubleTap, PanEnd, RangesUpdate
from bokeh.models import Range1d, Span

from observatory.analysis.history import ServiceHistory
from observatory.analysis.links import links_of
from observatory.catalog import METRICS, Metric
from observatory.health.overview import ServiceStatus
from observatory.model import Severity
from observatory.runtime.reader import Reader
from observatory.views.calls import CallSection
from observatory.views.changes import ChangeSection
from observatory.views.charts.charts import Chart, charts, milliseconds
from observatory.views.charts.figures import MetricFigure
from observatory.views.charts.navigator import Navigator
from observatory.views.components.anomalies import AnomalyList, anomaly_list
from observatory.views.components.base import Box, Component, Figure, module
from observatory.views.components.score import ScoreTable, score_table
from observatory.views.components.theme import palette
from observatory.views.components.words import in_words, span, split_name, when
from observatory.views.session.live import end_of, later, live, when_read
from observatory.views.session.state import SPANS, State

CHART_POINTS = 360
"""Points a chart gets at most: about one a pixel."""
CLOSEST = 600.0
"""Shortest time that can be zoomed into [s]."""


class ServiceHead(Component):
    """Name, score and state of the service, the choice of range, and what the charts' marks mean."""

    _esm = module("service.js")
    _sheets = ("service.css",)


class Drilldown(pn.viewable.Viewer):  # type: ignore[misc]
    """The page of the service that `State.service` names. Figures are built once, then follow the state."""

    def __init__(self, runtime: Reader, state: State, link: str | None = None) -> None:
        super().__init__()
        self._runtime = runtime
        self._state = state
        self._link = link
        self._history: ServiceHistory | None = None
        self._shown: tuple[Any, ...] | None = None
        self._drawn = False  # until then the figures are bare axes
        self._asked: object = None
        self._loading = False
        self._error = ""
        self._head = ServiceHead(self._on_message)
        self._score = ScoreTable()
        self._list = AnomalyList()
        self._time = Range1d(0, 1)
        self._left_at = self._ends()
        self._figures: dict[str, MetricFigure] = {}
        self._frames: dict[str, Figure] = {}  # what holds them on the page
        self._crosshair = Span(dimension="height", line_width=1, line_dash="dotted")
        self._navigator: Navigator | None = None
        self._charts = Box(sheet="charts.css", css_classes=["charts"])
        rail = Box(self._score, self._list, sheet="rail.css")
        self._changes = ChangeSection(runtime, state)
        self._calls = CallSection(runtime, state)
        split = Box(self._charts, rail, sheet="split.css", css_classes=["split"])
        self._layout = Box(self._head, split, self._changes, self._calls)
        state.param.watch(self._ask, ["service", "span", "window", "overview"])
        state.param.watch(self._restyle, "dark")
        self._ask()
        later(self._build)

    def __panel__(self) -> Any:
        return self._layout

    def _on_message(self, message: Any) -> None:
        self._state.accept(message, ("service", "span"))
        if isinstance(message, dict) and message.get("unzoom"):
            self._unzoom()

    def _build(self) -> None:
        colours = palette(self._state.dark)
        self._crosshair.line_color = colours["faint"]
        self._navigator = Navigator(self._time, colours)
        self._navigator.figure.on_event(DoubleTap, self._unzoom)
        self._navigator.figure.on_event(PanEnd, self._dragged)
        self._charts.objects = [Figure(self._navigator.figure, margin=0)]
        self._arrange([name for name, metric in METRICS.items() if metric.common])
        self._calls.build()
        self._ask()

    def _arrange(self, names: Sequence[str]) -> None:
        """Have the figures of these metrics on the page, in this order; they are built when they are needed first."""
        for name in names:
            if name not in self._figures:
                colours = palette(self._state.dark)
                item = self._figures[name] = MetricFigure(METRICS[name], self._time, self._crosshair, colours)
                item.figure.on_event(DoubleTap, self._unzoom)
                item.figure.on_event(RangesUpdate, self._zoomed)
                self._frames[name] = Figure(item.figure, margin=0)
        wanted = [self._charts.objects[0], *(self._frames[name] for name in names)]
        if wanted != self._charts.objects:
            self._charts.objects = wanted

    def _ask(self, *_: Any) -> None:
        """Read the history that the state asks for; what is shown stays until it is there."""
        state = self._state
        if not state.service:
            self._describe()
            return
        if self._shown is not None and self._shown[0] != state.service:
            self._history = None
        start, end = self._bounds()
        service, dark, runtime = state.service, state.dark, self._runtime
        future = live(runtime).once(
            ("history", service, start, end, dark), lambda: read(runtime, service, start, end, dark)
        )
        self._asked = future
        self._loading = not future.done() and self._shown != self._choice()  # a refresh goes without saying
        self._describe()

        def show(found: tuple[ServiceHistory, list[Chart]] | None, error: str) -> None:
            if self._asked is future:
                self._loading, self._error = False, error
                self._show(found)

        when_read(future, show)

    def _choice(self) -> tuple[Any, ...]:
        return self._state.service, self._state.span, self._state.window

    def _bounds(self) -> tuple[datetime, datetime]:
        if self._state.window is not None:
            start, end = self._state.window
            return start, end
        end = end_of(self._runtime.clock(), self._runtime.settings.interval)
        return end - SPANS[self._state.span], end

    def _show(self, found: tuple[ServiceHistory, list[Chart]] | None) -> None:
        self._history = None
        if found is not None:
            self._history, drawn = found
            is_other = self._shown is None or self._shown[:2] != self._choice()[:2]
            self._shown = self._choice()
            if is_other or self._ends() == self._left_at:  # else somebody drags: what was read must not take it away
                self._time.update(start=milliseconds(self._history.start), end=milliseconds(self._history.end))
                self._left_at = self._ends()
            self._drawn = self._navigator is not None  # else nothing is built yet
            if self._drawn:
                self._arrange([content.metric.name for content in drawn])
                for content in drawn:
                    self._figures[content.metric.name].show(content)
            if self._navigator is not None and self._state.window is None:
                self._navigator.show(self._history, palette(self._state.dark))
        self._describe()

    def _describe(self, *_: Any) -> None:
        """Everything around the charts."""
        overview = self._state.overview
        name = self._history.service.name if self._history else self._state.service  # a link may have one of before
        status = next((s for s in overview.services if s.name == name), None) if overview else None
        now = self._runtime.clock()
        anomalies = self._history.anomalies if self._history else ()
        self._head.data = service_head(
            self._state, status, self._history, self._loading or not self._figures, self._error, self._link
        ) | {"drawn": self._drawn, "links": self._links(now)}
        self._score.data = score_table(status.health if status else None)
        shown = "the part zoomed into" if self._state.window else f"the last {in_words(self._state.span)}"
        history = self._history
        self._changes.show(name, history.changes if history else None, shown)
        self._list.data = anomaly_list(
            anomalies,
            now,
            {"title": self._nothing(shown), "lines": _why_none(status), "reset": False},
            title=f"Anomalies in {shown}",
            with_service=False,
        )

    def _links(self, now: datetime) -> list[dict[str, str]]:
        """Where other programs show more of the service over the time that is shown."""
        if not self._state.service:
            return []
        start, end = self._state.window or (now - SPANS[self._state.span], now)
        links = links_of(self._runtime.settings.links, self._state.service, start, end)
        return [{"title": one.title, "url": one.url} for one in links]

    def _nothing(self, shown: str) -> str:
        if self._history is not None:
            return f"No anomaly in {shown}"
        return "The anomalies could not be read" if self._error else "Reading …"

    def _restyle(self, *_: Any) -> None:
        colours = palette(self._state.dark)
        with pn.io.hold():
            for item in (*self._figures.values(), self._navigator):
                if item is not None:
                    item.restyle(colours)
        self._ask()

    def _ends(self) -> tuple[float, float]:
        """Where the time axis is [ms]; the browser moves it while somebody drags, and tells when that is over."""
        return self._time.start, self._time.end

    def _zoomed(self, event: RangesUpdate) -> None:
        self._left_at = event.x0, event.x1
        self._zoom(event.x0 / 1000, event.x1 / 1000)

    def _dragged(self, *_: Any) -> None:
        self._left_at = self._ends()
        self._zoom(self._time.start / 1000, self._time.end / 1000)

    def _zoom(self, start: float, end: float) -> None:
        """Read the part from `start` to `end` [s] in more detail."""
        middle, half = (start + end) / 2, max(CLOSEST, end - start) / 2
        zone = self._runtime.clock().tzinfo
        window = datetime.fromtimestamp(round(middle - half), zone), datetime.fromtimestamp(round(middle + half), zone)
        if self._history is not None and window != (self._history.start, self._history.end):
            self._state.window = window

    def _unzoom(self, *_: Any) -> None:
        self._left_at = self._ends()
        self._state.window = None


def read(
    runtime: Reader, service: str, start: datetime, end: datetime, dark: bool
) -> tuple[ServiceHistory, list[Chart]]:
    """The history of a service and what its charts show; done in a thread, once for all who look at it."""
    history = runtime.history(service, start, end, CHART_POINTS)
    return history, charts(history, drawn_metrics(history), palette(dark))


def drawn_metrics(history: ServiceHistory) -> list[Metric]:
    """Metrics with values in the range; where it has none at all the common ones, to say so."""
    samples = history.samples
    known = [row for name, row in METRICS.items() if name in samples and samples[name].notna().any()]
    return known or [row for row in METRICS.values() if row.common]


def service_head(
    state: State,
    status: ServiceStatus | None,
    history: ServiceHistory | None,
    loading: bool,
    error: str,
    link: str | None = None,
) -> dict[str, Any]:
    """What the head of the page draws."""
    namespace, name = split_name(state.service)
    service = status.service if status else None
    facts = [namespace, service.team if service else "", service.tier if service else ""]
    severities = {anomaly.severity for anomaly in history.anomalies} if history else set()
    zoomed = ""
    if state.window is not None:
        start, end = state.window
        zoomed = f"{start:%b} {start.day}, {start:%H:%M} – {when(end, start)}"
    return {
        "away": not state.service,
        "name": name,
        "facts": " · ".join(fact for fact in facts if fact),
        "score": status.health.score if status else None,
        "band": str(status.health.band) if status else "unknown",
        "note": _note(status),
        "spans": list(SPANS),
        "span": state.span,
        "zoomed": zoomed,
        "charts": history is not None,
        "known": status is not None or history is not None,
        "summarised": span(history.step)
        if history and any(str(name).endswith("__min") for name in history.samples)
        else "",
        "changed": bool(history and history.changes),
        "silenced": bool(history and history.silences),
        "severities": [str(severity) for severity in Severity if severity in severities],
        "loading": loading,
        "error": error,
        "link": link,
    }


def _note(status: ServiceStatus | None) -> str:
    if status is None:
        return ""
    silences = [one.words for one in status.silences]
    if status.state == "silenced":
        return "; ".join([f"not judged, {silences[0]}", *silences[1:]])
    if status.health.score is None:
        return "; ".join([status.health.reason, *silences])
    notes = [status.learning.message] if status.learning else []
    notes += status.health.caps
    notes += silences
    return "; ".join(notes)


def _why_none(status: ServiceStatus | None) -> list[str]:
    """A service that is still learning has no anomalies for a reason."""
    return [f"It is {status.learning.message}."] if status and status.learning else []
