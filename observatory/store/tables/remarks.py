"""What sources remarked about samples that are stored, by time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from observatory.model import Remark
from observatory.store.engine.database import Database
from observatory.store.sql import tables
from observatory.store.tables.base import Column, ValueTable
from observatory.store.tables.fetches import FetchTable

SAME_WITHIN = timedelta(minutes=5)
"""The same remark within this time is about one range."""


class RemarkTable(ValueTable[Remark]):
    """Remarks of live collection; those about history are kept with what was fetched, and told here as well."""

    name = "remarks"
    keys = ("source", "warning", "started_at")
    content = False
    value = Remark
    columns = (
        Column("source"),
        Column("warning", "text"),
        Column("started_at", "start"),
        Column("ended_at", "end"),
    )

    def __init__(self, database: Database, fetches: FetchTable) -> None:
        super().__init__(database)
        self._fetches = fetches

    def record(self, source: str, at: datetime, warnings: Iterable[str]) -> None:
        """Keep what `source` remarked about its samples at a time; the same remark again makes its range longer."""
        texts = list(dict.fromkeys(warnings))
        if not texts:
            return
        since = {remark.text: remark.start for remark in self._live(source, at - SAME_WITHIN, at)}
        self.write(Remark(source, since.get(text, at), at, text) for text in texts)

    def about(self, source: str, start: datetime, end: datetime) -> list[Remark]:
        """What a source remarked about its samples from `start` to `end`, the oldest first."""
        history = [remark for remark in self._fetches.remarks(start, end) if remark.source == source]
        return sorted([*self._live(source, start, end), *history], key=lambda remark: (remark.start, remark.text))

    def _live(self, source: str, start: datetime, end: datetime) -> list[Remark]:
        return self.find(tables.REMARKS, [source, end, start])
