"""API keys as they are kept: never their secrets, only salted hashes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from observatory.store.engine.database import Database, Statement
from observatory.store.sql import access as access_queries


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


class Keys:
    """The table of keys. Its writes leave the store's revision alone: no answer depends on them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[StoredKey]:
        """Every key there ever was, the oldest first."""
        rows = self._database.rows(access_queries.KEYS)
        return [StoredKey(**row | {"services": tuple(json.loads(row["services"]))}) for row in rows]

    def add(self, key: StoredKey) -> None:
        """Keep a new key."""
        row = asdict(key) | {"services": json.dumps(list(key.services))}
        del row["revoked_at"], row["last_used_at"]
        self._write(access_queries.ADD_KEY, **row)

    def renew(self, id: str, salt: str, hash: str, expires_at: datetime | None) -> None:  # noqa: A002
        """Give a key another secret."""
        self._write(access_queries.RENEW_KEY, id=id, salt=salt, hash=hash, expires_at=expires_at)

    def revoke(self, id: str, at: datetime) -> None:  # noqa: A002
        """Refuse a key from now on; one that is revoked already keeps its time."""
        self._write(access_queries.REVOKE_KEY, id=id, at=at)

    def touch(self, id: str, at: datetime) -> None:  # noqa: A002
        """Remember when a key was last used."""
        self._write(access_queries.TOUCH_KEY, id=id, at=at)

    def _write(self, sql: str, **parameters: object) -> None:
        self._database.write([Statement(sql, parameters)], content=False)
