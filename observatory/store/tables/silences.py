"""Silences: what is not told, not judged, or not learned from."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from observatory.errors import NotFoundError
from observatory.model import Effect, Severity, Silence
from observatory.store.engine.database import Statement
from observatory.store.sql import tables
from observatory.store.tables.base import Column, ValueTable


def _texts(stored: str) -> tuple[str, ...]:
    return tuple(json.loads(stored))


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


class SilenceTable(ValueTable[Silence]):
    """Silences by id; those that are over are kept, for what they covered stays unlearned."""

    name = "silences"
    keys = ("id",)
    value = Silence
    columns = (
        Column("id"),
        Column("services", dump=json.dumps, load=_texts),
        Column("severities", dump=json.dumps, load=lambda stored: tuple(map(Severity, json.loads(stored)))),
        Column("metrics", dump=json.dumps, load=_texts),
        Column("effect", dump=str, load=Effect),
        Column("starts_at"),
        Column("ends_at"),
        Column("cron"),
        Column("duration", dump=_seconds, load=lambda stored: timedelta(seconds=stored)),
        Column("timezone"),
        Column("reason"),
        Column("created_by"),
        Column("created_at"),
        Column("source"),
        Column("origin"),
        Column("incidents", dump=json.dumps, load=_texts),
        Column("ended_by"),
    )

    def read(self, start: datetime | None = None, end: datetime | None = None) -> list[Silence]:
        """Silences that may apply between two times, the one that begins first before others."""
        return self.find(tables.SILENCES, {"start": start, "end": end})

    def get(self, silence_id: str) -> Silence:
        """The silence of that id; raises NotFoundError."""
        found = self.find(tables.SILENCE, [silence_id])
        if not found:
            raise no_silence(silence_id)
        return found[0]

    @staticmethod
    def pruning(before: datetime) -> Statement:
        """A statement that removes silences that were over before a time."""
        return Statement(tables.PRUNE_SILENCES, [before])


def no_silence(silence_id: Any) -> NotFoundError:
    """What is raised where there is no silence of that id, or none that may be seen."""
    return NotFoundError(f"there is no silence {silence_id!r}: list them with `observatory silences list`")
