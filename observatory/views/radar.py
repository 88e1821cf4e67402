"""Anomaly Radar: what is or was abnormal, in which service, since when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import panel as pn

from observatory.catalog import metric
from observatory.model import Anomaly, Change, Severity
from observatory.runtime.reader import Reader
from observatory.views import VIEWS
from observatory.views.charts.timeline import TimelineFigure, timeline
from observatory.views.components.anomalies import AnomalyList, anomaly_list
from observatory.views.components.base import Box, Component, Figure, module
from observatory.views.components.theme import palette
from observatory.views.components.words import in_words, plural
from observatory.views.session.live import end_of, live, session_document, when_read
from observatory.views.session.state import RADAR_SPANS, SPANS, State

Found = tuple[list[Anomaly], list[Change]]
FILTERS = ("severities", "radar_service", "metric")


class RadarFilters(Component):
    """Severities, affected metrics, service and range; each says how many anomalies it stands for."""

    _esm = module("radar.js")
    _sheets = ("radar.css",)


@VIEWS.register("radar")
class AnomalyRadar(pn.viewable.Viewer):  # type: ignore[misc]
    """Filters, a timeline of services × time, and the list of anomalies."""

    title = "Anomaly Radar"
    order = 20

    def __init__(self, runtime: Reader, state: State) -> None:
        super().__init__()
        self._runtime = runtime
        self._state = state
        self._anomalies: list[Anomaly] | None = None
        self._changes: list[Change] = []
        self._bounds = (runtime.clock(), runtime.clock())
        self._asked: object = None
        self._error = ""
        self._link = "?service=" if session_document() is not None else None
        self._filters = RadarFilters(self._on_message)
        self._list = AnomalyList(self._on_message)
        self._timeline = TimelineFigure(palette(state.dark))
        self._timeline.source.selected.on_change("indices", self._selected)
        self._chart = Box(Figure(self._timeline.figure, margin=0), sheet="timeline.css", css_classes=["timeline"])
        self._layout = Box(self._filters, self._chart, self._list)
        state.param.watch(self._ask, ["overview", "radar_span", "view"])
        state.param.watch(self._show, [*FILTERS, "anomaly"])
        state.param.watch(self._restyle, "dark")
        self._show()  # a browser may draw before the anomalies have been read
        self._ask()

    def __panel__(self) -> Any:
        return self._layout

    def _on_message(self, message: Any) -> None:
        self._state.accept(message, (*FILTERS, "radar_span", "service", "view", "dark"))

    def _ask(self, *_: Any) -> None:
        """Read the anomalies of the range, while this view is the one that is open."""
        if self._state.view != "radar" and self._anomalies is not None:
            return
        runtime = self._runtime
        end = end_of(runtime.clock(), runtime.settings.interval)
        start = end - SPANS[self._state.radar_span]

        def read() -> Found:
            return runtime.store.anomalies(start=start, end=end), runtime.store.changes.read(start, end)

        future = live(runtime).once(("anomalies", start, end), read)
        self._asked = future

        def show(found: Found | None, error: str) -> None:
            if self._asked is future:
                self._anomalies, self._changes = found or (None, [])
                self._error, self._bounds = error, (start, end)
                self._show()

        when_read(future, show)

    def _show(self, *_: Any) -> None:
        state, now = self._state, self._runtime.clock()
        everything = self._anomalies or []
        chosen = [anomaly for anomaly in everything if passes(anomaly, state)]
        with pn.io.hold():
            drawn = filters(everything, state, self._error)
            self._filters.data = drawn if self._anomalies is not None else drawn | {"summary": ""}
            colours = palette(state.dark)
            self._timeline.show(timeline(chosen, *self._bounds, now, colours, state.anomaly, self._changes))
            self._list.data = anomaly_list(
                chosen,
                now,
                nothing(None if self._anomalies is None else len(everything), state, self._error),
                marked=state.anomaly,
                link=self._link,
            )

    def _restyle(self, *_: Any) -> None:
        self._timeline.restyle(palette(self._state.dark))
        self._show()

    def _selected(self, _: str, __: Any, indices: list[int]) -> None:
        """A bar was chosen: mark its card; a click beside the bars takes the mark away."""
        keys = self._timeline.source.data["key"]
        self._state.anomaly = keys[indices[0]] if indices and indices[0] < len(keys) else ""


def passes(anomaly: Anomaly, state: State, leave_out: str = "") -> bool:
    """Whether the filters let an anomaly through, all of them or all but one."""
    return (
        (leave_out == "severities" or not state.severities or anomaly.severity in state.severities)
        and (leave_out == "radar_service" or state.radar_service in ("", anomaly.service_name))
        and (leave_out == "metric" or not state.metric or state.metric in anomaly.metrics)
    )


def filters(anomalies: Sequence[Anomaly], state: State, error: str = "") -> dict[str, Any]:
    """What the filters draw; a filter's counts are of what the others let through."""
    chosen = [anomaly for anomaly in anomalies if passes(anomaly, state)]
    severities = Counter(str(a.severity) for a in anomalies if passes(a, state, "severities"))
    services = Counter(a.service_name for a in anomalies if passes(a, state, "radar_service"))
    metrics = Counter(name for a in anomalies if passes(a, state, "metric") for name in a.metrics)
    names = sorted({*services, *filter(None, [state.radar_service])})
    tags = [name for name, _ in metrics.most_common()]
    tags += [state.metric] if state.metric and state.metric not in tags else []
    return {
        "severities": [
            {
                "key": str(severity),
                "count": severities[str(severity)],
                "on": str(severity) in state.severities,
                "next": _toggled(state.severities, str(severity)),
            }
            for severity in Severity
        ],
        "services": [{"name": name, "count": services[name]} for name in names],
        "service": state.radar_service,
        "metrics": [
            {"key": name, "label": metric(name).label, "count": metrics[name], "on": name == state.metric}
            for name in tags
        ],
        "spans": list(RADAR_SPANS),
        "span": state.radar_span,
        "filtered": any(getattr(state, name) for name in FILTERS),
        "timeline": bool(chosen),
        "summary": _summary(chosen, len(anomalies), state),
        "error": error,
    }


