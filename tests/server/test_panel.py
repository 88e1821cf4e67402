"""The real ``panel serve``: pages and API on one port, from the first second to a clean end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

pytestmark = pytest.mark.servers

PAGE = "import panel as pn\n\npn.pane.Markdown('# A page').servable()\n"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(folder):
    """A process and its address; what it wrote is in ``log`` in the folder."""
    (folder / "page.py").write_text(PAGE)
    port = free_port()
    command = [sys.executable, "-m", "panel", "serve", "page.py", "--plugins", "observatory.api.plugin"]
    environment = os.environ | {"OBSERVATORY_STORE": str(folder / "x.duckdb"), "OBSERVATORY_DEMO_DAYS": "0.25"}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--address", "127.0.0.1", "--port", str(port)],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


def patient(statuses=()):
    """A session that asks again until somebody listens, and the status is none of `statuses`."""
    session = requests.Session()
    retry = Retry(
        total=600, backoff_factor=0.05, backoff_max=0.1, status_forcelist=statuses, respect_retry_after_header=False
    )
    session.mount("http://", HTTPAdapter(max_retries=retry))
    return session


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_pages_and_api_share_a_port_and_end_cleanly(tmp_path, how):
    with serving(tmp_path) as (process, base), patient() as session, patient([503]) as until_ready:
        assert session.get(f"{base}/healthz", timeout=30).json() == {"status": "ok"}
        assert until_ready.get(f"{base}/readyz", timeout=30).json()["status"] == "ready"
        assert "<title>" in session.get(f"{base}/page", timeout=30).text
        summary = session.get(f"{base}/api/health/summary", timeout=30).json()
        assert summary["source"] == "demo"
        assert summary["services"]
        name = summary["services"][0]["service_name"]
        history = session.get(f"{base}/api/metrics/history", params={"service": name}, timeout=30).json()
        assert len(history["timestamp"]) > 300
        assert session.get(f"{base}/api/openapi.json", timeout=30).json()["openapi"] == "3.1.0"
        process.send_signal(how)
        assert process.wait(30) == 0
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    assert not (tmp_path / "x.duckdb.wal").exists()


def test_a_signal_while_the_past_is_filled_ends_cleanly(tmp_path):
    with serving(tmp_path) as (process, base), patient() as session:
        session.get(f"{base}/healthz", timeout=30)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert "Traceback" not in (tmp_path / "log").read_text()
