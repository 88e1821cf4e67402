"""What is kept as rows of text and numbers, and the facts they stand for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, astuple
from typing import Any

import pandas as pd

from observatory.model import SERVICE, TIMESTAMP, Anomaly, Cycle, Evidence, Failure, Fault, Service, Severity

FAULT = [SERVICE, "kind", "started_at", "ended_at", "metrics", "root_cause"]


def service_of(row: dict[str, Any]) -> Service:
    """What is not known is left to the defaults."""
    return Service(**{key: value for key, value in row.items() if value is not None})


def anomaly_rows(anomalies: Iterable[Anomaly]) -> pd.DataFrame:
    """A row an episode; its evidence is JSON."""
    return pd.DataFrame(
        {
            SERVICE: a.service_name,
            TIMESTAMP: a.started_at,
            "detector": a.detector,
            "ended_at": a.ended_at,
            "peak_at": a.peak_at,
            "is_open": a.is_open,
            "severity": str(a.severity),
            "score": a.score,
            "message": a.message,
            "evidence": json.dumps([asdict(item) for item in a.evidence]),
        }
        for a in anomalies
    )


def anomaly_of(row: dict[str, Any]) -> Anomaly:
    """An episode."""
    evidence = tuple(Evidence(**item) for item in json.loads(row.pop("evidence")))
    return Anomaly(started_at=row.pop(TIMESTAMP), severity=Severity(row.pop("severity")), evidence=evidence, **row)


def fault_rows(faults: Iterable[Fault]) -> pd.DataFrame:
    """A row a fault; its metrics are separated by commas."""
    frame = pd.DataFrame([dict(zip(FAULT, astuple(fault), strict=True)) for fault in faults], columns=FAULT)
    frame["metrics"] = [",".join(names) for names in frame["metrics"]]
    return frame


def fault_of(row: dict[str, Any]) -> Fault:
    """A labelled fault."""
    return Fault(*({**row, "metrics": tuple(row["metrics"].split(","))}[name] for name in FAULT))


def cycle_rows(cycle: Cycle) -> pd.DataFrame:
    """One row; failures and warnings are JSON."""
    failures = json.dumps([asdict(failure) for failure in cycle.failures])
    return pd.DataFrame([asdict(cycle) | {"failures": failures, "warnings": json.dumps(list(cycle.warnings))}])


def cycle_of(row: dict[str, Any]) -> Cycle:
    """A cycle of the worker."""
    failures = tuple(Failure(**item) for item in json.loads(row["failures"]))
    return Cycle(**row | {"failures": failures, "warnings": tuple(json.loads(row["warnings"]))})
