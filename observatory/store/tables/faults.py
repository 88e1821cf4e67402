"""Labelled faults: ground truth to judge detectors by."""

from __future__ import annotations

from datetime import datetime

from observatory.model import SERVICE, Fault
from observatory.store.sql import tables
from observatory.store.tables.base import Column, ValueTable


def _load_metrics(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()


class FaultTable(ValueTable[Fault]):
    """Labelled faults; service, kind and start identify one. Its metrics are separated by commas."""

    name = "faults"
    keys = (SERVICE, "kind", "started_at")
    service_columns = (SERVICE, "root_cause")
    value = Fault
    columns = (
        Column(SERVICE),
        Column("kind"),
        Column("started_at", "start"),
        Column("ended_at", "end"),
        Column("metrics", dump=",".join, load=_load_metrics),
        Column("root_cause"),
    )

    def read(self, start: datetime | None = None, end: datetime | None = None) -> list[Fault]:
        """Those that overlap the time given, the oldest first."""
        return self.find(tables.FAULTS, {"start": start, "end": end})
