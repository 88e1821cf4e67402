"""A limit of a server costs time, not history: pieces get smaller; what stays refused is a failure, and asked again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from support.blind import asked_of, blind, parts
from support.servers import FaultyServer, History, Reply, Request, VictoriaMetrics, refusal, success

from observatory.collection.backfill import BackfillReport, backfill
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.connection import Limits
from observatory.sources.prometheus.source import PrometheusSource
from observatory.store import Store, open_store
from observatory.store.tables.fetches import Question

END = datetime(2026, 3, 4, tzinfo=UTC)
START = END - timedelta(hours=12)
STEP = 60.0
SERVICES = [f"svc-{number}" for number in range(4)]
TOO_MANY = "query processing would load too many samples into memory in query execution"


def lines(*, milliseconds: bool) -> str:
    """Twelve hours and a bit of four services: eight routes with requests each, one series of CPU and memory."""
    said = []
    for job in SERVICES:
        labels = f'job="{job}",instance="{job}:80"'
        series = {f'http_request_duration_seconds_count{{{labels},code="200",route="/{n}"}}': 10.0 for n in range(8)}
        series |= {f"process_cpu_seconds_total{{{labels}}}": 0.1, f"process_start_time_seconds{{{labels}}}": 0.0}
        for name, rate in series.items():
            for turn in range(-20, 12 * 60 + 1):
                at = START.timestamp() + 60 * turn
                said.append(f"{name} {rate * (at - START.timestamp() + 3600)} {at * 1000 if milliseconds else at:.0f}")
    return "\n".join(said) + "\n"


class LimitedHistory(History):
    """A Prometheus with a past that loads at most so many samples for a query."""

    def __init__(self, text: str, most_samples: int) -> None:
        super().__init__(text)
        self._most_samples = most_samples

    def arguments(self, folder: Path) -> list[str]:
        flags = [flag for flag in super().arguments(folder) if "max-samples" not in flag]
        return [*flags, f"--query.max-samples={self._most_samples}"]


class LimitedVictoria(VictoriaMetrics):
    """A VictoriaMetrics that looks at no more than ten series for a query."""

    def arguments(self, folder: Path) -> list[str]:
        flags = [flag for flag in super().arguments(folder) if "maxUniqueTimeseries" not in flag]
        return [*flags, "-search.maxUniqueTimeseries=10"]


@pytest.fixture(scope="module")
def unlimited() -> Iterator[str]:
    with History(lines(milliseconds=False) + "# EOF\n") as server:
        yield server.url


def a_source(url: str, **limits: float) -> PrometheusSource:
    client = PrometheusClient(url, Limits(timeout=20, **limits), sleep=lambda seconds: None)
    return PrometheusSource(client, 300, ("go", "process"))


def run(source: PrometheusSource, store: Store) -> BackfillReport:
    return backfill([source], store, START, END, STEP, parallel=1)


def whole(url: str) -> pd.DataFrame:
    with open_store(":memory:") as store:
        assert run(a_source(url), store).failures == ()
        return store.history_of_all(START, END)


def done(source: PrometheusSource, store: Store) -> list[object]:
    return list(store.fetches.done(Question(source.name, source.asks, (), STEP)))


@pytest.mark.servers
@pytest.mark.parametrize("most_samples", [20_000, 2_000, 500])
def test_a_history_behind_a_limit_of_samples_arrives_whole(unlimited: str, store: Store, most_samples: int) -> None:
    with LimitedHistory(lines(milliseconds=False) + "# EOF\n", most_samples) as server:
        report = run(a_source(server.url), store)
    assert (report.failures, report.warnings) == ((), ())
    assert report.coverage.loc[SERVICES, ["request_rate", "cpu_usage"]].eq(1).all(axis=None)
    pd.testing.assert_frame_equal(store.history_of_all(START, END), whole(unlimited))


@pytest.mark.servers
def test_what_no_piece_is_small_enough_for_is_a_failure_and_comes_once_the_limit_is_raised(
    unlimited: str, store: Store
) -> None:
    with LimitedHistory(lines(milliseconds=False) + "# EOF\n", 30) as server:
        source = a_source(server.url)
        report = run(source, store)
    assert {failure.what.partition(",")[0] for failure in report.failures} >= {"request_rate"}
    assert "cpu_usage" not in {failure.what.partition(",")[0] for failure in report.failures}
    assert all(TOO_MANY in failure.error for failure in report.failures)
    assert all(f"{START:%Y-%m-%d %H:%M} to {END:%Y-%m-%d %H:%M}" in failure.what for failure in report.failures)
    assert done(source, store) == []
    again = run(a_source(unlimited), store)
    assert (again.failures, again.stored) == ((), 0)
    assert done(source, store) == [(START, END)]
    pd.testing.assert_frame_equal(store.history_of_all(START, END), whole(unlimited))


@pytest.mark.servers
def test_a_limit_of_series_is_a_failure_of_the_metrics_it_hits(store: Store) -> None:
    with LimitedVictoria() as server:
        server.load(lines(milliseconds=True))
        source = a_source(server.url)
        report = run(source, store)
    failed = {failure.what.partition(",")[0] for failure in report.failures}
    assert "request_rate" in failed
    assert "cpu_usage" not in failed
    assert all("timeseries exceeds" in failure.error for failure in report.failures)
    assert done(source, store) == []
    assert report.coverage.loc[SERVICES, "cpu_usage"].eq(1).all()


@pytest.mark.servers
def test_an_answer_that_is_too_large_is_fetched_in_smaller_ones(unlimited: str, store: Store) -> None:
    report = run(a_source(unlimited, max_answer=0.02), store)
    assert report.failures == ()
    pd.testing.assert_frame_equal(store.history_of_all(START, END), whole(unlimited))


# -- what is collected live ------------------------------------------------------------------


PRESETS = ("otel", "kubernetes", "process")
"""So few that all families of a metric fit into one query."""


def of_services(request: Request) -> Reply:
    at = float(request.fields.get("time", 0))
    return success([{"metric": {"service_name": "api"}, "value": [at, "1"]}])


@pytest.mark.slow
@pytest.mark.parametrize("words", [TOO_MANY, "the query hit the max number of chunks limit", 'unknown func "rate"'])
def test_a_refused_range_never_hides_a_metric_from_live_collection(words: str) -> None:
    def choose(request: Request) -> Reply:
        return refusal(422, words, "execution") if "query_range" in request.path else of_services(request)

    with FaultyServer(choose=blind(choose)) as server:
        source = PrometheusSource(PrometheusClient(server.url), presets=PRESETS)
        before = source.collect(END)
        with pytest.raises(Exception, match=r"(?s)refused the query"):
            source.history(START, END, STEP)
        after = source.collect(END)
    assert (after.failures, after.warnings) == ((), ())
    pd.testing.assert_frame_equal(after.frame, before.frame)


def heavy_query() -> str:
    """What is asked of Kubernetes for CPU."""
    return next(query for key, query in parts()["cpu_usage"].items() if key.startswith("kubernetes."))


@pytest.mark.slow
def test_a_limit_that_one_preset_hits_is_a_failure_each_time_and_the_others_answer() -> None:
    heavy = heavy_query()

    def choose(request: Request) -> Reply:
        return refusal(422, TOO_MANY, "execution") if heavy in request.fields["query"] else of_services(request)

    with FaultyServer(choose=blind(choose)) as server:
        source = PrometheusSource(PrometheusClient(server.url), presets=PRESETS)
        for _ in range(2):
            collected = source.collect(END)
            (failure,) = collected.failures
            assert failure.what == "cpu_usage"
            assert failure.error.startswith("preset kubernetes: kube_pod_owner: ")
            assert TOO_MANY in failure.error
            assert collected.frame["cpu_usage"].tolist() == [1.0]


@pytest.mark.slow
def test_what_a_server_does_not_understand_for_a_range_is_asked_for_now_all_the_same() -> None:
    heavy = heavy_query()

    def choose(request: Request) -> Reply:
        if "query_range" not in request.path:
            return of_services(request)
        return refusal(422, 'unknown func "x"') if heavy in request.fields["query"] else success([], kind="matrix")

    with FaultyServer(choose=blind(choose)) as server:
        source = PrometheusSource(PrometheusClient(server.url), presets=PRESETS)
        for _ in range(2):
            source.history(START, START, STEP)
        ranges = sum(heavy in request.fields["query"] for request in asked_of(server))
        server.requests.clear()
        source.collect(END)
        live = sum(heavy in request.fields["query"] for request in asked_of(server))
    assert ranges == 2, "joined and alone, once"
    assert live == 1