def nothing(total: int | None, state: State, error: str) -> dict[str, Any]:
    """What to say when there is no anomaly to list; `total` is None until they have been read."""
    if error:
        return {"title": "The anomalies cannot be read", "lines": [error], "reset": False}
    if total is None:
        return {"title": "Reading …", "lines": [], "reset": False}
    span = in_words(state.radar_span)
    if total:
        hidden = "the only one" if total == 1 else f"all {total}"
        return {
            "title": "No anomaly matches",
            "lines": [f"The filters hide {hidden} of the last {span}."],
            "reset": True,
        }
    lines = ["Every service that can be judged behaved as expected."]
    learning = [s for s in state.overview.services if s.learning] if state.overview else []
    if state.overview is not None and not state.overview.services:
        lines = ["There are no services yet."]
    elif learning:
        lines += [f"{plural(len(learning), 'service is', 'services are')} still learning what is normal."]
    return {"title": f"No anomalies in the last {span}", "lines": lines, "reset": False}


def _summary(chosen: Sequence[Anomaly], total: int, state: State) -> str:
    still = sum(anomaly.is_open for anomaly in chosen)
    services = len({anomaly.service_name for anomaly in chosen})
    text = f"{plural(len(chosen), 'anomaly', 'anomalies')} in the last {in_words(state.radar_span)}"
    if chosen:
        text += f" in {plural(services, 'service')}, {f'{still} still open (○)' if still else 'none open'}"
    return text + (f" · filters hide {total - len(chosen)}" if total > len(chosen) else "")


def _toggled(names: Sequence[str], name: str) -> list[str]:
    return [n for n in names if n != name] if name in names else [*names, name]
