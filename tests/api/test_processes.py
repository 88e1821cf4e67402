"""Several servers on one port and store: all answer, one works, and another takes over."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from servers import free_port, wait_until

from observatory.access import Role, gate_of
from observatory.config import Settings
from observatory.runtime import Runtime
from observatory.store import open_store

pytestmark = pytest.mark.servers


def test_processes_share_the_port_and_one_of_them_collects(tmp_path: Path) -> None:
    store = str(tmp_path / "x.duckdb")
    settings = {"STORE": store, "DEMO_DAYS": "0.02", "INTERVAL": "1", "DETECTOR": "seasonal", "LOG_FORMAT": "json"}
    runtime = Runtime(Settings(store=store, worker=False, interval=1))
    _, key = gate_of(runtime).keys.create("canary", Role.ADMIN, ["*"])
    runtime.close()
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OBSERVATORY_")}
    environment |= {f"OBSERVATORY_{name}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "observatory", "serve", "--port", str(port), "--num-procs", "2"]
    log = tmp_path / "log"

    def said() -> list[dict[str, str]]:
        lines = []
        for line in log.read_text().splitlines():
            with contextlib.suppress(ValueError):
                lines.append(json.loads(line))
        return [line for line in lines if isinstance(line, dict)]

    def turns() -> list[str]:
        return [line["message"] for line in said() if line["logger"] == "observatory.turn"]

    def cycles() -> int:
        with open_store(store) as opened:
            return len(opened.cycles(1000))

    def ask(path: str) -> requests.Response:
        return requests.get(  # each on a connection of its own, so that both processes get some
            f"http://127.0.0.1:{port}{path}",
            headers={"Authorization": f"Bearer {key}", "Connection": "close"},
            timeout=30,
        )

    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=out, stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: len(turns()) >= 2, 90, "both to look whose turn it is", log.read_text)
            assert sorted(turns()) == ["worker: another process does it", "worker: this process does it"]
            wait_until(lambda: cycles() > 1, 60, "a few cycles", log.read_text)
            for _ in range(20):
                assert ask("/api/health/summary").json()["total"] > 0
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        finally:
            process.kill()
            process.wait()
    text = log.read_text()
    assert "Traceback" not in text
    assert key not in text
