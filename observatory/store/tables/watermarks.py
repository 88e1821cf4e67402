"""Watermarks of upkeep: the time before which a task has done everything."""

from __future__ import annotations

from datetime import datetime

from observatory.store.engine.database import Statement
from observatory.store.engine.homes.base import Session
from observatory.store.sql import tables
from observatory.store.tables.base import Table


class WatermarkTable(Table):
    """One watermark a task. Moving one changes no answer."""

    name = "upkeep"
    keys = ("task",)
    content = False

    def get(self, task: str) -> datetime | None:
        """The watermark of a task; None where it has never run."""
        done: datetime | None = self._database.value(tables.WATERMARK, [task])
        return done

    @staticmethod
    def read(session: Session, task: str) -> datetime | None:
        """What `get` gives, as the transaction of a session sees it."""
        rows = session.rows(tables.WATERMARK, [task])
        done: datetime | None = rows[0]["done_until"] if rows else None
        return done

    @staticmethod
    def moving(task: str, until: datetime) -> list[Statement]:
        """Statements that move a watermark, for the transaction that does the work."""
        return [*WatermarkTable.forgetting(task), Statement(tables.REMEMBER_WATERMARK, [task, until])]

    @staticmethod
    def forgetting(task: str) -> list[Statement]:
        """Statements after which a task begins from the oldest sample again."""
        return [Statement(tables.FORGET_WATERMARK, [task])]
