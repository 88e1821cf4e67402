"""Anomalies as people see them, held against labelled faults: episodes found, false alarms, delay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import pandas as pd

from observatory.compute.processes import outcomes
from observatory.detection.replay import detect_past
from observatory.evaluation.benchmark import chosen_detectors
from observatory.evaluation.demo import labelled_demo
from observatory.model import Anomaly, Fault, Progress, no_progress

GRACE = timedelta(minutes=15)
"""Alarms this long after a fault are part of it: services need a while to recover."""


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
    """Hold `anomalies` found on so many `services` over `span` against labelled `faults`."""
    rows = []
    for fault in faults:
        hits = [a for a in anomalies if meets(a, fault)]
        delay = min((max(0.0, (a.started_at - fault.start).total_seconds()) for a in hits), default=float("nan"))
        rows.append((fault.service_name, fault.kind, fault.start, bool(hits), delay))
    table = pd.DataFrame(rows, columns=["service", "kind", "start", "found", "delay"])
    false = sum(not any(meets(a, f) for f in faults) for a in anomalies)
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
    progress: Progress = no_progress,
    jobs: int = 1,
) -> pd.DataFrame:
    """Compare detectors on the demo shop: a row a detector, the best first.

    Parameters
    ----------
    seed
        Of the shop.
    detectors
        Names; all that are registered if None.
    days
        Length of the history, a week if None. Its first two days are for learning and are not scored.
    progress
        Is told how many services are done.
    jobs
        Processes that work at a time.

    Raises
    ------
    UnknownPluginError, InvalidInputError
        No detector of that name; not more than two days.
    """
    names = chosen_detectors(detectors)
    demo = labelled_demo(seed, days)
    work = [(service, frame, name, demo.scored_from) for name in names for service, frame in demo.frames.items()]
    found: dict[str, list[Anomaly]] = {name: [] for name in names}
    done = dict.fromkeys(names, 0)
    for number, outcome in outcomes(detect_past, work, jobs):
        if isinstance(outcome, Exception):
            raise outcome
        name = work[number][2]
        found[name] += outcome
        done[name] += 1
        progress(done[name], len(demo.frames), name)
    rows = []
    for name in names:
        scores = event_scores(demo.faults, found[name], len(demo.frames), demo.end - demo.scored_from)
        rows.append(
            {
                "detector": name,
                "faults": len(demo.faults),
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


def meets(anomaly: Anomaly, fault: Fault) -> bool:
    """Whether an anomaly belongs to a fault: same service, and it overlaps the fault or its recovery."""
    if anomaly.service_name != fault.service_name:
        return False
    return anomaly.started_at <= fault.end + GRACE and anomaly.ended_at >= fault.start
