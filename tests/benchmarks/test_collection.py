"""A live cycle and a backfill, split into what the server takes, reading, and storing; and what others would take.

``pytest tests/benchmarks/test_collection.py --benchmark-enable --services 10000``. With prometheus-api-client installed
(it is none of our dependencies) it is a contender.
"""

from __future__ import annotations

import importlib.util
import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests
from benchmarks.replay import file_name
from support.openmetrics import Exposition
from support.servers import History, Server, VictoriaMetrics

from observatory.collection.backfill import backfill
from observatory.collection.collect import collect_once, store_samples
from observatory.model import SERVICE, Service
from observatory.sources.prometheus.about import Build
from observatory.sources.prometheus.answers import Answer, parse, read_envelope, wide_frame
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.connection import Limits
from observatory.sources.prometheus.inventory import Inventory
from observatory.sources.prometheus.merging import arranged
from observatory.sources.prometheus.plan import FAMILY, Plan, batches, make_plan, marked
from observatory.sources.prometheus.presets.templates import QUANTILES
from observatory.sources.prometheus.source import PrometheusSource
from observatory.store import Store, open_store

pytestmark = pytest.mark.servers
START = datetime(2026, 1, 1, tzinfo=UTC)
EVERY = 60
MINUTES = 10
NOW = START + timedelta(minutes=MINUTES)
SERVERS = ["prometheus", "victoria-metrics"]
SAMPLED = 20
"""Services of which the one-query-a-service design is measured; the rest is multiplication."""


def shop(services: int, minutes: int = MINUTES) -> Exposition:
    """Requests with their latency, and a process, of each service: 22 series."""
    start = int(START.timestamp())
    text = Exposition(range(start, start + 60 * minutes + 1, EVERY))
    for number in range(services):
        job = {"job": f"shop/service-{number}"}
        for code, rate in (("200", 10 + number % 7), ("500", 0.1)):
            text.histogram("http_request_duration_seconds", {**job, "code": code}, rate, 0.1)
        text.counter("process_cpu_seconds", job, 0.25)
        text.gauge("process_resident_memory_bytes", job, lambda at, n=number: 64e6 + n)
        text.gauge("process_start_time_seconds", job, lambda at: start)
        text.gauge("up", job, lambda at: 1)
    return text


class Loaded:
    """Servers with the shop in them, started when first asked for."""

    def __init__(self, services: int) -> None:
        self._services = services
        self._started: dict[str, Server] = {}

    def __getitem__(self, name: str) -> PrometheusSource:
        if name not in self._started:
            text = shop(self._services)
            server: Server = History(text.open_metrics()) if name == "prometheus" else VictoriaMetrics()
            self._started[name] = server.__enter__()
            if isinstance(server, VictoriaMetrics):
                server.load(text.prometheus())
        return settled(PrometheusSource(PrometheusClient(self._started[name].url, Limits(timeout=120))), NOW)

    def close(self) -> None:
        for server in self._started.values():
            server.__exit__(None, None, None)


@pytest.fixture(scope="module")
def loaded(services: int) -> Iterator[Loaded]:
    servers = Loaded(services)
    yield servers
    servers.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "x.duckdb")) as opened:
        yield opened


def settled(source: PrometheusSource, at: datetime) -> PrometheusSource:
    """A source that has looked at what its server has, as it does every ten minutes."""
    plan = source.plan((at, at))
    source.plan = lambda reach=None: plan  # type: ignore[method-assign]
    return source


def queries(source: PrometheusSource, *, live: bool = False) -> list[tuple[str, str]]:
    """Each query of a piece of a backfill, or of a cycle where nobody has few requests, with the metric it is of."""
    plan = source.plan()
    return [
        (metric, " or ".join(marked(parts[key], key) for key in batch))
        for metric, parts in (plan.now if live else plan.over_time).items()
        for batch in batches(parts, source.client.longest_query)
    ]


class Remembering(PrometheusClient):
    """What a server answered before, without the server."""

    def __init__(self, url: str, answers: dict[str, bytes]) -> None:
        super().__init__(url)
        self._answers = answers

    def instant(self, query: str, at: datetime) -> Answer:
        envelope = read_envelope(self._answers[query])
        assert envelope is not None
        return parse(envelope, "vector", "there")


