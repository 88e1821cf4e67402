"""Runs of notebooks: what was run with which parameters, and how it went."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from observatory.model import Run, RunStatus
from observatory.store.engine.database import Statement
from observatory.store.engine.homes.base import Session
from observatory.store.sql import runs
from observatory.store.tables.base import Column, ValueTable

LOST_AFTER = timedelta(seconds=60)
"""A run, or a scheduler, that was not seen for so long is taken for dead."""


class RunTable(ValueTable[Run]):
    """The runs of a store; safe to use from many processes. Parameters are JSON."""

    name = "runs"
    keys = ("id",)
    value = Run
    columns = (
        Column("id"),
        Column("notebook"),
        Column("parameters", dump=json.dumps, load=json.loads),
        Column("job"),
        Column("due_at"),
        Column("started_at"),
        Column("seen_at"),
        Column("ended_at"),
        Column("status", dump=str, load=RunStatus),
        Column("failed_cell"),
        Column("error"),
        Column("folder"),
        Column("process"),
    )

    def begin(self, run: Run) -> bool:
        """Record that `run` starts; False when it must not.

        A run of a job must not start where another process has claimed the same time, or where a run of the same
        job is still alive. Of many processes that ask at once, one is told True.
        """
        values = self.to_row(run) | {"alive_since": run.started_at - LOST_AFTER}

        def claim(session: Session) -> bool:
            session.execute(runs.CLAIM, values)
            return len(session.read(runs.RUN, [run.id])) == 1

        return self._database.transaction(claim)

    def update(self, run: Run) -> None:
        """Record how `run` goes, or how it ended."""
        row = self.to_row(run)
        names = ("id", "seen_at", "ended_at", "status", "failed_cell", "error", "process")
        self._database.write([Statement(runs.UPDATE, {name: row[name] for name in names})])

    def seen(self, run_id: str, at: datetime) -> None:
        """Remember that a run's process is alive."""
        self._database.write([Statement(runs.SEEN, {"id": run_id, "at": at})], content=False)

    def find_lost(self, now: datetime) -> None:
        """Give up the runs whose process ended without a word; what is open for reading only keeps them."""
        if self._database.home.read_only:
            return
        since = now - LOST_AFTER
        if self._database.value(runs.RUNNING_SINCE, [since]):
            values = {"error": "its process ended without a word", "alive_since": since}
            self._database.write([Statement(runs.LOST, values)])

    def get(self, run_id: str) -> Run | None:
        """The run of that id, or None."""
        found = self.find(runs.RUN, [run_id])
        return found[0] if found else None

    def last(self, limit: int = 50, notebook: str = "", job: str = "") -> list[Run]:
        """The last runs, the newest first; of one notebook or job only where it is named."""
        return self.find(runs.RUNS, {"limit": limit, "notebook": notebook, "job": job})

    def alive(self, job: str, now: datetime) -> Run | None:
        """The run of a job that goes on, or None."""
        found = self.find(runs.ALIVE, {"job": job, "alive_since": now - LOST_AFTER})
        return found[0] if found else None

    def last_due(self, job: str) -> datetime | None:
        """The newest time of a job's schedule that was dealt with."""
        due: datetime | None = self._database.value(runs.LAST_DUE, [job])
        return due

    def older_than(self, before: datetime) -> list[Run]:
        """Runs that started before a time and have ended, the oldest first."""
        return self.find(runs.OLDER, [before])

    def forget(self, before: datetime) -> None:
        """Remove the records of `older_than`."""
        self._database.write([Statement(runs.PRUNE, [before])])
