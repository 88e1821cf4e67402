"""Changes of services: deployments, restarts, settings, flags."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from observatory.model import SERVICE, Change, ChangeKind
from observatory.store.engine.database import Statement
from observatory.store.sql import tables
from observatory.store.tables.base import Column, ValueTable


class ChangeTable(ValueTable[Change]):
    """Changes by id; one that is written again replaces what was known of it."""

    name = "changes"
    keys = ("id",)
    service_columns = (SERVICE,)
    value = Change
    columns = (
        Column("id"),
        Column(SERVICE),
        Column("changed_at", "at"),
        Column("kind", dump=str, load=ChangeKind),
        Column("version"),
        Column("summary"),
        Column("url"),
        Column("source"),
    )

    def read(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        services: Sequence[str] | None = None,
    ) -> list[Change]:
        """Changes from `start` to `end`, both included, of all services or of those named; the oldest first."""
        parameters = {"start": start, "end": end, "services": None if services is None else list(services)}
        return self.find(tables.CHANGES, parameters)

    def get(self, change_id: str) -> Change | None:
        """The change with an id; None where there is none."""
        return next(iter(self.find(tables.CHANGE, [change_id])), None)

    @staticmethod
    def pruning(before: datetime) -> Statement:
        """A statement that removes the changes before a time."""
        return Statement(tables.PRUNE_CHANGES, [before])