def bodies(source: PrometheusSource, session: requests.Session) -> dict[str, bytes]:
    """The answers of a cycle as they come, by query."""
    at = f"{NOW.timestamp():.0f}"
    address = f"{source.client.url}/api/v1/query"
    return {
        query: session.post(address, data={"query": query, "time": at}, timeout=120).content
        for _, query in queries(source, live=True)
    }


def read(answers: dict[str, bytes], plan: Plan) -> pd.DataFrame:
    """A piece of a backfill, by metric, as samples."""
    found = {}
    for metric, body in answers.items():
        envelope = read_envelope(body)
        assert envelope is not None
        found[metric] = arranged(metric, parse(envelope, "matrix", "there").series, plan)
    return wide_frame(found, EVERY)[0]


# -- a live cycle -----------------------------------------------------------------------------


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("part", ["0 looking at what it has", "1 server", "2 reading", "3 storing", "4 whole cycle"])
def test_a_cycle(benchmark: Any, loaded: Loaded, store: Store, services: int, server: str, part: str) -> None:
    benchmark.group = f"a cycle of {services:,} services from {server}"
    source, session, turn = loaded[server], requests.Session(), count(1)
    remembered = PrometheusSource(Remembering(source.client.url, bodies(source, session)))
    remembered.plan = source.plan  # type: ignore[method-assign]
    frame = remembered.collect(NOW).frame
    assert len(frame) == services
    assert frame.drop(columns=list(QUANTILES)).notna().all(axis=None)
    store_samples(store, source, frame)

    def store_next() -> None:
        later = pd.Timedelta(minutes=next(turn))
        store_samples(store, source, frame.assign(timestamp=frame["timestamp"] + later))

    work: Callable[[], Any] = {
        "0 looking at what it has": lambda: PrometheusSource(source.client).plan((NOW, NOW)),
        "1 server": lambda: bodies(source, session),
        "2 reading": lambda: remembered.collect(NOW),
        "3 storing": store_next,
        "4 whole cycle": lambda: collect_once([source], store, NOW),
    }[part]
    benchmark.pedantic(work, rounds=5, warmup_rounds=1)


@pytest.mark.parametrize("server", SERVERS)
def test_the_original_design(benchmark: Any, loaded: Loaded, services: int, server: str) -> None:
    """One query a service and metric, as the first version had it; a sample of services, and what all would take."""
    benchmark.group = f"a query a service and metric, {min(SAMPLED, services)} of {services:,} services, {server}"
    source = loaded[server]

    def ask() -> None:
        for number in range(min(SAMPLED, services)):
            job = f'job="shop/service-{number}"'
            for query in single(job):
                assert source.client.instant(query, NOW).series

    benchmark.pedantic(ask, rounds=3)
    if benchmark.stats:
        whole = benchmark.stats.stats.median * services / min(SAMPLED, services)
        benchmark.extra_info["extrapolated to all services [s]"] = round(whole, 1)
        print(f"\nextrapolated to {services:,} services: {whole:.1f} s", end=" ")


def single(job: str) -> list[str]:
    """The nine metrics of one service."""
    name = "http_request_duration_seconds"
    latency = [f"histogram_quantile({q}, sum by (le) (rate({name}_bucket{{{job}}}[300s])))" for q in (0.5, 0.95, 0.99)]
    errors = f'sum(rate({name}_count{{{job},code=~"5.."}}[300s])) / sum(rate({name}_count{{{job}}}[300s]))'
    return [
        f"sum(rate({name}_count{{{job}}}[300s]))",
        errors,
        *latency,
        f"sum(rate(process_cpu_seconds_total{{{job}}}[300s]))",
        f"sum(process_resident_memory_bytes{{{job}}})",
        f"sum(changes(process_start_time_seconds{{{job}}}[300s]))",
        f"sum(up{{{job}}})",
    ]


