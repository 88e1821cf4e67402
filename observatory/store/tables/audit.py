"""What was done and refused, as it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import pandas as pd

from observatory.store.engine.database import Database, Statement
from observatory.store.sql import access as access_queries


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


class AuditLog:
    """The table of entries; lines are only added, and pruned by age."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, entries: Sequence[AuditEntry]) -> None:
        """Keep entries; one with an `id` that is there already replaces it, so that this may be repeated."""
        frame = pd.DataFrame([asdict(entry) for entry in entries]).rename(columns={"at": "done_at"})
        self._database.upsert("audit_log", frame, ["id"], content=False)

    def read(
        self, since: datetime, who: str | None = None, refused: bool = False, limit: int = 1000
    ) -> list[AuditEntry]:
        """Entries since a time, the newest first; only of `who`, only what was refused."""
        parameters = {"since": since, "who": who, "refused": refused, "limit": limit}
        rows = self._database.rows(access_queries.AUDIT, parameters)
        return [AuditEntry(at=row.pop("done_at"), **row) for row in rows]

    def prune(self, before: datetime) -> None:
        """Forget entries that are older."""
        self._database.write([Statement(access_queries.PRUNE_AUDIT, [before])], content=False)
