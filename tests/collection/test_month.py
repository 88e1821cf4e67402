"""Thirty days of a real Prometheus, fetched whole: through a kill, an interrupt, and while others write."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import requests
from support.month import DAYS, GAP, GONE, MB, RESTART, START, UNKNOWN, month
from support.servers import FaultyServer, History, Reply, Request, VictoriaMetrics, wait_until

from observatory.collection.backfill import BackfillReport, backfill
from observatory.collection.collect import collect_once
from observatory.sources.demo.shop import DemoSource
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.source import PrometheusSource
from observatory.store import Store, open_store

pytestmark = pytest.mark.servers
END = START + timedelta(days=DAYS)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RAW = 600
"""Time between the samples there are [s]."""
WINDOW = 3600.0
STEP = 300
"""Makes seven pieces of the thirty days."""
QUERIES = 11
"""Metrics that this history has something of."""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LIVE = "shop/checkout"
SERVICES = ["api", "checkout", "legacy", "shop/cart"]


@pytest.fixture(scope="module")
def prometheus() -> Iterator[str]:
    with History(month(RAW).open_metrics()) as server:
        yield server.url


@pytest.fixture(scope="module")
def victoria() -> Iterator[str]:
    with VictoriaMetrics() as server:
        server.load(month(RAW).prometheus())
        yield server.url


def fetched(url: str) -> tuple[BackfillReport, pd.DataFrame]:
    source = PrometheusSource(PrometheusClient(url), WINDOW)
    with open_store(":memory:") as store:
        report = backfill([source], store, START, END, 3600)
        return report, store.history_of_all(START, END).set_index(["service_name", "timestamp"])


# -- what comes -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["prometheus", "victoria"])
def test_a_month_arrives_as_it_was_with_its_gap_restart_nan_and_the_service_that_went(
    kind: str, request: pytest.FixtureRequest
) -> None:
    report, frame = fetched(request.getfixturevalue(kind))
    assert (report.failures, report.warnings) == ((), ())
    shares = report.coverage
    assert shares.index.tolist() == SERVICES
    known = [metric for metric in shares if shares[metric].any()]
    assert len(known) == QUERIES
    assert shares.loc["checkout", known].min() > 0.998
    for service, share in (("api", 1 - (GAP[1] - GAP[0]) / DAYS), ("legacy", GONE / DAYS)):
        np.testing.assert_allclose(shares.loc[service, known].astype(float), share, atol=0.003)
    assert shares.loc["shop/cart", "memory_usage"] == pytest.approx(1 - (UNKNOWN[1] - UNKNOWN[0]) / DAYS, abs=0.003)
    assert shares.loc["shop/cart", "pod_count"] > 0.998
    assert shares.loc["shop/cart", "request_rate"] == 0
    gone, away = report.gaps.itertuples()
    assert (gone.example, gone.first.to_pydatetime(), gone.last.to_pydatetime()) == (
        "legacy",
        START + GONE * DAY + HOUR,
        END,
    )
    assert away.example == "api"
    assert abs(away.first - (START + GAP[0] * DAY)) <= 2 * HOUR
    assert abs(away.last - (START + GAP[1] * DAY)) <= HOUR

    calm = frame.loc["legacy"].iloc[2:-2]
    np.testing.assert_allclose(calm["request_rate"], 10)
    np.testing.assert_allclose(calm["error_rate"], 0.1)
    np.testing.assert_allclose(calm["latency_p95"], 0.75)
    np.testing.assert_allclose(calm["cpu_usage"], 0.25)
    restarted = frame.loc["checkout", "restart_count"].iloc[1:]  # VictoriaMetrics counts the first sample as a change
    assert restarted[restarted > 0].index.tolist() == [START + timedelta(seconds=RESTART)]
    usage = frame.loc["checkout", "cpu_usage"].dropna()
    assert usage.between(0.2, 0.26).all()  # a counter that began again is no spike
    memory = frame.loc["shop/cart", "memory_usage"]
    assert memory.loc[START + UNKNOWN[0] * DAY + HOUR : START + UNKNOWN[1] * DAY - HOUR].isna().all()
    assert (memory.dropna() == 128 * MB).all()


def test_a_live_collection_of_victoria_metrics_is_stamped_with_the_time_it_was_for(victoria: str) -> None:
    source = PrometheusSource(PrometheusClient(victoria), WINDOW)
    with open_store(":memory:") as store:
        report = collect_once([source], store, END)
        assert (report.services, report.samples, report.failures) == (3, 3, ())
        latest = store.latest(END)
    assert latest["timestamp"].unique().tolist() == [END]
    assert latest.loc["api", "request_rate"] == pytest.approx(10)


@pytest.mark.parametrize("kind", ["prometheus", "victoria"])
def test_services_asked_for_by_name_come_alone_and_others_do_not_travel(
    kind: str, request: pytest.FixtureRequest
) -> None:
    client = PrometheusClient(request.getfixturevalue(kind))
    seen: list[int] = []
    ask = client.range
    client.range = lambda *question: (seen.append(len((answer := ask(*question)).series)), answer)[1]  # type: ignore[method-assign, assignment]
    with open_store(":memory:") as store:
        named = ["shop/cart", "none", 'x"$1\\']
        report = backfill([PrometheusSource(client, WINDOW)], store, START, START + DAY, 3600, named)
    assert (report.failures, max(seen)) == ((), 1)
    assert report.coverage["pod_count"].to_dict() == {"none": 0, 'x"$1\\': 0, "shop/cart": 1}


# -- going on ---------------------------------------------------------------------------------


class Authenticator:
    """Passes range queries on to a Prometheus; remembers their starts, and may be told what to wait for."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.starts: list[float] = []
        self.before: Callable[[int], None] = lambda number: None
        """Called with the number of the question before it is passed on."""
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Reply:
        # Changes of a range are looked for once more by each run: a few queries for all of it, in other steps.
        if request.path.endswith("query_range") and float(request.fields["step"]) == STEP:
            with self._lock:
                self.starts.append(float(request.fields["start"]))
                number = len(self.starts)
            self.before(number)
        answer = requests.request(request.method, self.url + request.path, data=request.body, timeout=60, headers=FORM)
        return Reply(answer.status_code, answer.content)


