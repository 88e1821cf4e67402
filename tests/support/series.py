"""Made-up samples of one service: a daily pattern, heavy-tailed noise, and faults on request."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

MINUTES = 1440

Change = Callable[[pd.Series], pd.Series]


def series(days: float = 8, seed: int = 0) -> pd.DataFrame:
    """Nine metrics a minute from a Monday on, UTC."""
    random, count = np.random.default_rng(seed), int(days * MINUTES)
    index = pd.date_range("2026-01-05", periods=count, freq="60s", tz="UTC")
    load = 1 + 0.5 * np.sin(2 * np.pi * np.arange(count) / MINUTES)

    def noise(scale: float) -> np.ndarray:
        return np.exp(scale * random.standard_t(5, count))

    p50 = 0.05 * load**0.3 * noise(0.06)
    columns = {
        "request_rate": 100 * load * noise(0.05),
        "error_rate": np.minimum(0.001 * noise(0.3), 0.01),
        "latency_p50": p50,
        "latency_p95": 3 * p50 * noise(0.05),
        "latency_p99": 6 * p50 * noise(0.08),
        "cpu_usage": 2 * load * noise(0.05),
        "memory_usage": 5e8 * noise(0.02),
        "restart_count": np.zeros(count),
        "pod_count": np.full(count, 4.0),
    }
    return pd.DataFrame(columns, index=index)


def with_fault(frame: pd.DataFrame, metric: str, change: Change, first: int, rows: int = 30) -> pd.DataFrame:
    """`frame` with one metric changed from row `first` on."""
    changed = frame.copy()
    where = frame.index[first : first + rows]
    changed.loc[where, metric] = change(frame.loc[where, metric])
    return changed
