"""The Runs view says what is scheduled, who does it, and how it went; a report is a link where it is served."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from views.conftest import NOW
from views.test_views import data_of

from observatory.config import Settings
from observatory.config.schedule import JobSettings
from observatory.model import Run, RunStatus
from observatory.runtime import Runtime
from observatory.views import VIEWS
from observatory.views.runs import read, tables
from observatory.views.session.state import State

SCHEDULE = {"hourly": JobSettings(notebook="collect", cron="30 * * * *")}


def a_runtime(tmp_path: Path, **settings: Any) -> Runtime:
    return Runtime(Settings(store=":memory:", worker=False, runs=tmp_path, **settings), clock=lambda: NOW)


def a_run(folder: Path, status: RunStatus = RunStatus.DONE, **values: Any) -> Run:
    started = NOW - timedelta(minutes=10)
    chosen = {"ended_at": NOW - timedelta(minutes=9), "folder": str(folder), "process": "me:1"} | values
    return Run(id="a", notebook="collect", started_at=started, seen_at=NOW, status=status, **chosen)


def drawn(runtime: Runtime) -> dict[str, Any]:
    (data,) = data_of(VIEWS.get("runs")(runtime, State(view="runs")), "RunTables")
    return data


def test_a_job_shows_its_next_time_and_how_the_last_run_went(tmp_path: Path) -> None:
    runtime = a_runtime(tmp_path, schedule=SCHEDULE)
    (job,) = drawn(runtime)["jobs"]
    assert (job["cadence"], job["next"], job["left"], job["last"]) == ("30 * * * *", "09:30 UTC", "in 15 min", None)
    runtime.store.runs.begin(a_run(tmp_path, job="hourly", due_at=NOW - timedelta(minutes=10)))
    (job,) = drawn(runtime)["jobs"]
    assert job["last"] == {"status": "good", "word": "done", "when": "09:05 UTC"}


def test_it_says_when_nobody_schedules(tmp_path: Path) -> None:
    runtime = a_runtime(tmp_path, schedule=SCHEDULE)
    assert "no scheduler runs" in drawn(runtime)["scheduler"]["text"]
    runtime.store.schedulers.seen("me:7", NOW, NOW)
    runtime.store.write_note("anything", "new")  # what is read is shared until the store changes
    assert drawn(runtime)["scheduler"] == {"runs": True, "text": "scheduled by me:7"}


def test_a_run_shows_status_duration_parameters_and_the_error_of_its_cell(tmp_path: Path) -> None:
    runtime = a_runtime(tmp_path)
    failed = a_run(tmp_path, RunStatus.FAILED, failed_cell=3, error="ValueError: no", parameters={"days": 2.0})
    runtime.store.runs.begin(failed)
    (run,) = drawn(runtime)["runs"]
    assert (run["status"], run["word"], run["took"], run["job"]) == ("bad", "failed", "60 s", "by hand")
    assert (run["error"], run["parameters"]) == ("cell 3: ValueError: no", "days = 2.0")


def test_a_report_is_a_link_where_a_server_hands_it_out(tmp_path: Path) -> None:
    runtime = a_runtime(tmp_path)
    runtime.store.runs.begin(a_run(tmp_path / "a"))
    assert tables(read(runtime), runtime, "", served=True)["runs"][0]["report"] == ""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "collect.html").write_text("<p>")
    assert tables(read(runtime), runtime, "", served=True)["runs"][0]["report"] == "api/runs/a/report"
    assert tables(read(runtime), runtime, "", served=False)["runs"][0]["report"] == ""
