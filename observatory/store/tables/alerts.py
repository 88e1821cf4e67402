"""Alerts of others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from observatory.model import SERVICE, ExternalAlert, Severity
from observatory.store.engine.database import Statement
from observatory.store.sql import tables
from observatory.store.tables.base import Column, ValueTable


class AlertTable(ValueTable[ExternalAlert]):
    """Alerts of others by fingerprint and start; one that is told again replaces what was known of it."""

    name = "alerts"
    keys = ("fingerprint", "started_at")
    service_columns = (SERVICE,)
    value = ExternalAlert
    columns = (
        Column("fingerprint"),
        Column("started_at"),
        Column(SERVICE),
        Column("name"),
        Column("severity", dump=lambda one: str(one or ""), load=lambda stored: Severity(stored) if stored else None),
        Column("summary"),
        Column("url"),
        Column("sender"),
        Column("seen_at"),
        Column("expires_at"),
        Column("ended_at"),
        Column("labels", dump=lambda labels: json.dumps(dict(labels)), load=json.loads),
    )

    def read(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        services: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> list[ExternalAlert]:
        """Alerts that overlap a range of time, of all services or of those named; the newest first."""
        names = None if services is None else list(services)
        return self.find(tables.ALERTS, {"start": start, "end": end, "services": names, "limit": limit})

    @staticmethod
    def pruning(before: datetime) -> Statement:
        """A statement that removes alerts that were last told before a time."""
        return Statement(tables.PRUNE_ALERTS, [before])
