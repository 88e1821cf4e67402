"""Quantiles made of buckets are those that a server makes of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.openmetrics import Exposition
from support.servers import History, Server, VictoriaMetrics

from observatory.model import SERVICE
from observatory.sources.prometheus.answers import Series
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.quantiles import quantile, quantiles_of

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(minutes=10)
WANTED = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
HISTOGRAMS: dict[str, dict[str, float]] = {
    "usual": {"0.1": 60, "0.5": 90, "1": 99, "+Inf": 100},
    "all in the first": {"0.1": 100, "0.5": 100, "+Inf": 100},
    "all above the last": {"0.1": 0, "0.5": 0, "+Inf": 100},
    "empty ones between": {"0.1": 50, "0.2": 50, "0.4": 50, "1": 100, "+Inf": 100},
    "at an end exactly": {"0.1": 50, "0.2": 95, "0.4": 99, "+Inf": 100},
    "idle": {"0.1": 0, "0.5": 0, "+Inf": 0},
    "infinite only": {"+Inf": 100},
    "without infinite": {"0.1": 50, "0.5": 100},
    "falls": {"0.1": 60, "0.5": 55, "1": 80, "+Inf": 100},
    "negative": {"-1": 60, "0": 80, "1": 100, "+Inf": 100},
    "two ways to write an end": {"1": 50, "1.0": 25, "2.0": 90, "+Inf": 100},
}
OF_VICTORIA = ("falls", "infinite only", "negative", "two ways to write an end", "without infinite")
"""Where it makes something else of what is no proper histogram."""


@pytest.fixture(scope="module", params=["prometheus", "victoria-metrics"])
def client(request: pytest.FixtureRequest) -> Iterator[PrometheusClient]:
    start = int(START.timestamp())
    text = Exposition(range(start, start + 660, 60))
    for name, buckets in HISTOGRAMS.items():
        for le, count in buckets.items():
            text.gauge("took_bucket", {"service_name": name, "le": le}, lambda at, count=count: count)
    server: Server = History(text.open_metrics()) if request.param == "prometheus" else VictoriaMetrics()
    with server:
        if isinstance(server, VictoriaMetrics):
            server.load(text.prometheus())
        yield PrometheusClient(server.url)


def known(series: Sequence[Series]) -> dict[str, float]:
    return {one.labels[SERVICE]: float(one.values[0]) for one in series if not math.isnan(one.values[0])}


@pytest.mark.servers
@pytest.mark.parametrize("metric", list(WANTED))
def test_they_are_those_of_the_server(client: PrometheusClient, metric: str) -> None:
    ours = known(quantiles_of(client.instant("sum by (le, service_name) (took_bucket)", NOW).series, WANTED)[metric])
    query = f"histogram_quantile({WANTED[metric]}, sum by (le, service_name) (took_bucket))"
    theirs = known(client.instant(query, NOW).series)
    if client.build().name == "VictoriaMetrics":
        ours, theirs = ({name: of[name] for name in of if name not in OF_VICTORIA} for of in (ours, theirs))
    assert ours == pytest.approx(theirs)
    assert len(ours) >= 5


@given(
    st.lists(st.floats(0.001, 100), min_size=1, max_size=8, unique=True),
    st.lists(st.integers(0, 1000), min_size=9, max_size=9),
    st.floats(0, 1),
)
def test_a_quantile_has_its_share_of_the_requests_below_it(ends: list[float], each: list[int], q: float) -> None:
    """Read back from the buckets, so many requests were faster."""
    upper = np.array([*sorted(ends), math.inf])
    counts = np.cumsum(each[: len(upper)]).astype(float)
    (value,) = quantile(q, upper, counts[None, :])
    if counts[-1] == 0:
        assert math.isnan(value)
        return
    assert 0 <= value <= upper[-2]
    faster = float(np.interp(value, [0.0, *upper[:-1]], [0.0, *counts[:-1]]))
    if value < upper[-2]:
        assert faster == pytest.approx(q * counts[-1], abs=1e-6 * counts[-1])
    else:
        assert q * counts[-1] >= counts[-2] * (1 - 1e-9) or q == 1 or faster == pytest.approx(counts[-2])


def test_in_another_unit_they_are_seconds_and_keep_the_labels_of_a_service() -> None:
    series = [
        Series({SERVICE: "cart", "le": le, "of": "a"}, np.array([7.0]), np.array([count]))
        for le, count in {"100": 50.0, "200": 100.0, "+Inf": 100.0, "nonsense": 9.0}.items()
    ]
    (found,) = quantiles_of(series, {"p50": 0.5}, 1000.0)["p50"]
    assert (dict(found.labels), found.times.tolist(), found.values.tolist()) == (
        {SERVICE: "cart", "of": "a"},
        [7.0],
        [0.1],
    )


def test_of_nothing_there_is_nothing() -> None:
    assert quantiles_of([], WANTED) == {"p50": [], "p95": [], "p99": []}
