"""What changed between two overviews: health and anomalies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from observatory.health.overview import Overview
from observatory.model import Anomaly, Transition
from observatory.times import rfc3339


def transitions(before: Overview, now: Overview) -> Iterator[Transition]:
    """Anomalies that began, changed in severity or ended, and services that went to another band of health."""
    known = {status.name: status for status in before.services}
    for status in now.services:
        old = known.get(status.name)
        had = {} if old is None else {(a.started_at, a.detector): a for a in old.open_anomalies}
        has = {(a.started_at, a.detector): a for a in status.open_anomalies}
        for key, anomaly in has.items():
            if key not in had or had[key].severity != anomaly.severity:
                yield Transition("anomaly", (status.name,), _anomaly(anomaly, is_new=key not in had))
        for key, anomaly in had.items():
            if key not in has:
                ended = _anomaly(anomaly, is_new=False) | {"is_open": False}
                yield Transition("anomaly-ended", (status.name,), ended)
        if old is not None and old.health.band != status.health.band:
            data = {
                "service_name": status.name,
                "band": str(status.health.band),
                "score": status.health.score,
                "was": {"band": str(old.health.band), "score": old.health.score},
                "at": rfc3339(now.at),
            }
            yield Transition("health", (status.name,), data)


def _anomaly(anomaly: Anomaly, *, is_new: bool) -> dict[str, Any]:
    return {
        "service_name": anomaly.service_name,
        "started_at": rfc3339(anomaly.started_at),
        "severity": str(anomaly.severity),
        "is_open": anomaly.is_open,
        "is_new": is_new,
        "metrics": list(anomaly.metrics),
        "message": anomaly.message,
    }
