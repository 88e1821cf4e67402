"""Alive is not ready, and readiness says what it waits for."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from api.conftest import NOW
from support.api import problem, strict

from observatory.api.app import create_app
from observatory.config import Settings
from observatory.errors import StoreError
from observatory.model import Cycle, Failure
from observatory.runtime import Runtime
from observatory.runtime.startup import Startup


@pytest.fixture
def working():
    """A runtime that should work in the background, whose worker is never started."""
    runtime = Runtime(Settings(store=":memory:"), clock=lambda: NOW)
    yield runtime
    runtime.close()


def ready(runtime, startup=None):
    return create_app(runtime, startup).test_client().get("/readyz")


def test_alive_and_ready(reader):
    assert strict(reader.get("/healthz")) == {"status": "ok"}
    body = strict(reader.get("/readyz"))
    assert body["status"] == "ready"
    assert [check["name"] for check in body["checks"]] == ["store"]


def test_probes_answer_under_any_host_name(reader):
    for path in ("/healthz", "/readyz"):
        assert reader.get(path, headers={"Host": "10.1.2.3:5006"}).status_code == 200


@pytest.mark.slow
def test_not_ready_while_the_past_is_filled_and_ready_after(working, monkeypatch):
    go = threading.Event()
    monkeypatch.setattr(working, "start", lambda: go.wait(30))
    startup = Startup(working)
    startup.begin()
    body = problem(ready(working, startup), 503)
    assert body["detail"] == "starting: filling the demo shop's history"
    go.set()
    startup.wait(30)
    assert [check["ok"] for check in strict(ready(working, startup))["checks"]] == [True, True, True]
    startup.end()


@pytest.mark.parametrize("error", [StoreError("disk full"), RuntimeError("disk full")])
def test_a_start_that_failed_is_logged_and_seen(working, monkeypatch, caplog, error):
    def fail():
        raise error

    monkeypatch.setattr(working, "start", fail)
    startup = Startup(working)
    startup.begin()
    startup.wait(30)
    assert "disk full" in problem(ready(working, startup), 503)["detail"]
    assert "starting failed" in caplog.text
    assert create_app(working, startup).test_client().get("/healthz").status_code == 200


def test_ending_in_the_middle_of_a_start_closes_the_store_without_a_word(working, monkeypatch, caplog):
    began, go = threading.Event(), threading.Event()

    def start():
        began.set()
        go.wait(30)
        working.store.write_cycle(Cycle(NOW, 0, 0, 0, 0))

    close = working.close
    monkeypatch.setattr(working, "start", start)
    monkeypatch.setattr(working, "close", lambda: (close(), go.set()))
    startup = Startup(working)
    startup.begin()
    assert began.wait(30)
    startup.end()
    assert startup.finished_at is None
    assert caplog.text == ""


def test_what_did_not_work_while_filling_is_told(working, monkeypatch):
    monkeypatch.setattr(working, "start", lambda: None)
    working.failures = (Failure("history", "no route to host"),)
    startup = Startup(working)
    startup.begin()
    startup.wait(30)
    assert strict(ready(working, startup))["checks"][0]["detail"] == "history: no route to host"


@pytest.mark.parametrize(("age", "status"), [(1, 200), (3, 200), (4, 503), (600, 503)])
def test_ready_while_the_worker_keeps_its_beat(working, age, status):
    working.store.write_cycle(Cycle(NOW - timedelta(minutes=age), 1.0, 1, 1, 0))
    assert ready(working).status_code == status


@pytest.mark.slow
def test_not_ready_before_the_first_cycle_or_after_a_failed_one(working):
    assert "no cycle has run yet" in problem(ready(working), 503)["detail"]
    working.store.write_cycle(Cycle(NOW, 1.0, 1, 1, 0))
    working.worker.error = "RuntimeError: disk full"
    assert "disk full" in problem(ready(working), 503)["detail"]


def test_not_ready_without_a_store(working):
    app = create_app(working)
    working.close()
    body = problem(app.test_client().get("/readyz"), 503)
    assert [fault["name"] for fault in body["errors"]] == ["store"]
