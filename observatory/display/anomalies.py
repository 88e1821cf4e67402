"""Anomalies, evidence, labels and verdicts as tables."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from observatory.catalog import metric
from observatory.frames import ReadableFrame
from observatory.model import Anomaly, Fault, Feedback
from observatory.times import TIME, whole_minutes


def anomaly_table(anomalies: Iterable[Anomaly]) -> pd.DataFrame:
    """A row an anomaly: when, how long, severity, score, what happened."""
    rows = [
        {
            "service": anomaly.service_name,
            "started": anomaly.started_at.strftime(TIME),
            "minutes": whole_minutes(anomaly.started_at, anomaly.ended_at),
            "open": anomaly.is_open,
            "severity": str(anomaly.severity),
            "score": round(anomaly.score, 1),
            "message": anomaly.message,
        }
        for anomaly in anomalies
    ]
    columns = ["service", "started", "minutes", "open", "severity", "score", "message"]
    return ReadableFrame(rows, columns=columns, nothing="nothing was unusual")


def evidence_table(anomaly: Anomaly | None) -> pd.DataFrame:
    """A row an affected metric: actual, typical, bounds, share of the score; of no anomaly none."""
    rows = [
        {
            "metric": metric(item.metric).label,
            "actual": metric(item.metric).show(item.actual),
            "typical": metric(item.metric).show(item.typical),
            "lower": metric(item.metric).show(item.lower),
            "upper": metric(item.metric).show(item.upper),
            "share": f"{item.share:.0%}",
        }
        for item in (anomaly.evidence if anomaly else ())
    ]
    nothing = "several metrics are unusual together, none by itself" if anomaly else "nothing was unusual"
    return ReadableFrame(rows, columns=["metric", "actual", "typical", "lower", "upper", "share"], nothing=nothing)


def fault_table(faults: Iterable[Fault]) -> pd.DataFrame:
    """A row a labelled fault."""
    rows = [
        {
            "service": fault.service_name,
            "kind": fault.kind,
            "started": fault.start.strftime(TIME),
            "ended": fault.end.strftime(TIME),
            "root cause": fault.root_cause,
        }
        for fault in faults
    ]
    return pd.DataFrame(rows, columns=["service", "kind", "started", "ended", "root cause"])


def feedback_table(given: Iterable[Feedback]) -> pd.DataFrame:
    """A row a verdict."""
    rows = [
        {
            "service": one.service_name,
            "verdict": str(one.verdict),
            "started": one.started_at.strftime(TIME),
            "ended": one.ended_at.strftime(TIME),
            "detector": one.detector,
            "given": one.given_at.strftime(TIME),
            "note": one.note,
        }
        for one in given
    ]
    return pd.DataFrame(rows, columns=["service", "verdict", "started", "ended", "detector", "given", "note"])
