"""The dashboard's views without scripts, as reports of notebooks have them: tables and pictures."""

from __future__ import annotations

from observatory.display.anomalies import anomaly_table
from observatory.display.health import arithmetic_table, health_table
from observatory.display.runs import run_table
from observatory.runtime.reader import Reader
from observatory.views.notebook.stills import still_html
from observatory.views.radar import passes
from observatory.views.runs import LISTED
from observatory.views.session.state import SPANS, State


def printed(runtime: Reader, view: str, state: State) -> str:
    """What the view called `view` shows, or the service that `state` names, as HTML; empty where it is of no use."""
    now = runtime.clock()
    if state.service:
        start, end = state.window or (now - SPANS[state.span], now)
        history = runtime.history(state.service, start, end)
        status = next((one for one in runtime.overview().services if one.name == history.service.name), None)
        arithmetic = _html(arithmetic_table(status.health)) if status else ""
        return still_html(history) + arithmetic + _html(anomaly_table(history.anomalies))
    if view == "health":
        return _html(health_table(runtime.overview()))
    if view == "radar":
        found = runtime.store.anomalies(start=now - SPANS[state.radar_span], end=now)
        return _html(anomaly_table(anomaly for anomaly in found if passes(anomaly, state)))
    if view == "runs":
        return _html(run_table(runtime.store.runs.last(LISTED), now))
    return ""


def _html(table: object) -> str:
    return str(table._repr_html_() or "") if hasattr(table, "_repr_html_") else ""
