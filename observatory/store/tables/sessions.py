"""Who is signed in to the dashboard, as it is kept: never what their cookies hold, only hashes of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from observatory.store.engine.database import Statement
from observatory.store.sql import access
from observatory.store.tables.base import Column, ValueTable


@dataclass(frozen=True, slots=True)
class StoredSession:
    """One sign-in. `id_hash` is hexadecimal; `role` and `services` are what was granted then; times are UTC."""

    id_hash: str
    way: str
    subject: str
    role: str
    services: tuple[str, ...]
    began_at: datetime
    expires_at: datetime


def _dump_patterns(patterns: Sequence[str]) -> str:
    return json.dumps(list(patterns))


def _load_patterns(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


class SessionTable(ValueTable[StoredSession]):
    """The sessions. They are the servers' of this store: a backup has none, so that none comes back with it."""

    name = "login_sessions"
    keys = ("id_hash",)
    content = False
    value = StoredSession
    columns = (
        Column("id_hash"),
        Column("way"),
        Column("subject"),
        Column("role"),
        Column("services", dump=_dump_patterns, load=_load_patterns),
        Column("began_at"),
        Column("expires_at"),
    )

    def all(self) -> list[StoredSession]:
        """Every session that was not ended, the oldest first; some may have expired."""
        return self.find(access.SESSIONS)

    def add(self, session: StoredSession) -> None:
        """Keep a new session, and forget those that have expired by the time it began."""
        self._database.write(
            [
                Statement(access.PRUNE_SESSIONS, {"now": session.began_at}),
                Statement(access.ADD_SESSION, self.to_row(session)),
            ],
            content=self.content,
        )

    def end(self, id_hash: str) -> None:
        """Forget a session."""
        self._database.write([Statement(access.END_SESSION, {"id_hash": id_hash})], content=self.content)
