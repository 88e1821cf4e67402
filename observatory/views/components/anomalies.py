"""Anomalies as a list: what happened, since when, and the evidence behind it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import isfinite
from typing import Any

from observatory.catalog import metric
from observatory.model import Anomaly, Evidence
from observatory.views.charts.timeline import anomaly_key
from observatory.views.components.base import Component, module
from observatory.views.components.words import lasting, when

LISTED = 200
"""Anomalies sent to a page at most; the newest and worst are among them."""


class AnomalyList(Component):
    """A card for each anomaly, with its evidence as a table that folds out."""

    _esm = module("anomalies.js")
    _sheets = ("anomalies.css",)


def anomaly_list(
    anomalies: Sequence[Anomaly],
    now: datetime,
    empty: dict[str, Any],
    *,
    title: str = "",
    with_service: bool = True,
    marked: str = "",
    link: str | None = None,
) -> dict[str, Any]:
    """What the list draws: open anomalies first, then the newest.

    `empty` is shown in place of the list (title, lines, whether filters can be reset); `marked` is the key of the
    anomaly to highlight; `link` is put in front of a service's name to lead to it.
    """
    ordered = sorted(anomalies, key=lambda a: (not a.is_open, -a.ended_at.timestamp(), a.severity.rank))
    return {
        "title": title,
        "items": [item(anomaly, now) for anomaly in ordered[:LISTED]],
        "left_out": max(0, len(ordered) - LISTED),
        "with_service": with_service,
        "marked": marked,
        "empty": empty,
        "link": link,
    }


def item(anomaly: Anomaly, now: datetime) -> dict[str, Any]:
    """One anomaly in words."""
    return {
        "key": anomaly_key(anomaly),
        "service": anomaly.service_name,
        "severity": str(anomaly.severity),
        "open": anomaly.is_open,
        "message": anomaly.sentence,
        "since": when(anomaly.started_at, now),
        "lasted": lasting(anomaly, now),
        "score": f"{anomaly.score:.3g}",
        "detector": anomaly.detector,
        "peak": when(anomaly.peak_at, now),
        "metrics": [metric(name).label for name in anomaly.metrics],
        "evidence": [_evidence(entry) for entry in anomaly.evidence],
    }


def _evidence(entry: Evidence) -> dict[str, Any]:
    of = metric(entry.metric)
    return {
        "metric": of.label,
        "direction": entry.direction,
        "actual": of.show(entry.actual),
        "typical": of.show(entry.typical),
        "expected": _between(of.show(entry.lower), of.show(entry.upper)),
        "share": round(100 * entry.share) if isfinite(entry.share) else 0,
    }


def _between(lower: str, upper: str) -> str:
    """Two values with units; the unit is said once where it is the same."""
    value, _, unit = lower.partition(" ")
    return f"{value}–{upper}" if unit == upper.partition(" ")[2] or value == "0" else f"{lower} – {upper}"
