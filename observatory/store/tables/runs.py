"""Runs of notebooks: what was run with which parameters, how it went, and who may run what is due."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from observatory.model import Run, RunStatus
from observatory.store.engine.database import Database, Statement
from observatory.store.engine.homes import Session
from observatory.store.sql import runs as run_queries
from observatory.store.sql.literals import Row

LOST_AFTER = timedelta(seconds=60)
"""A run, or a scheduler, that was not seen for so long is taken for dead."""


class Runs:
    """The runs of a store; safe to use from many processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, run: Run) -> bool:
        """Record that `run` starts; False when it must not.

        A run of a job must not start where another process has claimed the same time, or where a run of the same
        job is still alive. Of many processes that ask at once, one is told True.
        """
        values = _row(run) | {"alive_since": run.started_at - LOST_AFTER}

        def claim(session: Session) -> bool:
            session.execute(run_queries.CLAIM, values)
            return len(session.read(run_queries.RUN, [run.id])) == 1

        return self._database.transaction(claim)

    def update(self, run: Run) -> None:
        """Record how `run` goes, or how it ended."""
        row = _row(run)
        names = ("id", "seen_at", "ended_at", "status", "failed_cell", "error", "process")
        self._database.write([Statement(run_queries.UPDATE, {name: row[name] for name in names})])

    def seen(self, run_id: str, at: datetime) -> None:
        """Remember that a run's process is alive."""
        self._database.write([Statement(run_queries.SEEN, {"id": run_id, "at": at})], content=False)

    def find_lost(self, now: datetime) -> None:
        """Give up the runs whose process ended without a word."""
        since = now - LOST_AFTER
        if self._database.value(run_queries.RUNNING_SINCE, [since]):
            values = {"error": "its process ended without a word", "alive_since": since}
            self._database.write([Statement(run_queries.LOST, values)])

    def get(self, run_id: str) -> Run | None:
        """The run of that id, or None."""
        found = _runs(self._database.rows(run_queries.RUN, [run_id]))
        return found[0] if found else None

    def last(self, limit: int = 50, notebook: str = "", job: str = "") -> list[Run]:
        """The last runs, the newest first; of one notebook or job only where it is named."""
        return _runs(self._database.rows(run_queries.RUNS, {"limit": limit, "notebook": notebook, "job": job}))

    def alive(self, job: str, now: datetime) -> Run | None:
        """The run of a job that goes on, or None."""
        values = {"job": job, "alive_since": now - LOST_AFTER}
        found = _runs(self._database.rows(run_queries.ALIVE, values))
        return found[0] if found else None

    def last_due(self, job: str) -> datetime | None:
        """The newest time of a job's schedule that was dealt with."""
        due: datetime | None = self._database.value(run_queries.LAST_DUE, [job])
        return due

    def older_than(self, before: datetime) -> list[Run]:
        """Runs that started before a time and have ended, the oldest first."""
        return _runs(self._database.rows(run_queries.OLDER, [before]))

    def forget(self, before: datetime) -> None:
        """Remove the records of `older_than`."""
        self._database.write([Statement(run_queries.PRUNE, [before])])

    # -- who schedules ----------------------------------------------------------------------

    def scheduler_seen(self, process: str, started_at: datetime, at: datetime) -> None:
        """Remember that a scheduler is alive."""
        row = pd.DataFrame([{"process": process, "started_at": started_at, "seen_at": at}])
        self._database.upsert("schedulers", row, ["process"], content=False)
        self._database.write([Statement(run_queries.FORGET_SCHEDULERS, [at - 10 * LOST_AFTER])], content=False)

    def scheduler_gone(self, process: str, started_at: datetime) -> None:
        """Remember that a scheduler has ended."""
        self.scheduler_seen(process, started_at, started_at - LOST_AFTER)

    def schedulers(self, now: datetime) -> dict[str, datetime]:
        """Processes that are taken to schedule, the first to start first, each with its last sign of life."""
        rows = self._database.rows(run_queries.SCHEDULERS, [now - LOST_AFTER])
        return {row["process"]: row["seen_at"] for row in rows}


def _row(run: Run) -> dict[str, Any]:
    row = {name: getattr(run, name) for name in run_queries.COLUMNS}
    return row | {"parameters": json.dumps(run.parameters), "status": str(run.status)}


def _runs(rows: list[Row]) -> list[Run]:
    found = []
    for row in rows:
        row |= {"parameters": json.loads(row["parameters"]), "status": RunStatus(row["status"])}
        found.append(Run(**row))
    return found
