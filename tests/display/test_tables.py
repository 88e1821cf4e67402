"""Tables say what is known, keep quiet of what few services have, and tell why a service is ill."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest

from observatory.catalog import METRICS
from observatory.config import Settings
from observatory.display.health import health_table
from observatory.display.samples import coverage_table, sample_table
from observatory.health.overview import Overview, overview
from observatory.model import Service
from observatory.store import Store, open_store

NOW = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
BUSY = {"request_rate": 10.0, "error_rate": 0.2, "restart_count": 0.0}


def store_of(**services: dict[str, float]) -> Store:
    store = open_store(":memory:")
    store.register([Service(name) for name in services])
    rows = [{"service_name": name, "timestamp": pd.Timestamp(NOW), **known} for name, known in services.items()]
    store.write_samples(pd.DataFrame(rows))
    return store


def seen(store: Store) -> Overview:
    return overview(store, Settings(store=":memory:"), NOW)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("known", "why"),
    [
        (BUSY, "errors 20 %, burning the budget 200× as fast as allowed"),
        ({"up": 0.0, "pod_count": 0.0}, "it is down"),
        ({"probe_success": 0.0}, "its probe fails"),
        (BUSY | {"error_rate": 0.0}, ""),
        ({"cpu_usage": 1.0}, "too little is known to judge: no availability, latency, saturation, stability, anomaly"),
    ],
)
def test_an_ill_service_says_why(known: dict[str, float], why: str) -> None:
    (row,) = health_table(seen(store_of(shop=known))).to_dict("records")
    assert row["why"] == why


def test_the_mean_stands_in_for_a_p95_that_is_not_known() -> None:
    known = {"mean": BUSY | {"latency_mean": 0.2}, "both": BUSY | {"latency_mean": 0.2, "latency_p95": 0.4}, "no": BUSY}
    table = health_table(seen(store_of(**known))).set_index("service")["p95 latency"]
    assert table.to_dict() == {"mean": "200 ms (mean)", "both": "400 ms", "no": "–"}


def test_samples_have_a_column_of_each_metric_with_values() -> None:
    common = [metric.label for metric in METRICS.values() if metric.common]
    assert list(sample_table(store_of(shop=BUSY), NOW)) == common
    assert list(sample_table(store_of(shop=BUSY, jobs={"queue_lag": 3.0}), NOW)) == [*common, "queue"]


def test_a_metric_that_no_service_has_makes_no_history_less_complete() -> None:
    shares = pd.DataFrame({name: [1.0, 0.5] for name in METRICS}, index=["cart", "search"])
    shares.loc[:, [name for name, metric in METRICS.items() if not metric.common]] = 0.0
    shares["up"] = [0.0, 1.0]
    table = coverage_table(shares)
    assert "queue_lag" not in table
    assert table.set_index("service_name")["up"].to_dict() == {"cart": "0 %", "search": "100 %"}
