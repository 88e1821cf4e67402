"""What sources remarked about samples that are stored, by time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import pandas as pd

from observatory.model import Remark
from observatory.store.engine.database import Database
from observatory.store.sql import tables as queries
from observatory.store.tables.fetches import Fetches

KEYS = ["source", "warning", "started_at"]
APART = timedelta(minutes=5)
"""The same remark within this time is about one range."""


class Remarks:
    """Remarks of live collection; those about history are kept with what was fetched, and told here as well."""

    def __init__(self, database: Database, fetches: Fetches) -> None:
        self._database = database
        self._fetches = fetches

    def write(self, source: str, at: datetime, warnings: Iterable[str]) -> None:
        """Keep what `source` remarked about its samples at a time; the same remark again makes its range longer."""
        texts = list(dict.fromkeys(warnings))
        if not texts:
            return
        going_on = {remark.text: remark.start for remark in self._live(source, at - APART, at)}
        rows = [(source, text, going_on.get(text, at), at) for text in texts]
        self._database.upsert("remarks", pd.DataFrame(rows, columns=[*KEYS, "ended_at"]), KEYS, content=False)

    def about(self, source: str, start: datetime, end: datetime) -> list[Remark]:
        """What a source remarked about its samples from `start` to `end`, the oldest first."""
        history = [remark for remark in self._fetches.remarks(start, end) if remark.source == source]
        return sorted([*self._live(source, start, end), *history], key=lambda remark: (remark.start, remark.text))

    def _live(self, source: str, start: datetime, end: datetime) -> list[Remark]:
        rows = self._database.rows(queries.REMARKS, [source, end, start])
        return [Remark(source, row["started_at"], row["ended_at"], row["warning"]) for row in rows]
