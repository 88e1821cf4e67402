"""Several servers on one store, or on one port too: all answer, one works, and another takes over."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from support.servers import HANGS_AFTER, free_port, wait_for_exit, wait_until

from observatory.access import Role, authenticator_of
from observatory.config import Settings
from observatory.runtime import Runtime
from observatory.store import open_store

pytestmark = pytest.mark.servers


def test_processes_share_the_port_and_one_of_them_collects(tmp_path: Path) -> None:
    store = str(tmp_path / "x.duckdb")
    settings = {"STORE": store, "DEMO_DAYS": "0.02", "INTERVAL": "1", "DETECTOR": "seasonal", "LOG_FORMAT": "json"}
    runtime = Runtime(Settings(store=store, worker=False, interval=1))
    _, key = authenticator_of(runtime).keys.create("canary", Role.ADMIN, ["*"])
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
        return [line["message"] for line in said() if line["message"].startswith("worker: ")]

    def cycles() -> int:
        with open_store(store) as opened:
            return len(opened.cycles(1000))

    def ask(path: str) -> requests.Response:
        return requests.get(  # each on a connection of its own, so that both processes get some
            f"http://127.0.0.1:{port}{path}",
            headers={"Authorization": f"Bearer {key}", "Connection": "close"},
            timeout=HANGS_AFTER,
        )

    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=out, stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: len(turns()) >= 2, HANGS_AFTER, "both to look whose turn it is", log.read_text)
            assert sorted(turns()) == ["worker: another process does it", "worker: this process does it"]
            wait_until(lambda: cycles() > 1, HANGS_AFTER, "a few cycles", log.read_text)
            for _ in range(20):
                assert ask("/api/health/summary").json()["total"] > 0
            process.send_signal(signal.SIGTERM)
            assert wait_for_exit(process, log.read_text) == 0
        finally:
            process.kill()
            process.wait()
    text = log.read_text()
    assert "Traceback" not in text
    assert key not in text


SHORT_TURN = """
import observatory.runtime
observatory.runtime.SHORTEST_LEASE = 5  # or the test would wait for three minutes
from observatory.cli import main
main()
"""


@dataclass
class Started:
    """A server in a process of its own."""

    process: subprocess.Popen[bytes]
    base: str
    log: Path

    @property
    def works(self) -> bool | None:
        """Whether it works in the background, as far as it has said."""
        told = re.findall(r"worker: (this|another) process does it", self.log.read_text())
        return told[-1] == "this" if told else None

    def collected_at(self) -> datetime | None:
        """When the newest cycle began, whoever did it, as the API tells."""
        answer = requests.get(f"{self.base}/api/health/summary", timeout=HANGS_AFTER)
        assert answer.status_code == 200, answer.text
        cycle = answer.json()["last_cycle"]
        return cycle and datetime.fromisoformat(cycle["started_at"])


def test_a_server_takes_over_from_one_that_was_killed_and_goes_on_with_what_it_had_learned(tmp_path: Path) -> None:
    store = str(tmp_path / "x.duckdb")
    settings = {"STORE": store, "DEMO_DAYS": "0.002", "INTERVAL": "1"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OBSERVATORY_")}
    environment |= {f"OBSERVATORY_{name}": value for name, value in settings.items()}

    def start(name: str) -> Started:
        port, log = free_port(), tmp_path / name
        command = [sys.executable, "-c", SHORT_TURN, "serve", "--port", str(port)]
        with log.open("wb") as out:
            process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=out, stderr=subprocess.STDOUT)
        return Started(process, f"http://127.0.0.1:{port}", log)

    def learned_until() -> datetime | None:
        with open_store(store) as opened:
            return min((state.learned_until for state in opened.states.read("multiscale")), default=None)

    both = [start("one"), start("other")]

    def logs() -> str:
        return "\n".join(server.log.read_text() for server in both)

    try:
        wait_until(lambda: all(server.works is not None for server in both), HANGS_AFTER, "whose turn it is", logs)
        worker, waiting = sorted(both, key=lambda server: not server.works)
        assert (worker.works, waiting.works) == (True, False)
        wait_until(waiting.collected_at, HANGS_AFTER, "a cycle", logs)
        kept = learned_until()
        worker.process.kill()
        worker.process.wait()
        killed = datetime.now(UTC)

        def is_collected_again() -> bool:
            newest = waiting.collected_at()  # it answers all the while
            return newest is not None and newest > killed

        wait_until(is_collected_again, HANGS_AFTER, "the other to take over", logs)
        assert waiting.works
        waiting.process.terminate()
        assert wait_for_exit(waiting.process, logs) == 0
    finally:
        for server in both:
            server.process.kill()
            server.process.wait()
    until = learned_until()
    assert kept is not None
    assert until is not None
    assert kept < killed < until
    assert "Traceback" not in logs()
    assert "anew" not in logs()
