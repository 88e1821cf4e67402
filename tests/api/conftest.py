"""A real runtime over the demo source and an in-memory store, and the real router in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

import pandas as pd
import pytest
from flask.testing import FlaskClient

from observatory.api.app import create_app
from observatory.config import Settings
from observatory.model import Anomaly, Change, ChangeKind, Cycle, Evidence, Failure, Severity, Silence
from observatory.runtime import Runtime
from observatory.runtime.incidents import IncidentTracker

NOW = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
HOURS = 6
OPEN_INCIDENT, ENDED_INCIDENT = "3ad3142cc469", "a9e6fc29ebd5"
"""What the anomalies below are: an id is made of the first symptom."""
SILENCE = Silence(
    "s0",
    "new disks",
    "key:ann",
    NOW,
    NOW + timedelta(days=1),
    NOW + timedelta(days=1, hours=2),
    ("shop/cart",),
)
"""To come: it says nothing of how things are now."""
CHANGE = Change("c0", "shop/cart", NOW - timedelta(hours=2), ChangeKind.DEPLOYMENT, "1.4.1", source="demo")


def anomaly(service: str, minutes_ago: int, severity: Severity, *, is_open: bool = False) -> Anomaly:
    """Ten minutes long, with one value of its evidence missing."""
    start = NOW - timedelta(minutes=minutes_ago)
    evidence = Evidence("latency_p95", 2.0, 0.2, float("nan"), 0.4, 1.0, "up")
    end = NOW if is_open else start + timedelta(minutes=10)
    return Anomaly(
        service, start, end, start, is_open, severity, 3.5, "ensemble", "p95 2 s, typically 200 ms", (evidence,)
    )


@cache
def samples() -> pd.DataFrame:
    """Demo history with holes; made once, for it takes a while."""
    runtime = Runtime(Settings(store=":memory:", worker=False), clock=lambda: NOW)
    frame = runtime.sources[0].history(NOW - timedelta(hours=HOURS), NOW, 60).frame.copy()
    runtime.close()
    frame.loc[frame.index % 7 == 0, "latency_p50"] = float("nan")
    return frame


def make_runtime(store: str = ":memory:") -> Runtime:
    limits = {"rate_limit": "1000000/minute", "sign_in_limit": "1000000/minute"}
    runtime = Runtime(Settings(store=store, worker=False, **limits), clock=lambda: NOW)
    runtime.store.register(runtime.sources[0].discover())
    runtime.store.write_samples(samples())
    names = [service.name for service in runtime.store.services()]
    runtime.store.write_anomalies(
        [
            anomaly(names[0], 30, Severity.CRITICAL, is_open=True),
            anomaly(names[0], 100, Severity.LOW),
            anomaly(names[1], 100, Severity.HIGH),
            anomaly(names[1], 200, Severity.MEDIUM),
            anomaly(names[1], 3 * 24 * 60, Severity.HIGH),
        ]
    )
    IncidentTracker(runtime.store).follow(NOW, {})
    runtime.store.changes.write([CHANGE])
    runtime.store.silences.write([SILENCE])
    runtime.store.write_cycle(Cycle(NOW, 0.2, 2, 2, 1, (Failure("detect x", "no"),), ("a warning",)))
    return runtime


@pytest.fixture(scope="session")
def shared() -> Iterator[Runtime]:
    """For tests that only read."""
    runtime = make_runtime()
    yield runtime
    runtime.close()


@pytest.fixture(scope="session")
def reader(shared: Runtime) -> FlaskClient:
    return create_app(shared).test_client()


@pytest.fixture
def refused(reader: FlaskClient, shared: Runtime) -> Iterator[FlaskClient]:
    """For requests that are refused, and so change nothing."""
    before = shared.store.revision
    yield reader
    assert shared.store.revision == before


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    """For tests that write."""
    runtime = make_runtime()
    yield runtime
    runtime.close()


@pytest.fixture
def client(runtime: Runtime) -> FlaskClient:
    return create_app(runtime).test_client()


@pytest.fixture(scope="session")
def names(shared: Runtime) -> list[str]:
    return [service.name for service in shared.store.services()]