@pytest.fixture
def authenticator(prometheus: str) -> Iterator[tuple[Authenticator, str]]:
    passing = Authenticator(prometheus)
    with FaultyServer(choose=passing) as server:
        yield passing, server.url


def a_backfill(url: str, store: Path) -> subprocess.Popen[str]:
    environment = {
        "OBSERVATORY_PROMETHEUS_URL": url,
        "OBSERVATORY_STORE": str(store),
        "OBSERVATORY_WINDOW": f"{WINDOW:g}",
    }
    arguments = ["backfill", "--from", f"{START:%Y-%m-%dT%H:%M:%SZ}", "--to", f"{END:%Y-%m-%dT%H:%M:%SZ}"]
    code = "from observatory.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments, "--step", f"{STEP}s"],
        env=os.environ | environment,
        cwd=store.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def pieces(store: Path) -> tuple[list[float], pd.DataFrame]:
    """Starts of what was fetched, and all samples."""
    with open_store(str(store)) as opened:
        starts = opened._database.read("SELECT epoch(started_at) AS start FROM fetches ORDER BY 1")["start"].tolist()
        return starts, opened.history_of_all(START, END)


@pytest.fixture(scope="module")
def whole(prometheus: str) -> pd.DataFrame:
    """What an undisturbed run stores."""
    with open_store(":memory:") as store:
        backfill([PrometheusSource(PrometheusClient(prometheus), WINDOW)], store, START, END, STEP)
        return store.history_of_all(START, END)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_was_killed_or_interrupted_goes_on_without_asking_again_for_what_it_stored(
    authenticator: tuple[Authenticator, str], whole: pd.DataFrame, tmp_path: Path, end: signal.Signals
) -> None:
    passing, url = authenticator
    reached, go_on = threading.Event(), threading.Event()

    def hold(number: int) -> None:
        if number == 4 * QUERIES:  # with two pieces asked for at a time, two were written
            reached.set()
        if number >= 4 * QUERIES:
            go_on.wait(200)

    passing.before = hold
    first = a_backfill(url, tmp_path / "x.duckdb")
    try:
        wait_until(reached.is_set, 180, "the fourth piece")
        first.send_signal(end)
    finally:
        go_on.set()
    _, said = first.communicate(timeout=180)
    if end == signal.SIGINT:
        assert first.returncode == 130, said
        assert "interrupted: what was stored stays" in said
    done, _ = pieces(tmp_path / "x.duckdb")
    assert 1 <= len(done) < 7
    passing.starts.clear()
    second = a_backfill(url, tmp_path / "x.duckdb")
    out, said = second.communicate(timeout=180)
    assert second.returncode == 0, said
    assert "of the range was stored before" in out
    assert not set(done) & set(passing.starts)
    assert len(passing.starts) == (7 - len(done)) * QUERIES
    everything, frame = pieces(tmp_path / "x.duckdb")
    assert len(everything) == 7
    pd.testing.assert_frame_equal(frame, whole)


# -- beside live collection -------------------------------------------------------------------


@pytest.mark.parametrize("where", ["in this process", "in another process"])
def test_live_collection_goes_on_during_a_backfill(
    authenticator: tuple[Authenticator, str], whole: pd.DataFrame, tmp_path: Path, where: str
) -> None:
    """Each question of the backfill is answered only after one more live cycle was stored."""
    passing, url = authenticator
    path = tmp_path / "x.duckdb"
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    live, cycles, over = DemoSource(7, now), [0], threading.Event()

    def one_more(number: int) -> None:
        if number % QUERIES == 0:
            seen = cycles[0]
            wait_until(lambda: cycles[0] > seen or over.is_set(), 120, "a live cycle")

    def collect(store: Store) -> None:
        while not over.is_set():
            assert collect_once([live], store, now + timedelta(minutes=cycles[0]), [LIVE]).failures == ()
            cycles[0] += 1

    passing.before = one_more
    with open_store(str(path)) as store, ThreadPoolExecutor(1) as pool:
        working = pool.submit(collect, store)
        try:
            wait_until(lambda: cycles[0] > 0, 120, "the first live cycle")
            if where == "in this process":
                backfill([PrometheusSource(PrometheusClient(url), WINDOW)], store, START, END, STEP)
            else:
                other = a_backfill(url, path)
                _, said = other.communicate(timeout=300)
                assert other.returncode == 0, said
        finally:
            over.set()
        working.result(60)
        assert cycles[0] > 7
        counts = store.sample_counts()["samples"]
        assert counts[LIVE] == cycles[0]
        pd.testing.assert_frame_equal(store.history_of_all(START, END), whole)
