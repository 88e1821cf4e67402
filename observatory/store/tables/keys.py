"""API keys as they are kept: never their secrets, only salted hashes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from observatory.store.engine.database import Statement
from observatory.store.sql import access
from observatory.store.tables.base import Column, ValueTable


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One key. `salt` and `hash` are hexadecimal; `services` are patterns; times are UTC, None is never."""

    id: str
    name: str
    role: str
    services: tuple[str, ...]
    salt: str
    hash: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


def _dump_patterns(patterns: Sequence[str]) -> str:
    return json.dumps(list(patterns))


def _load_patterns(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


class KeyTable(ValueTable[StoredKey]):
    """The keys. Writing one leaves the store's revision alone: no answer depends on it."""

    name = "api_keys"
    keys = ("id",)
    content = False
    value = StoredKey
    columns = (
        Column("id"),
        Column("name"),
        Column("role"),
        Column("services", dump=_dump_patterns, load=_load_patterns),
        Column("salt"),
        Column("hash"),
        Column("created_at"),
        Column("expires_at"),
        Column("revoked_at"),
        Column("last_used_at"),
    )

    def all(self) -> list[StoredKey]:
        """Every key there ever was, the oldest first."""
        return self.find(access.KEYS)

    def add(self, key: StoredKey) -> None:
        """Keep a new key; one with an `id` that is there already changes nothing."""
        row = self.to_row(key)
        del row["revoked_at"], row["last_used_at"]
        self._execute(access.ADD_KEY, **row)

    def renew(self, id: str, salt: str, hash: str, expires_at: datetime | None) -> None:  # noqa: A002
        """Give a key another secret."""
        self._execute(access.RENEW_KEY, id=id, salt=salt, hash=hash, expires_at=expires_at)

    def revoke(self, id: str, at: datetime) -> None:  # noqa: A002
        """Refuse a key from now on; one that is revoked already keeps its time."""
        self._execute(access.REVOKE_KEY, id=id, at=at)

    def touch(self, id: str, at: datetime) -> None:  # noqa: A002
        """Remember when a key was last used."""
        self._execute(access.TOUCH_KEY, id=id, at=at)

    def _execute(self, sql: str, **parameters: object) -> None:
        self._database.write([Statement(sql, parameters)], content=self.content)
