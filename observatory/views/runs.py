"""Runs: which notebooks are scheduled, when the next is due, and how those that were run went."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import panel as pn

from observatory.model import Run, RunStatus
from observatory.notebooks.run import files_of
from observatory.runtime.reader import Reader
from observatory.schedule.jobs import Job, jobs_of, who_schedules
from observatory.views import VIEWS
from observatory.views.components.base import Box, Component, module
from observatory.views.components.words import span, when
from observatory.views.session.live import end_of, live, session_document, when_read
from observatory.views.session.state import State

LISTED = 100
FRESH = 5.0
"""Time for which what was read is shared by all viewers [s]."""

Read = tuple[list[tuple[Job, Run | None]], list[Run], dict[str, datetime]]


class RunTables(Component):
    """Two tables: jobs and runs."""

    _esm = module("runs.js")
    _sheets = ("runs.css",)


@VIEWS.register("runs")
class Runs(pn.viewable.Viewer):  # type: ignore[misc]
    """What is scheduled, and what was run."""

    title = "Runs"
    order = 40

    def __init__(self, runtime: Reader, state: State) -> None:
        super().__init__()
        self._runtime = runtime
        self._state = state
        self._asked: object = None
        self._served = session_document() is not None
        self._tables = RunTables(self._on_message, data=tables(([], [], {}), runtime, "", served=self._served))
        self._layout = Box(self._tables)
        state.param.watch(self._ask, ["overview", "view"])
        self._ask()

    def __panel__(self) -> Any:
        return self._layout

    def _on_message(self, message: Any) -> None:
        self._state.accept(message, ("dark",))

    def _ask(self, *_: Any) -> None:
        if self._state.view != "runs" and self._asked is not None:
            return
        runtime = self._runtime
        future = live(runtime).once(("runs", end_of(runtime.clock(), FRESH)), lambda: read(runtime))
        self._asked = future

        def show(found: Read | None, error: str) -> None:
            if self._asked is future:
                self._tables.data = tables(found or ([], [], {}), runtime, error, served=self._served)

        when_read(future, show)


def read(runtime: Reader) -> Read:
    """Jobs with their last runs, the last runs of all, and who schedules."""
    runs = runtime.store.runs
    jobs = [(job, next(iter(runs.last(1, job=job.name)), None)) for job in jobs_of(runtime.settings)]
    return jobs, runs.last(LISTED), runtime.store.schedulers.alive(runtime.clock())


def tables(found: Read, runtime: Reader, error: str, *, served: bool) -> dict[str, Any]:
    """What is drawn; reports can be opened where a server hands them out."""
    jobs, runs, schedulers = found
    now = runtime.clock()
    return {
        "error": error,
        "jobs": [_job(job, last, now) for job, last in jobs],
        "runs": [_run(run, now, served=served) for run in runs],
        "scheduler": {
            "runs": bool(schedulers),
            "text": who_schedules(schedulers, now) if jobs or schedulers else "",
        },
    }


def _job(job: Job, last: Run | None, now: datetime) -> dict[str, Any]:
    due = job.cadence.after(now)
    return {
        "name": job.name,
        "notebook": job.settings.notebook,
        "cadence": str(job.cadence),
        "next": when(due, now) if due else "never",
        "left": f"in {span((due - now).total_seconds())}" if due else "",
        "last": {"status": _kind(last.status), "word": str(last.status), "when": when(last.started_at, now)}
        if last
        else None,
    }


def _run(run: Run, now: datetime, *, served: bool) -> dict[str, Any]:
    ended = run.ended_at or now
    parameters = ", ".join(f"{name} = {value}" for name, value in run.parameters.items())
    has_report = bool(run.folder) and run.status is not RunStatus.RUNNING and files_of(run)[1].is_file()
    return {
        "id": run.id,
        "job": run.job or "by hand",
        "notebook": run.notebook,
        "parameters": parameters,
        "started": when(run.started_at, now),
        "took": "" if run.status is RunStatus.SKIPPED else span((ended - run.started_at).total_seconds()),
        "status": _kind(run.status),
        "word": str(run.status),
        "error": f"cell {run.failed_cell}: {run.error}" if run.failed_cell and run.error else run.error,
        "report": f"api/runs/{run.id}/report" if served and has_report else "",
        "folder": run.folder,
    }


def _kind(status: RunStatus) -> str:
    """Which colour it has."""
    return {RunStatus.DONE: "good", RunStatus.RUNNING: "going", RunStatus.SKIPPED: "idle"}.get(status, "bad")
