"""One metric goes wrong, and nothing else: the faults that vanish in sums over all metrics.

Services are those of the demo shop, well for some days; then one metric of one service goes wrong for half an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from observatory.compute.processes import outcomes
from observatory.detection.replay import detect_past
from observatory.errors import InvalidInputError
from observatory.evaluation.benchmark import chosen_detectors
from observatory.evaluation.demo import STEP
from observatory.evaluation.episodes import meets
from observatory.model import SERVICE, TIMESTAMP, Failure, Fault, Progress, Severity, no_progress
from observatory.sources.demo.shop import SHOP, DemoSource

Effect = Callable[[pd.Series], pd.Series]

FAULTS: dict[str, tuple[str, Effect]] = {
    "p99 ×10": ("latency_p99", lambda values: values * 10),
    "errors 50 %": ("error_rate", lambda values: values * 0 + 0.5),
    "memory ×3": ("memory_usage", lambda values: values * 3),
    "traffic to 0": ("request_rate", lambda values: values * 0),
    "pods 4 → 1": ("pod_count", lambda values: values * 0 + 1),
    "restarts +5": ("restart_count", lambda values: values + 5),
    "CPU ×4": ("cpu_usage", lambda values: values * 4),
}
LENGTH = timedelta(minutes=30)
BEFORE = timedelta(minutes=30)
HISTORY_DAYS = 7.0
PODS = 4.0
WELL_SINCE = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
SEVERE = (Severity.CRITICAL, Severity.HIGH)


@dataclass(frozen=True, slots=True)
class Case:
    """What a detector made of one fault; `severity` is the worst of the episode, `delay` in seconds."""

    fault: str
    service: str
    found: bool
    severity: Severity | None
    delay: float


def evaluate_single(
    seed: int = 7,
    detectors: Sequence[str] | None = None,
    days: float = HISTORY_DAYS,
    progress: Progress = no_progress,
    jobs: int = 1,
    services: Sequence[str] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame, list[Failure]]:
    """Inject each of `FAULTS` into each service, and see whether it is found and how severe it is called.

    Parameters
    ----------
    seed
        Of the services, and of the time of day at which each fault begins.
    detectors
        Names; all that are registered if None.
    days
        History to learn from.
    progress
        Is told how many services are done.
    jobs
        Processes that work at a time.
    services
        Names from the demo shop; all if None.

    Returns
    -------
    A row a detector and kind of fault (``all`` sums up): cases, found, share found, share called critical or high,
    median delay [s]. A row a case. And what failed.

    Raises
    ------
    UnknownPluginError, InvalidInputError
        No detector of that name; less than a tenth of a day of history.
    """
    names = chosen_detectors(detectors)
    if days < 0.1:
        raise InvalidInputError(f"days = {days:g}: needs at least 0.1 days of history to learn from")
    work = [(service, name, seed, days) for name in names for service in services or SHOP]
    cases: dict[int, list[Case]] = {}
    failures = []
    done = dict.fromkeys(names, 0)
    for number, outcome in outcomes(evaluate_service, work, jobs):
        service, name, *_ = work[number]
        done[name] += 1
        progress(done[name], len(work) // len(names), name, service)
        if isinstance(outcome, Exception):
            failures.append(Failure(f"{name} on {service}", f"{type(outcome).__name__}: {outcome}"))
        else:
            cases[number] = outcome
    found = [(work[number][1], case) for number in sorted(cases) for case in cases[number]]
    rows = [
        {"detector": name, "fault": fault} | _figures([c for n, c in found if n == name and fault in ("all", c.fault)])
        for name in names
        for fault in (*FAULTS, "all")
    ]
    columns = ["detector", "fault", "service", "found", "severity", "delay [s]"]
    table = pd.DataFrame(
        [(n, c.fault, c.service, c.found, c.severity and str(c.severity), c.delay) for n, c in found], columns=columns
    )
    return pd.DataFrame(rows), table, failures


def evaluate_service(service: str, detector: str, seed: int, days: float) -> list[Case]:
    """Each of `FAULTS` in turn, in one service; every case has a history without any fault."""
    source = DemoSource(seed, WELL_SINCE)
    end = WELL_SINCE + timedelta(days=days + 1)
    well = source.history(WELL_SINCE, end, STEP, [service]).frame.drop(columns=SERVICE).set_index(TIMESTAMP)
    well["pod_count"] = PODS
    random = np.random.default_rng([seed, list(SHOP).index(service)])
    found = []
    for name, (metric, effect) in FAULTS.items():
        minutes = int(random.integers(BEFORE // timedelta(minutes=1), 1440 - 60))
        start = WELL_SINCE + timedelta(days=days, minutes=minutes)
        fault = Fault(service, name, start, start + LENGTH, (metric,), service)
        frame = well[well.index <= fault.end].copy()
        ill = frame.index >= fault.start
        frame.loc[ill, metric] = effect(frame.loc[ill, metric])
        # Detecting from half an hour before on tells an alarm that was there already from one about the fault.
        anomalies = detect_past(service, frame, detector, start - BEFORE)
        hits = [a for a in anomalies if meets(a, fault) and a.started_at >= fault.start]
        first = min((a.started_at for a in hits), default=None)
        worst = min((a.severity for a in hits), key=lambda severity: severity.rank, default=None)
        delay = float("nan") if first is None else (first - fault.start).total_seconds()
        found.append(Case(name, service, bool(hits), worst, delay))
    return found


def _figures(cases: Sequence[Case]) -> dict[str, object]:
    found = [case for case in cases if case.found]
    severe = [case for case in found if case.severity in SEVERE]
    return {
        "cases": len(cases),
        "found": len(found),
        "share found": round(len(found) / len(cases), 3) if cases else float("nan"),
        "critical or high": round(len(severe) / len(cases), 3) if cases else float("nan"),
        "median delay [s]": float(np.median([case.delay for case in found])) if found else float("nan"),
    }
