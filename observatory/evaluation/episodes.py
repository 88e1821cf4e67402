"""Anomalies as people see them, held against labelled faults: episodes found, false alarms, delay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd

from observatory.detect import replay
from observatory.detectors import DETECTORS
from observatory.errors import InvalidInputError
from observatory.model import SERVICE, TIMESTAMP, Anomaly, Fault
from observatory.sources.demo import DemoSource

GRACE = timedelta(minutes=15)
"""Alarms this long after a fault are part of it: services need a while to recover."""
DEMO_END = datetime(2026, 3, 1, tzinfo=UTC)
DEMO_DAYS = 7.0
LEARNING_DAYS = 2.0
STEP = 60.0


@dataclass(frozen=True, slots=True)
class EventScores:
    """Faults found and false alarms raised, each fault and each anomaly counted once (no point adjustment).

    `delay` is the median time from a fault's start to its first alarm [s], NaN when none was found;
    `faults` has a row a labelled fault: service, kind, start, found, delay [s].
    """

    precision: float
    recall: float
    f1: float
    false_alarms: int
    false_alarms_per_service_week: float
    delay: float
    faults: pd.DataFrame


def event_scores(faults: Sequence[Fault], anomalies: Sequence[Anomaly], services: int, span: timedelta) -> EventScores:
    """Judge `anomalies` found on so many `services` over `span` against labelled `faults`."""
    rows = []
    for fault in faults:
        hits = [a for a in anomalies if a.service_name == fault.service_name and _meets(a, fault)]
        delay = min((max(0.0, (a.started_at - fault.start).total_seconds()) for a in hits), default=float("nan"))
        rows.append((fault.service_name, fault.kind, fault.start, bool(hits), delay))
    table = pd.DataFrame(rows, columns=["service", "kind", "start", "found", "delay"])
    false = sum(not any(a.service_name == f.service_name and _meets(a, f) for f in faults) for a in anomalies)
    found = int(table["found"].sum())
    precision = found / (found + false) if found + false else 0.0
    recall = found / len(faults) if faults else 0.0
    weeks = services * span / timedelta(weeks=1)
    return EventScores(
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / (precision + recall) if found else 0.0,
        false_alarms=false,
        false_alarms_per_service_week=false / weeks if weeks else 0.0,
        delay=float(table["delay"].median()) if found else float("nan"),
        faults=table,
    )


def evaluate_demo(
    seed: int = 7,
    detectors: Sequence[str] | None = None,
    days: float | None = None,
    progress: Callable[[int, int, str], None] = lambda done, total, what: None,
) -> pd.DataFrame:
    """Compare detectors on the demo shop: a row a detector, the best first.

    Parameters
    ----------
    seed
        Of the shop.
    detectors
        Names; all that are registered if None.
    days
        Length of the history, a week if None. Its first two days are for learning and are not judged.
    progress
        Is told how many services are done.

    Raises
    ------
    UnknownPluginError, InvalidInputError
        No detector of that name; not more than two days.
    """
    names = list(detectors) if detectors else list(DETECTORS)
    for name in names:
        DETECTORS.get(name)
    length = DEMO_DAYS if days is None else days
    if length <= LEARNING_DAYS:
        raise InvalidInputError(f"days = {length:g}: must be more than the {LEARNING_DAYS:g} days for learning")
    source = DemoSource(seed, DEMO_END, days=length)
    start = DEMO_END - timedelta(days=length)
    judged = start + timedelta(days=LEARNING_DAYS)
    faults = [fault for fault in source.faults(start, DEMO_END) if fault.start >= judged]
    frame = source.history(start, DEMO_END, STEP).frame
    frames = {str(name): rows.drop(columns=SERVICE).set_index(TIMESTAMP) for name, rows in frame.groupby(SERVICE)}
    rows = []
    for name in names:
        found = _detect_all(frames, name, judged, progress)
        scores = event_scores(faults, found, len(frames), DEMO_END - judged)
        rows.append(
            {
                "detector": name,
                "faults": len(faults),
                "found": int(scores.faults["found"].sum()),
                "false alarms": scores.false_alarms,
                "recall": round(scores.recall, 3),
                "precision": round(scores.precision, 3),
                "f1": round(scores.f1, 3),
                "false alarms a service-week": round(scores.false_alarms_per_service_week, 2),
                "median delay [s]": round(scores.delay, 1),
            }
        )
    return pd.DataFrame(rows).sort_values(["f1", "detector"], ascending=[False, True], ignore_index=True)


def _detect_all(
    frames: Mapping[str, pd.DataFrame], detector: str, start: datetime, progress: Callable[[int, int, str], None]
) -> list[Anomaly]:
    found: list[Anomaly] = []
    for done, (service, frame) in enumerate(frames.items()):
        progress(done, len(frames), detector)
        found += replay(service, frame, detector, start)
    progress(len(frames), len(frames), detector)
    return found


def _meets(anomaly: Anomaly, fault: Fault) -> bool:
    return anomaly.started_at <= fault.end + GRACE and anomaly.ended_at >= fault.start
