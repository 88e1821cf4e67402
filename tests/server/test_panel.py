"""The real ``panel serve``: pages and API on one port, from the first second to a clean end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
import requests
from support.gate import document, token_of
from support.servers import HANGS_AFTER, free_port, wait_for_exit, wait_until
from tornado.ioloop import IOLoop

pytestmark = pytest.mark.servers

PAGE = "import panel as pn\n\npn.pane.Markdown('# A page').servable()\n"
DASHBOARD = "from observatory.views.app import show_page\n\nshow_page()\n"


@contextmanager
def serving(folder, page=PAGE):
    """A process and its address; what it wrote is in ``log`` in the folder."""
    (folder / "page.py").write_text(page)
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


def until_it_says(status, url, process, log):
    """Ask until the answer has that status; nobody may listen yet, but the process must be there."""

    def says():
        assert process.poll() is None, log()
        try:
            return requests.get(url, timeout=HANGS_AFTER).status_code == status
        except requests.ConnectionError:
            return False

    wait_until(says, HANGS_AFTER, f"{url} to answer {status}", log)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_pages_and_api_share_a_port_and_end_cleanly(tmp_path, how):
    log = (tmp_path / "log").read_text
    with serving(tmp_path) as (process, base), requests.Session() as session:
        until_it_says(200, f"{base}/healthz", process, log)
        assert session.get(f"{base}/healthz", timeout=HANGS_AFTER).json() == {"status": "ok"}
        until_it_says(200, f"{base}/readyz", process, log)
        assert session.get(f"{base}/readyz", timeout=HANGS_AFTER).json()["status"] == "ready"
        assert "<title>" in session.get(f"{base}/page", timeout=HANGS_AFTER).text
        summary = session.get(f"{base}/api/health/summary", timeout=HANGS_AFTER).json()
        assert summary["source"] == "demo"
        assert summary["services"]
        name = summary["services"][0]["service_name"]
        history = session.get(f"{base}/api/metrics/history", params={"service": name}, timeout=HANGS_AFTER).json()
        assert len(history["timestamp"]) > 300
        assert session.get(f"{base}/api/openapi.json", timeout=HANGS_AFTER).json()["openapi"] == "3.1.0"
        process.send_signal(how)
        assert wait_for_exit(process, log) == 0
    assert "Traceback" not in log()
    assert not (tmp_path / "x.duckdb.wal").exists()


def test_a_signal_while_the_past_is_filled_ends_cleanly(tmp_path):
    log = (tmp_path / "log").read_text
    with serving(tmp_path) as (process, base):
        until_it_says(200, f"{base}/healthz", process, log)
        process.send_signal(signal.SIGINT)
        assert wait_for_exit(process, log) == 0
    assert "Traceback" not in log()


def test_a_session_that_is_opened_without_a_page_asks_no_other_machine_for_styles(tmp_path, monkeypatch):
    """As a browser opens it whose server was started again."""
    monkeypatch.setenv("OBSERVATORY_COOKIE_SECRET", "s" * 40)
    log = (tmp_path / "log").read_text
    with serving(tmp_path, DASHBOARD) as (process, base):
        until_it_says(200, f"{base}/readyz", process, log)
        token = token_of(requests.get(f"{base}/page", timeout=HANGS_AFTER).text)
    with serving(tmp_path, DASHBOARD) as (process, base):
        until_it_says(200, f"{base}/readyz", process, log)
        shown = IOLoop(make_current=False).run_sync(lambda: document(f"{base}/page/ws", token, {}), HANGS_AFTER)
    assert "static/extensions/panel/" in shown
    assert "https://cdn" not in shown
