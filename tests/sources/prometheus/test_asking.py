"""Who has few requests is asked for over the long window; everybody else costs the server one round only."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import cast

import pytest
from support.known import NOW, Found, Known

from observatory.errors import QueryRefusedError
from observatory.model import SERVICE, Failure
from observatory.sources.prometheus.asking import Answers, Asking
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.connection import Limits
from observatory.sources.prometheus.plan import FAMILY, Plan, make_plan
from observatory.sources.prometheus.presets import PRESETS


class Server(Known):
    """Two families of a counter with a histogram, whose answers are made by `answer`."""

    limits = Limits(concurrency=1)
    longest_query = 100_000

    def __init__(self, answer: Callable[[str], Found | None]) -> None:
        super().__init__(
            'up{job="shop"}',
            'http_request_duration_seconds_count{job="shop",code="200"}',
            'http_request_duration_seconds_bucket{job="shop",code="200",le="0.1"}',
            answer=lambda query: () if FAMILY not in query else answer(query),
        )

    def plan(self) -> Plan:
        return make_plan(self.inventory(), list(PRESETS.values()), window=60)

    def now(self, services: Sequence[str] | None = None) -> dict[str, dict[str, float] | str]:
        """By metric the values by service, or why there are none."""
        plan = self.plan()
        self.queries.clear()
        found = Asking(cast(PrometheusClient, self), None).now(plan, NOW, services)
        self.found = found
        return {
            metric: {one.labels[SERVICE]: float(one.values[0]) for one in answer.series}
            if isinstance(answer, Answers)
            else str(answer)
            for metric, answer in found.items()
        }


def is_long(query: str) -> bool:
    return "[300s]" in query


def shop(query: str, rates: dict[str, float]) -> Found:
    """By `rates` of requests; the value of a ratio says over which window it was taken, a quantile, too."""
    labels = {FAMILY: re.findall(rf'"{FAMILY}", "([^"]*)"', query)[0]}
    if "(le, " in query:
        ends = {"300": 100.0} if is_long(query) else {"60": 100.0}
        return [
            ({**labels, SERVICE: name, "le": le}, value)
            for name in rates
            for le, value in ({"0": 0.0} | ends | {"+Inf": 100.0}).items()
        ]
    if "code=~" in query or "_sum" in query:
        return [({**labels, SERVICE: name}, 300.0 if is_long(query) else 60.0) for name in rates]
    return [({**labels, SERVICE: name}, rate) for name, rate in rates.items()]


@pytest.mark.parametrize("usual", [20 / 60, 5.0])
def test_only_who_had_few_requests_is_taken_over_the_long_window(usual: float) -> None:
    server = Server(lambda query: shop(query, {"usual": usual, "rare": 19 / 60, "idle": 0.0}))
    found = server.now()
    assert found["request_rate"] == {"usual": usual, "rare": 19 / 60, "idle": 0.0}
    assert found["error_rate"] == {"usual": 60, "rare": 300, "idle": 300}
    assert found["latency_p50"] == {"usual": 30, "rare": 150, "idle": 150}
    assert found["latency_mean"] == {"usual": 60, "rare": 300, "idle": 300}


def test_where_everybody_has_enough_nothing_is_asked_twice() -> None:
    server = Server(lambda query: shop(query, {"a": 1.0, "b": 2.0}))
    server.now()
    assert not any(map(is_long, server.queries))
    assert len(server.queries) == sum(answer.queries for answer in server.found.values())
    few = Server(lambda query: shop(query, {"a": 1.0, "b": 0.1}))
    few.now()
    assert sum(map(is_long, few.queries)) == 3  # errors, the mean, and the buckets of all quantiles
    assert len(few.queries) == len(server.queries) + 3


def test_of_few_services_only_these_travel_the_second_time() -> None:
    server = Server(lambda query: shop(query, {"a": 1.0, "b": 0.1}))
    server.now()
    assert all('"b", "", "")' in query and '"a", "", "")' not in query for query in server.queries if is_long(query))
    server.now(["a"])
    assert not any(map(is_long, server.queries))


def test_where_the_long_window_fails_the_others_keep_their_value_and_it_is_said() -> None:
    def answer(query: str) -> Found | None:
        return None if is_long(query) else shop(query, {"usual": 5.0, "rare": 0.1})

    server = Server(answer)
    found = server.now()
    assert found["error_rate"] == {"usual": 60}
    assert found["latency_p99"] == {"usual": pytest.approx(59.4)}
    said = [failure for answer in server.found.values() for failure in cast(Answers, answer).failures]
    metrics = ["error_rate", "latency_p50", "latency_p95", "latency_p99", "latency_mean"]
    assert said == [Failure(metric, "refused") for metric in metrics]


def test_where_the_buckets_fail_every_quantile_has_failed() -> None:
    server = Server(lambda query: None if "(le, " in query else shop(query, {"usual": 5.0}))
    found = server.now()
    assert {metric for metric, values in found.items() if values == "refused"} == {
        "latency_p50",
        "latency_p95",
        "latency_p99",
    }
    assert all(isinstance(server.found[metric], QueryRefusedError) for metric in ("latency_p50", "latency_p99"))
