"""A runtime in memory whose clock stands still: demo samples, made-up anomalies, and a service with a hostile name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

import pandas as pd
import pytest

from observatory.config import Settings
from observatory.model import Anomaly, Cycle, Evidence, Failure, Service, Severity
from observatory.runtime import Runtime

NOW = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
HOSTILE = 'evil/<img src=x onerror="alert(1)">\'&amp;'


def anomaly(
    service: str,
    minutes_ago: float,
    severity: Severity = Severity.CRITICAL,
    *,
    minutes: float = 10,
    is_open: bool = False,
    metrics: tuple[str, ...] = ("latency_p95", "error_rate"),
) -> Anomaly:
    start = NOW - timedelta(minutes=minutes_ago)
    evidence = tuple(Evidence(name, 2.0, 0.2, 0.1, 0.4, 1 / len(metrics), "up") for name in metrics)
    end = NOW if is_open else start + timedelta(minutes=minutes)
    message = f"{service}: p95 latency 2 s, typically 100–400 ms"
    return Anomaly(service, start, end, start, is_open, severity, 3.512, "ensemble", message, evidence)


@cache
def samples() -> pd.DataFrame:
    """Six hours of the demo shop; made once, for it takes a while."""
    runtime = Runtime(Settings(store=":memory:", worker=False), clock=lambda: NOW)
    frame = runtime.sources[0].history(NOW - timedelta(hours=6), NOW, 60).frame
    runtime.close()
    return frame


def make_empty() -> Runtime:
    return Runtime(Settings(store=":memory:", worker=False, refresh=3600), clock=lambda: NOW)


def make_shop() -> Runtime:
    runtime = make_empty()
    runtime.store.register([*runtime.sources[0].discover(), Service(HOSTILE, team="<b>team</b>")])
    runtime.store.write_samples(samples())
    runtime.store.write_anomalies(
        [
            anomaly("shop/cart", 30, is_open=True),
            anomaly("shop/cart", 25, Severity.LOW, is_open=True, metrics=("memory_usage",)),
            anomaly("shop/search", 200, Severity.HIGH),
            anomaly(HOSTILE, 300, Severity.MEDIUM, metrics=("pod_count",)),
            anomaly("shop/search", 3 * 24 * 60, Severity.LOW),
        ]
    )
    runtime.store.write_cycle(Cycle(NOW, 0.2, 12, 12, 1, (Failure("latency_p95", "Prometheus refused"),), ("slow",)))
    return runtime


@pytest.fixture(scope="session")
def shop() -> Iterator[Runtime]:
    """For tests that only read."""
    runtime = make_shop()
    yield runtime
    runtime.close()


@pytest.fixture
def bare() -> Iterator[Runtime]:
    """A store nobody has written to."""
    runtime = make_empty()
    yield runtime
    runtime.close()
