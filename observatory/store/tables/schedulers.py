"""Schedulers: the processes that run what is due."""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from observatory.store.engine.database import Statement
from observatory.store.sql import runs
from observatory.store.tables.base import Table
from observatory.store.tables.runs import LOST_AFTER


class SchedulerTable(Table):
    """Which processes schedule, each with its last sign of life."""

    name = "schedulers"
    keys = ("process",)
    content = False

    def seen(self, process: str, started_at: datetime, at: datetime) -> None:
        """Remember that a scheduler is alive."""
        self.upsert(pd.DataFrame([{"process": process, "started_at": started_at, "seen_at": at}]))
        self._database.write([Statement(runs.FORGET_SCHEDULERS, [at - 10 * LOST_AFTER])], content=self.content)

    def gone(self, process: str, started_at: datetime) -> None:
        """Remember that a scheduler has ended."""
        self.seen(process, started_at, started_at - LOST_AFTER)

    def alive(self, now: datetime) -> dict[str, datetime]:
        """Processes that are taken to schedule, the first to start first, each with its last sign of life."""
        rows = self._database.rows(runs.SCHEDULERS, [now - LOST_AFTER])
        return {row["process"]: row["seen_at"] for row in rows}
