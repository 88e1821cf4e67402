"""Keys and the audit log as tables."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import pandas as pd

from observatory.store.tables.audit import AuditEntry
from observatory.store.tables.keys import StoredKey
from observatory.times import TIME


def key_table(keys: Iterable[StoredKey], now: datetime) -> pd.DataFrame:
    """A row an API key: what it may do, and whether it still may."""
    rows = [
        {
            "id": key.id,
            "name": key.name,
            "role": key.role,
            "services": ", ".join(key.services),
            "state": "revoked"
            if key.revoked_at
            else "expired"
            if key.expires_at and key.expires_at <= now
            else "valid",
            "created": key.created_at.strftime(TIME),
            "expires": key.expires_at.strftime(TIME) if key.expires_at else "never",
            "last used": key.last_used_at.strftime(TIME) if key.last_used_at else "never",
        }
        for key in keys
    ]
    return pd.DataFrame(rows, columns=["id", "name", "role", "services", "state", "created", "expires", "last used"])


def audit_table(entries: Iterable[AuditEntry]) -> pd.DataFrame:
    """A row an entry of the audit log."""
    columns = ["at", "who", "address", "action", "target", "result", "detail"]
    rows = [[f"{e.at:%Y-%m-%d %H:%M:%S}", e.who, e.address, e.action, e.target, e.result, e.detail] for e in entries]
    return pd.DataFrame(rows, columns=columns)