if importlib.util.find_spec("prometheus_api_client"):

    @pytest.mark.parametrize("server", SERVERS)
    def test_prometheus_api_client(benchmark: Any, loaded: Loaded, services: int, server: str) -> None:
        """The same nine queries to a wide frame, in the way its documentation shows."""
        from prometheus_api_client import MetricSnapshotDataFrame, PrometheusConnect

        benchmark.group = f"a cycle of {services:,} services from {server}"
        source = loaded[server]
        client = PrometheusConnect(source.client.url, disable_ssl=True)

        def cycle() -> pd.DataFrame:
            columns = {}
            for metric, query in queries(source):
                answer = client.custom_query(query, params={"time": f"{NOW.timestamp():.0f}"})
                columns[metric] = MetricSnapshotDataFrame(answer).set_index(SERVICE)["value"]
            return pd.concat(columns, axis=1)

        assert len(benchmark.pedantic(cycle, rounds=3, warmup_rounds=1)) == services


# -- a backfill -------------------------------------------------------------------------------


@dataclass
class Replay:
    """A server that costs next to nothing: answers made before, read from files."""

    source: PrometheusSource
    end: datetime
    rows: int
    answers: dict[str, bytes]


@pytest.fixture(scope="module")
def replay(services: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    folder = tmp_path_factory.mktemp("answers")
    points = max(2, min(1440, 1_000_000 // services))
    pieces = 1 if services < 1000 else 3
    port = Server().port
    source = PrometheusSource(PrometheusClient(f"http://127.0.0.1:{port}", Limits(timeout=120)), 300, ("go", "process"))
    plan = make_plan(Inventory(source.client, START, START, Build(), None), list(source.presets.values()), window=300)
    source.plan = lambda reach=None: plan  # type: ignore[method-assign]
    source.discover = lambda: [Service(f"shop/service-{n}", "prometheus") for n in range(services)]  # type: ignore[method-assign]
    draw = random.Random(7)
    pool = [repr(draw.random()) for _ in range(10_007)]
    answers: dict[str, bytes] = {}
    for piece in range(pieces):
        first = int(START.timestamp()) + piece * points * EVERY
        for metric, query in queries(source):
            body = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": [
                {"metric": {SERVICE: f"shop/service-{n}", FAMILY: plan.rank(metric)[0]},
                 "values": [[first + EVERY * k, pool[(n * 31 + k) % len(pool)]] for k in range(points)]}
                for n in range(services)
            ]}}, separators=(",", ":")).encode()  # fmt: skip
            (folder / file_name(query, first)).write_bytes(body)
            answers.setdefault(metric, body)
    server = subprocess.Popen([sys.executable, str(Path(__file__).with_name("replay.py")), str(folder), str(port)])
    try:
        from support.servers import wait_until

        wait_until(lambda: answering(source.client.url), 30, "the replay server")
        yield Replay(
            source, START + timedelta(seconds=(pieces * points - 1) * EVERY), pieces * points * services, answers
        )
    finally:
        server.terminate()
        server.wait(10)


def answering(url: str) -> bool:
    try:
        return requests.get(url, timeout=1).ok
    except requests.RequestException:
        return False


@pytest.mark.parametrize("what", ["1 reading of one piece", "2 storing of one piece", "3 all, into an empty store"])
def test_a_backfill(benchmark: Any, replay: Replay, services: int, tmp_path: Path, what: str) -> None:
    benchmark.group = f"a backfill of {services:,} services from answers made before"
    rows, number = replay.rows, count()

    def whole() -> None:
        with open_store(str(tmp_path / f"{next(number)}.duckdb")) as store:
            report = backfill([replay.source], store, START, replay.end, EVERY)
            assert (report.samples, report.failures) == (replay.rows, ())

    def keep() -> None:
        with open_store(str(tmp_path / f"{next(number)}.duckdb")) as store:
            for row in range(0, len(frame), 122_880):
                store_samples(store, replay.source, frame.iloc[row : row + 122_880])

    work: Callable[[], Any] = whole
    if what.startswith(("1", "2")):
        frame = read(replay.answers, replay.source.plan())
        rows = len(frame)
        work = keep if what.startswith("2") else (lambda: read(replay.answers, replay.source.plan()))
    benchmark.pedantic(work, rounds=3)
    if benchmark.stats:
        print(f"\n{what}: {rows / benchmark.stats.stats.median:,.0f} rows a second", end=" ")
