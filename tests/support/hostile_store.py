"""A store in which every text that somebody else may choose is hostile."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import cycle, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from support.hostile import NAMES, TEXTS

from observatory.model import (
    Anomaly,
    Change,
    ChangeKind,
    Cycle,
    Evidence,
    Failure,
    Fault,
    Feedback,
    Run,
    RunStatus,
    Service,
    Severity,
    Verdict,
)
from observatory.store import Store
from observatory.store.tables.audit import AuditEntry

MINUTE = timedelta(minutes=1)
SAMPLED = 8
"""So many of the services have samples, and so a page of their own with charts."""


def fill(store: Store, now: datetime, folder: Path) -> None:
    """A service for each name; teams, notes, errors, parameters, callers and messages of all texts."""
    texts = cycle(TEXTS)
    names = cycle(NAMES)
    store.register([Service(name, "demo", team=next(names), tier=next(names)) for name in NAMES])
    store.write_samples(_samples(now))
    store.write_calls(list(pairwise(NAMES)))
    store.write_anomalies([_anomaly(name, place, now) for place, name in enumerate(NAMES)])
    verdicts = [
        Feedback(NAMES[place % len(NAMES)], Verdict.RIGHT, now - (60 + place) * MINUTE, now, now, "seasonal", text)
        for place, text in enumerate(TEXTS)
    ]
    store.feedback.write(verdicts)
    store.changes.write([_change(place, text, now) for place, text in enumerate(TEXTS)])
    store.write_faults([Fault(name, name, now - 60 * MINUTE, now, (), name) for name in NAMES[:20]])
    failures = tuple(Failure(next(texts), text) for text in TEXTS)
    store.write_cycle(Cycle(now, 0.1, 1, len(NAMES), 0, failures, TEXTS))
    for text in TEXTS:
        store.remarks.record("demo", now - 5 * MINUTE, [text])
    store.audit.add(
        [AuditEntry(f"id-{place}", now, text, next(names), text, text, "403", text) for place, text in enumerate(TEXTS)]
    )
    for place, text in enumerate(TEXTS):
        store.runs.begin(_run(place, text, now, folder))


def _samples(now: datetime) -> pd.DataFrame:
    at = pd.date_range(end=now, periods=240, freq="1min")
    value = np.sin(np.arange(240) / 9) + 2
    metrics = {"request_rate": 10 * value, "error_rate": value / 100, "latency_p95": value / 10, "cpu_usage": value}
    return pd.concat([pd.DataFrame({"service_name": name, "timestamp": at, **metrics}) for name in NAMES[:SAMPLED]])


def _anomaly(name: str, place: int, now: datetime) -> Anomaly:
    start = now - timedelta(minutes=20 + place)
    evidence = (Evidence("latency_p95", 2.0, 0.2, 0.1, 0.4, 1.0, "up"),)
    severity = list(Severity)[place % 4]
    is_open = place % 2 == 0
    end = now if is_open else start + 10 * MINUTE
    return Anomaly(name, start, end, start, is_open, severity, 3.5, "seasonal", f"{name}: {name}", evidence)


def _change(place: int, text: str, now: datetime) -> Change:
    at, service = now - (10 + place) * MINUTE, NAMES[place % SAMPLED]
    return Change(f"c{place}", service, at, ChangeKind.DEPLOYMENT, text, text, text, text)


def _run(place: int, text: str, now: datetime, folder: Path) -> Run:
    return Run(
        id=f"run-{place}",
        notebook=text,
        started_at=now - 3 * MINUTE,
        seen_at=now,
        status=RunStatus.FAILED,
        folder=str(folder / "none"),
        process="me:1",
        parameters={"service": text},
        job=text,
        ended_at=now,
        failed_cell=2,
        error=text,
    )
