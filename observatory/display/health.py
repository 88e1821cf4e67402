"""Health and its arithmetic as tables."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from observatory.catalog import METRICS
from observatory.frames import ReadableFrame
from observatory.health.overview import Overview
from observatory.model import Health

HEALTH_METRICS = ("request_rate", "error_rate", "latency_p95", "cpu_usage")


def health_table(overview: Overview) -> pd.DataFrame:
    """A row a service, the worst first: score, band, coverage, the values of its card, and why."""
    rows = [
        {
            "service": status.name,
            "health": "?" if status.health.score is None else str(status.health.score),
            "band": str(status.health.band),
            "coverage": f"{status.health.coverage} %",
        }
        | {METRICS[name].label: _shown(name, status.latest) for name in HEALTH_METRICS}
        | {"why": status.open_anomalies[0].message if status.open_anomalies else status.health.why}
        for status in overview.services
    ]
    labels = [METRICS[name].label for name in HEALTH_METRICS]
    columns = ["service", "health", "band", "coverage", *labels, "why"]
    return ReadableFrame(rows, columns=columns, nothing="no services yet: run `observatory collect`")


def _shown(name: str, latest: Mapping[str, float | None]) -> str:
    """A value; the mean where the quantile is not known."""
    value, mean = latest[name], latest.get("latency_mean")
    if name == "latency_p95" and value is None and mean is not None:
        return f"{METRICS[name].show(mean)} (mean)"
    return METRICS[name].show(value)


def arithmetic_table(health: Health) -> pd.DataFrame:
    """A row a part of the score: weight, value (0–1), points, and what it was judged by."""
    rows = [
        (
            part.name,
            part.weight,
            None if part.value is None else round(part.value, 3),
            round(part.points, 1),
            part.detail,
        )
        for part in health.parts
    ]
    return pd.DataFrame(rows, columns=["part", "weight", "value", "points", "judged by"])
