"""What was done and refused, as it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from observatory.store.engine.database import Statement
from observatory.store.sql import access
from observatory.store.tables.base import Column, ValueTable


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line: `id` is that of the request, `who` as ``kind:name``, `result` an HTTP status or a word."""

    id: str
    at: datetime
    who: str
    address: str
    action: str
    target: str
    result: str
    detail: str = ""


class AuditTable(ValueTable[AuditEntry]):
    """Entries of the audit log; they are only added, and pruned by age."""

    name = "audit_log"
    keys = ("id",)
    content = False
    value = AuditEntry
    columns = (
        Column("id"),
        Column("done_at", "at"),
        Column("who"),
        Column("address"),
        Column("action"),
        Column("target"),
        Column("result"),
        Column("detail"),
    )

    def add(self, entries: Sequence[AuditEntry]) -> None:
        """Keep entries; one with an `id` that is there already replaces it, so that this may be repeated."""
        self.write(entries)

    def read(
        self, since: datetime, who: str | None = None, refused: bool = False, limit: int = 1000
    ) -> list[AuditEntry]:
        """Entries since a time, the newest first; only of `who`, only what was refused."""
        return self.find(access.AUDIT, {"since": since, "who": who, "refused": refused, "limit": limit})

    def prune(self, before: datetime) -> None:
        """Forget entries that are older."""
        self._database.write([Statement(access.PRUNE_AUDIT, [before])], content=False)
