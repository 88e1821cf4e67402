"""Detectors held against what users said: anomalies that were right, false alarms, and spans that were missed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pandas as pd

from observatory.compute.processes import outcomes
from observatory.detection.baselines import History
from observatory.detection.replay import MINIMUM_SAMPLES, detect_past
from observatory.evaluation.benchmark import chosen_detectors
from observatory.evaluation.episodes import GRACE, meets
from observatory.model import Anomaly, Failure, Fault, Feedback, Progress, Verdict, no_progress

MARGIN = timedelta(hours=1)
COLUMNS = ["detector", "service", "verdict", "started", "ended", "judged", "alarmed", "delay [s]"]


def evaluate_feedback(
    feedback: Sequence[Feedback],
    history: History,
    detectors: Sequence[str] | None = None,
    training: timedelta = timedelta(days=7),
    progress: Progress = no_progress,
    jobs: int = 1,
) -> tuple[pd.DataFrame, pd.DataFrame, list[Failure]]:
    """Replay the labelled services, and see what detectors make of each label.

    An alarm that nobody said anything about may be right or false: such are counted apart.

    Parameters
    ----------
    feedback
        The labels.
    history
        Gives the stored samples.
    detectors
        Names; all that are registered if None.
    training
        History before the first label to learn from.
    progress, jobs
        As in `observatory.evaluation.benchmark`.

    Returns
    -------
    A row a detector: true spans (``right`` and ``missed``) and how many are found, false alarms and how many are
    raised again, precision, recall, F1, the other alarms, median delay [s], and labels that are not evaluated for
    want of samples. A row a detector and label. And what failed.
    """
    names = chosen_detectors(detectors)
    labels: dict[str, list[Feedback]] = {}
    for one in feedback:
        labels.setdefault(one.service_name, []).append(one)
    frames = {}
    for service, mine in labels.items():
        first, last = min(one.started_at for one in mine), max(one.ended_at for one in mine)
        frames[service] = history(service, first - MARGIN - training, last + GRACE + MARGIN)
    work = [(labels[service], frame, name, training) for name in names for service, frame in frames.items()]
    cases: list[pd.DataFrame] = []
    others = dict.fromkeys(names, 0)
    failures = []
    done = dict.fromkeys(names, 0)
    for number, outcome in outcomes(evaluate_service, work, jobs):
        service, name = work[number][0][0].service_name, work[number][2]
        done[name] += 1
        progress(done[name], len(frames), name, service)
        if isinstance(outcome, Exception):
            failures.append(Failure(f"{name} on {service}", f"{type(outcome).__name__}: {outcome}"))
        else:
            cases.append(outcome[0])
            others[name] += outcome[1]
    table = pd.concat(cases, ignore_index=True) if cases else pd.DataFrame(columns=COLUMNS)
    table = table.sort_values(["detector", "started", "service"], kind="stable", ignore_index=True)
    rows = [{"detector": name} | _figures(table[table["detector"] == name], others[name]) for name in names]
    return pd.DataFrame(rows), table, failures


def evaluate_service(
    labels: Sequence[Feedback], frame: pd.DataFrame, detector: str, training: timedelta
) -> tuple[pd.DataFrame, int]:
    """One detector on the labels of one service: a row a label, and how many alarms nothing is said about."""
    start = min(one.started_at for one in labels) - MARGIN
    found = detect_past(labels[0].service_name, frame, detector, start, training)
    first = frame.index[MINIMUM_SAMPLES] if len(frame) > MINIMUM_SAMPLES else None
    true = [_as_fault(one) for one in labels if one.verdict is not Verdict.FALSE_ALARM]
    rows = []
    for one in labels:
        inside = frame.index[(frame.index >= one.started_at) & (frame.index <= one.ended_at)]
        is_scored = first is not None and len(inside) > 0 and inside[0] >= first
        hits = [a for a in found if _is_about(a, one)]
        if one.verdict is Verdict.FALSE_ALARM:
            hits = [a for a in hits if not any(meets(a, fault) for fault in true)]
        delay = min((max(0.0, (a.started_at - one.started_at).total_seconds()) for a in hits), default=np.nan)
        rows.append(
            (detector, one.service_name, str(one.verdict), one.started_at, one.ended_at, is_scored, bool(hits), delay)
        )
    others = [a for a in found if not any(_is_about(a, one) for one in labels)]
    return pd.DataFrame(rows, columns=COLUMNS), len(others)


def _figures(table: pd.DataFrame, others: int) -> dict[str, object]:
    scored = table[table["judged"].astype(bool)]
    is_false = scored["verdict"] == Verdict.FALSE_ALARM
    alarmed = scored["alarmed"].astype(bool)
    true, found, again = int((~is_false).sum()), int((alarmed & ~is_false).sum()), int((alarmed & is_false).sum())
    return {
        "true spans": true,
        "found": found,
        "false alarms": int(is_false.sum()),
        "raised again": again,
        "precision": round(found / (found + again), 3) if found + again else float("nan"),
        "recall": round(found / true, 3) if true else float("nan"),
        "f1": round(2 * found / (true + found + again), 3) if true else float("nan"),
        "other alarms": others,
        "median delay [s]": float(scored.loc[alarmed & ~is_false, "delay [s]"].median()) if found else float("nan"),
        "not judged": len(table) - len(scored),
    }


def _is_about(anomaly: Anomaly, label: Feedback) -> bool:
    """Whether an alarm overlaps a label; one shortly after a true span still belongs to it."""
    if label.verdict is Verdict.FALSE_ALARM:
        return anomaly.started_at <= label.ended_at and anomaly.ended_at >= label.started_at
    return meets(anomaly, _as_fault(label))


def _as_fault(label: Feedback) -> Fault:
    return Fault(label.service_name, str(label.verdict), label.started_at, label.ended_at, (), label.service_name)
