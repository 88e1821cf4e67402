"""Labelled faults for the demo shop: what each kind does to the metrics, and whom it reaches.

An `Injection` says what happens where and when. It changes the samples of every service it reaches, and yields
one `observatory.model.labels.Fault` a service as ground truth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from observatory.model import Fault

FloatArray = NDArray[np.float64]
Effect = Callable[[FloatArray, FloatArray, float], FloatArray]
"""(values, progress from 0 to 1, strength) → values during the fault."""

ONSET = timedelta(minutes=2)
HOP_LAG = timedelta(minutes=1)
HOP_STRENGTH = 0.6


def _times(factor: float) -> Effect:
    return lambda values, progress, strength: values * (1 + (factor - 1) * strength)


def _plus(amount: float) -> Effect:
    return lambda values, progress, strength: values + amount * strength


def _growing(factor: float) -> Effect:
    return lambda values, progress, strength: values * (1 + (factor - 1) * strength * progress)


def _late(factor: float, after: float) -> Effect:
    return lambda values, progress, strength: values * np.where(progress > after, 1 + (factor - 1) * strength, 1.0)


KINDS: dict[str, dict[str, Effect]] = {
    "latency_spike": {
        "latency_p50": _times(2.5),
        "latency_p95": _times(5.0),
        "latency_p99": _times(8.0),
    },
    "error_burst": {"error_rate": _plus(0.12)},
    "memory_leak": {"memory_usage": _growing(2.5), "latency_p99": _late(1.6, 0.8)},
    "traffic_drop": {"request_rate": _times(0.12), "cpu_usage": _times(0.3)},
    "crash_loop": {"restart_count": _plus(4.0), "pod_count": _plus(-2.0), "error_rate": _plus(0.06)},
    "cascade": {
        "latency_p50": _times(3.0),
        "latency_p95": _times(7.0),
        "latency_p99": _times(9.0),
        "error_rate": _plus(0.25),
    },
}
SPREADS = frozenset({"cascade"})
"""Kinds that reach the callers of the service, and theirs."""


@dataclass(frozen=True, slots=True)
class Injection:
    """One fault: `kind` in `service` from `start` to `end`, both inclusive."""

    kind: str
    service: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Reach:
    """What an injection does to one service: its label, and how strongly it feels it (1 at the root)."""

    fault: Fault
    strength: float


def reach(injection: Injection, calls: Sequence[tuple[str, str]]) -> list[Reach]:
    """Every service an injection touches, the root first; each caller feels it later and less than its callee."""
    hops = {injection.service: 0}
    if injection.kind in SPREADS:
        waiting = [injection.service]
        for service in waiting:
            for caller, callee in calls:
                if callee == service and caller not in hops:
                    hops[caller] = hops[service] + 1
                    waiting.append(caller)
    return [
        Reach(
            Fault(
                service_name=service,
                kind=injection.kind,
                start=injection.start + hop * HOP_LAG,
                end=injection.end + hop * HOP_LAG,
                metrics=tuple(KINDS[injection.kind]),
                root_cause=injection.service,
            ),
            HOP_STRENGTH**hop,
        )
        for service, hop in hops.items()
    ]


def apply(reached: Reach, frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` (UTC index, one service) with the fault in it; the fault sets in over two minutes."""
    fault = reached.fault
    rows = (frame.index >= fault.start) & (frame.index <= fault.end)
    if not rows.any():
        return frame
    changed = frame.copy()
    times = pd.DatetimeIndex(frame.index[rows])
    elapsed = (times - pd.Timestamp(fault.start)).total_seconds().to_numpy(float)
    progress = elapsed / max((fault.end - fault.start).total_seconds(), 1.0)
    onset = 0.5 + 0.5 * np.minimum(1.0, elapsed / ONSET.total_seconds())
    for metric, effect in KINDS[fault.kind].items():
        healthy = frame.loc[rows, metric].to_numpy(float)
        ill = effect(healthy, progress, reached.strength)
        changed.loc[rows, metric] = healthy + onset * (ill - healthy)
    changed["error_rate"] = changed["error_rate"].clip(0.0, 1.0)
    for counted in ("restart_count", "pod_count"):
        changed[counted] = changed[counted].round().clip(lower=0.0)
    return changed
