"""The cards: every service at a glance, drawn by one component."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import param

from observatory.catalog import METRICS
from observatory.health.overview import TREND_HOURS, Overview, ServiceStatus
from observatory.model import Anomaly, Band, Evidence, Severity
from observatory.views.components.base import Component, module
from observatory.views.components.words import brief, plural, split_name
from observatory.views.session.state import SHOW, UNHEALTHY, State

TILES = {"request_rate": "req/s", "error_rate": "errors", "latency_p95": "p95", "cpu_usage": "CPU"}
"""Metrics with a value on the card, and what stands under it."""


class Cards(Component):
    """Search, filters and the grid of cards.

    `data` holds the toolbar and the names that are shown; `cards` one entry a service, the worst first.
    """

    cards = param.List([], doc="See `card`.")

    _esm = module("cards.js")
    _sheets = ("cards.css",)


def toolbar(state: State, statuses: Sequence[ServiceStatus]) -> dict[str, Any]:
    """Search text, filter chips with how many services each has, and the choice of trends.

    The header counts each band and leads to it, so a band has a chip only while it is chosen.
    """
    counts = {key: sum(_passes(status, key) for status in statuses) for key in SHOW}
    shown = [key for key in SHOW if key in ("all", "unhealthy", "anomalous") or key == state.show]
    bands = {str(band) for band in Band}
    return {
        "search": state.search,
        "show": state.show,
        "chips": [{"key": key, "count": counts[key], "band": key if key in bands else ""} for key in shown],
        "trend": state.trend,
        "trends": [{"key": name, "label": METRICS[name].label} for name in state.param.trend.objects],
        "hours": TREND_HOURS,
    }


def shown(state: State, statuses: Sequence[ServiceStatus]) -> list[str]:
    """Names of the services that the filters let through, in the order of `statuses`."""
    words = state.search.casefold().split()
    return [s.name for s in statuses if _passes(s, state.show) and all(word in _haystack(s) for word in words)]


def empty(overview: Overview | None, count: int, state: State) -> dict[str, Any] | None:
    """What to say in place of cards, if there are none."""
    if overview is None:
        return {"title": "Reading the store …", "lines": [], "reset": False}
    if not overview.services:
        return _no_services(overview)
    if count == 0:
        terms = [f"“{state.search}”"] if state.search.strip() else []
        terms += [state.show] if state.show != "all" else []
        total = plural(len(overview.services), "service")
        return {"title": "No service matches", "lines": [f"{' and '.join(terms)} hides all {total}."], "reset": True}
    return None


def card(status: ServiceStatus, trend: str, now: float) -> dict[str, Any]:
    """One service as a card: texts as they are shown, and the sparkline's values."""
    namespace, name = split_name(status.name)
    worst = status.open_anomalies[0] if status.open_anomalies else None
    affected = {item.metric: (a.severity, item) for a in reversed(status.open_anomalies) for item in a.evidence}
    silenced = "silenced" if status.silences else ""
    facts = [fact for fact in (namespace, status.service.team, status.service.tier, silenced) if fact]
    return {
        "service": status.name,
        "name": name,
        "facts": " · ".join(facts),
        "score": status.health.score,
        "band": str(status.health.band),
        "values": [_tile(metric, label, status, affected.get(metric)) for metric, label in _tiles(status)],
        "trend": _trend(status, trend, now),
        "worst": {"severity": str(worst.severity), "message": worst.sentence} if worst else None,
        "open": len(status.open_anomalies),
        "note": _note(status),
        "recent": _recent(status),
        "label": _label(status, worst),
    }


def _tiles(status: ServiceStatus) -> Iterator[tuple[str, str]]:
    """Metrics and what stands under them; the mean stands in for a p95 that is not known."""
    latest = status.latest
    for metric, label in TILES.items():
        if metric == "latency_p95" and latest.get(metric) is None and latest.get("latency_mean") is not None:
            yield "latency_mean", "mean"
        else:
            yield metric, label


def _tile(metric: str, label: str, status: ServiceStatus, affected: tuple[Severity, Evidence] | None) -> dict[str, Any]:
    of, latest = METRICS[metric], status.latest.get(metric)
    value, unit = brief(latest, of.unit)
    title = f"{of.label}: {of.show(latest) if latest is not None else 'no samples'}"
    if affected:
        title += f", typically {of.show(affected[1].typical)}"
    return {
        "label": label,
        "unit": unit if of.unit in ("s", "ratio") else "",
        "value": value,
        "title": title,
        "severity": str(affected[0]) if affected else None,
        "direction": affected[1].direction if affected else None,
    }


def _trend(status: ServiceStatus, metric: str, now: float) -> dict[str, Any]:
    values = status.trends.get(metric, [])
    known = [value for value in values if value is not None]
    first = now - TREND_HOURS * 3600
    marks = [
        {"from": max(0.0, (a.started_at.timestamp() - first) / (now - first)), "severity": str(a.severity)}
        for a in status.open_anomalies
    ]
    return {
        "values": [value if value is None else float(f"{value:.4g}") for value in values],
        "peak": f"up to {METRICS[metric].show(max(known))}" if known else "",
        "marks": marks,
    }


def _note(status: ServiceStatus) -> str:
    """Why a service is not healthy, or not judged in full; nothing where it is both."""
    if status.health.band is Band.UNKNOWN:
        return status.health.why or "not judged"
    return status.health.why or (status.learning.message if status.learning is not None else "")


def _recent(status: ServiceStatus) -> str:
    """What is over by now."""
    over = status.anomalies_24h - len(status.open_anomalies)
    return f"{plural(over, 'anomaly', 'anomalies')} in 24 h" if over > 0 else ""


def _label(status: ServiceStatus, worst: Anomaly | None) -> str:
    """The card in one sentence, for who does not see it."""
    health = status.health
    score = f"unknown, {health.reason}" if health.score is None else f"{health.band}, score {health.score} of 100"
    trouble = f", {plural(len(status.open_anomalies), 'open anomaly', 'open anomalies')}" if worst else ""
    return f"{status.name}: {score}{trouble}{f': {worst.sentence}' if worst else ''}"


def _passes(status: ServiceStatus, show: str) -> bool:
    if show == "all":
        return True
    if show == "unhealthy":
        return status.health.band in UNHEALTHY
    if show == "anomalous":
        return bool(status.open_anomalies)
    return status.health.band == show


def _haystack(status: ServiceStatus) -> str:
    service = status.service
    return " ".join(filter(None, (service.name, service.team, service.tier, status.health.band))).casefold()


def _no_services(overview: Overview) -> dict[str, Any]:
    cycle = overview.last_cycle
    if overview.source == "demo":
        lines = ["The demo shop is making its history; this takes up to a minute at the first start."]
    elif cycle is None:
        lines = ["Prometheus is being asked what it watches."]
    elif cycle.failures:
        lines = [cycle.failures[0].error, "It is asked again in every cycle."]
    else:
        lines = [
            "Prometheus answered, but no preset found a service in it.",
            "`observatory doctor` says what each of them looks for. Services can also be named by hand: "
            "`observatory services register NAME`.",
        ]
    return {"title": "No services yet", "lines": lines, "reset": False}
