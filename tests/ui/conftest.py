"""The real dashboard in a process of its own, and a real Chromium that looks at it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from support.servers import HANGS_AFTER, free_port, wait_until

from observatory.config import Settings
from observatory.model import Anomaly, Cycle, Evidence, Failure, Service, Severity
from observatory.runtime import Runtime

ROOT = Path(__file__).parents[2]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = "evil/<img src=x onerror=alert(1)>"
INTERVAL = 300  # a quarter of an hour until samples are stale: longer than the tests take
PATIENCE = 120_000


def _anomaly(
    now: datetime, service: str, minutes_ago: float, severity: Severity, metric: str, is_open: bool
) -> Anomaly:
    start = now - timedelta(minutes=minutes_ago)
    evidence = (Evidence(metric, 2.0, 0.2, 0.1, 0.4, 1.0, "up"),)
    end = now if is_open else start + timedelta(minutes=30)
    return Anomaly(service, start, end, start, is_open, severity, 3.5, "ensemble", f"{service}: out of order", evidence)


def _fill(store: Path) -> None:
    """Six hours of the demo shop until now, a hostile name, four anomalies, and a cycle with a failure."""
    now = datetime.now(UTC)
    runtime = Runtime(Settings(store=str(store), worker=False, interval=INTERVAL), clock=lambda: now)
    runtime.store.register([*runtime.sources[0].discover(), Service(HOSTILE, team="<script>alert(2)</script>")])
    runtime.store.write_samples(runtime.sources[0].history(now - timedelta(hours=6), now, 60).frame)
    runtime.store.write_anomalies(
        [
            _anomaly(now, "shop/cart", 40, Severity.CRITICAL, "latency_p95", True),
            _anomaly(now, "shop/search", 200, Severity.HIGH, "error_rate", False),
            _anomaly(now, HOSTILE, 300, Severity.LOW, "cpu_usage", False),
            _anomaly(now, "shop/email", 3000, Severity.MEDIUM, "memory_usage", False),
        ]
    )
    runtime.store.write_cycle(Cycle(now, 0.1, 12, 12, 0, (Failure("latency_p99", "Prometheus refused the query"),)))
    runtime.close()


@contextmanager
def served(folder: Path, command: Sequence[str], **settings: object) -> Iterator[str]:
    """Address of what ``python -m command`` serves, its store in `folder`; its log must hold no error of ours."""
    port = free_port()
    settings = {"STORE": folder / "shop.duckdb", "REFRESH": 1} | settings
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OBSERVATORY_")}
    environment |= {f"OBSERVATORY_{name}": str(value) for name, value in settings.items()}
    command = [sys.executable, "-m", *command, "--port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        url = f"http://127.0.0.1:{port}"
        try:
            said = (folder / "log").read_text
            wait_until(lambda: _answers(f"{url}/observatory", process), HANGS_AFTER, "the dashboard to answer", said)
            yield url
        finally:
            process.terminate()
            process.wait()
    assert str(ROOT / "observatory") not in said(), said()  # Bokeh's own tracebacks tell of windows that were closed


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard of the demo shop whose data stand still."""
    folder = tmp_path_factory.mktemp("dashboard")
    _fill(folder / "shop.duckdb")
    with served(folder, ["panel", "serve", "dashboards/observatory.py"], WORKER="false", INTERVAL=INTERVAL) as url:
        yield f"{url}/observatory"


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, f"it ended with {process.returncode}"
    try:
        return requests.get(url, timeout=30).ok
    except (requests.ConnectionError, requests.Timeout):
        return False


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Watch:
    """What a page asked for and complained about."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (self.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("console", self._console)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    @property
    def left_the_machine(self) -> list[str]:
        """Addresses asked for that are not this machine's."""
        inside = {"data", "blob", "file"}
        return [u for u in self.requests if urlsplit(u).scheme not in inside and urlsplit(u).hostname != "127.0.0.1"]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh window; whatever a test does, nothing may leave the machine and nothing may go wrong in the browser."""
    context = browser.new_context(viewport={"width": 1500, "height": 950}, color_scheme="dark")
    context.set_default_timeout(PATIENCE)
    watch = Watch()
    page = context.new_page()
    watch.attach(page)
    yield page
    context.close()
    assert watch.requests
    assert watch.left_the_machine == []
    assert watch.complaints == []
