"""The API under load, beside the original design in the same run; and the dashboard's websocket meanwhile.

``pytest tests/benchmarks/test_api.py --benchmark-enable --days 7`` tells the table at its end.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from benchmarks.contenders import SERVICES, START, Sqlite, frame
from support.servers import free_port, wait_until
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from observatory.model import Service
from observatory.store import open_store

pytestmark = pytest.mark.servers
ROOT = Path(__file__).parents[2]
CLIENTS = 8
CHUNK = 144


@contextmanager
def process(command: list[str], url: str, folder: Path, **settings: object) -> Iterator[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OBSERVATORY_")}
    environment |= {f"OBSERVATORY_{name}": str(value) for name, value in settings.items()}
    with (folder / "log").open("ab") as log:
        started = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            wait_until(lambda: _answers(url), 300, url, (folder / "log").read_text)
            yield url
        finally:
            started.terminate()
            started.wait()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=60).status_code < 500  # not ready is 503
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, minutes: int) -> Iterator[dict[str, str]]:
    """Addresses of both servers over the same samples, the last of them a minute ago."""
    if shutil.which("wrk") is None:
        pytest.skip("wrk is not installed: apt-get install wrk")
    folder = tmp_path_factory.mktemp("api")
    shift = datetime.now(UTC).replace(second=0, microsecond=0) - START - timedelta(minutes=minutes)
    sqlite = Sqlite(folder / "original.sqlite")
    with open_store(str(folder / "x.duckdb")) as store:
        store.register(Service(f"shop/service-{number}") for number in range(SERVICES))
        for first in range(0, minutes, CHUNK):
            batch = frame(first, min(CHUNK, minutes - first))
            batch["timestamp"] += shift
            store.write_samples(batch)
            sqlite.write(batch)
        store.maintain(datetime.now(UTC))
        store.write_note("source", "prometheus")
    sqlite.close()
    ports = free_port(), free_port()
    ours, original = (f"http://127.0.0.1:{port}" for port in ports)
    panel = ["-m", "panel", "serve", "dashboards/observatory.py", "--plugins", "observatory.api.plugin"]
    panel += ["--port", str(ports[0]), "--log-level", "warning"]
    settings = {
        "STORE": folder / "x.duckdb",
        "WORKER": "false",
        "PROMETHEUS_URL": "http://127.0.0.1:9",
        "RATE_LIMIT": "100000000/minute",
    }
    script = [str(Path(__file__).with_name("original.py")), str(folder / "original.sqlite"), str(ports[1])]
    with ExitStack() as stack:
        stack.enter_context(process(panel, f"{ours}/readyz", folder, **settings))
        stack.enter_context(process(script, f"{original}/nothing", folder))
        yield {"ours": ours, "original": original}


def load(url: str, seconds: int, clients: int = CLIENTS, *headers: str) -> dict[str, float]:
    """p50 and p99 [ms] and requests a second, as wrk measures them."""
    command = ["wrk", f"-t{min(2, clients)}", f"-c{clients}", f"-d{seconds}s", "--timeout", "60s", "--latency"]
    done = subprocess.run([*command, *headers, url], capture_output=True, text=True, check=True)
    assert "Non-2xx" not in done.stdout, done.stdout
    found = {
        f"p{share}": _ms(value, unit) for share, value, unit in re.findall(r"(50|99)%\s+([\d.]+)(\w+)", done.stdout)
    }
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    assert rate is not None
    return found | {"rate": float(rate[1])}


def _ms(value: str, unit: str) -> float:
    return float(value) * {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60000.0}[unit]


def paths(minutes: int) -> dict[str, str]:
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    bounds = f"start={end - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}&end={end:%Y-%m-%dT%H:%M:%SZ}"
    return {
        "summary": "/api/health/summary",
        "history 24 h x 9": f"/api/metrics/history?service=shop/service-500&{bounds}",
    }


def test_the_websocket_answers_while_the_api_is_loaded(
    served: dict[str, str], minutes: int, request: Any, tell: Callable[[str], None]
) -> None:
    seconds = 10 if request.config.getoption("benchmark_enable") else 1
    base = served["ours"]
    url = base + paths(minutes)["history 24 h x 9"]
    loading = subprocess.Popen(
        ["wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds + 2}s", url], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        times = asyncio.run(_pings(base, seconds))
    finally:
        loading.communicate()
    times.sort()
    tell(
        f"websocket under load: p50 {times[len(times) // 2]:.1f} ms, p99 {times[int(len(times) * 0.99)]:.1f} ms, "
        f"{len(times)} pings"
    )
    assert times


@pytest.mark.parametrize("clients", [1, CLIENTS])
@pytest.mark.parametrize("what", ["history 24 h x 9", "summary"])
@pytest.mark.parametrize("who", ["ours", "original"])  # the slow ones last: they go on when their clients have left
def test_requests(
    served: dict[str, str], minutes: int, who: str, what: str, clients: int, request: Any, tell: Callable[[str], None]
) -> None:
    url = served[who] + paths(minutes)[what]
    requests.get(url, timeout=120)
    found = load(url, 10 if request.config.getoption("benchmark_enable") else 1, clients)
    tell(
        f"{what:<18}{who:<10}{clients} clients  p50 {found['p50']:8.2f} ms  p99 {found['p99']:8.2f} ms  "
        f"{found['rate']:8.1f} req/s"
    )
    if who == "ours":
        first = requests.get(url, timeout=60)
        again = requests.get(url, headers={"If-None-Match": first.headers["ETag"]}, timeout=60)
        assert again.status_code == 304


async def _pings(base: str, seconds: int) -> list[float]:
    """Round trips of pings on the websocket of an open page [ms]."""
    page = await asyncio.to_thread(requests.get, f"{base}/observatory", timeout=120)
    token = re.search(r'"token":\s*"([^"]+)"', page.text)
    assert token is not None
    ask = HTTPRequest(base.replace("http", "ws", 1) + "/observatory/ws", headers={"Origin": base})
    socket = await websocket_connect(ask, subprotocols=["bokeh", token[1]], on_message_callback=lambda _: None)
    ponged = asyncio.Event()
    socket.on_pong = lambda _: ponged.set()
    times = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        ponged.clear()
        began = time.perf_counter()
        socket.ping(b"x")
        await asyncio.wait_for(ponged.wait(), 30)
        times.append(1000 * (time.perf_counter() - began))
        await asyncio.sleep(0.02)
    socket.close()
    return times
