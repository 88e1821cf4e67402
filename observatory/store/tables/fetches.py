"""What history was fetched already, and how complete what is stored is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from observatory.catalog import Metric
from observatory.model import SERVICE, Remark
from observatory.store.engine.database import Database
from observatory.store.sql import coverage
from observatory.store.tables.base import Table

SAMPLES_AT_ONCE = 122_880
"""Samples written in one transaction: another writer waits no longer than for these. As many as DuckDB has in a row
group: whole ones are not written to its log first."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a source over some range: of all services, or of those named; `step` in seconds."""

    source: str
    asks: str
    services: tuple[str, ...]
    step: float


class FetchTable(Table):
    """The ranges that were fetched, by question."""

    name = "fetches"
    keys = ("source", "asks", "services", "step", "started_at", "ended_at")
    content = False

    def __init__(self, database: Database, catalog: Mapping[str, Metric]) -> None:
        super().__init__(database)
        self._catalog = catalog

    def record(
        self,
        question: Question,
        start: datetime,
        end: datetime,
        samples: int,
        warnings: Sequence[str],
        fetched_at: datetime,
    ) -> None:
        """Remember that the range from `start` to `end`, both included, is stored, and what was said about it."""
        row = {
            **_identity(question),
            "started_at": start,
            "ended_at": end,
            "samples": samples,
            "warnings": json.dumps(list(warnings)),
            "fetched_at": fetched_at,
        }
        self.upsert(pd.DataFrame([row]))

    def done(self, question: Question) -> list[tuple[datetime, datetime]]:
        """Ranges fetched with this question, or with the same about all services; both ends included."""
        rows = self._database.rows(coverage.FETCHED, _identity(question))
        return [(row["started_at"], row["ended_at"]) for row in rows]

    def remarks(self, start: datetime, end: datetime) -> list[Remark]:
        """What sources said about history of a time, the oldest first."""
        rows = self._database.rows(coverage.WARNINGS, [end, start])
        return [
            Remark(row["source"], row["started_at"], row["ended_at"], text)
            for row in rows
            for text in json.loads(row["warnings"])
        ]

    def coverage(
        self, start: datetime, end: datetime, expected: int, services: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Share of `expected` samples that is stored: a row a service, a column a metric, values 0–1."""
        sql = coverage.counts(list(self._catalog))
        counts = self._database.read(sql, _range(start, end, services)).set_index(SERVICE)
        return (counts.astype(float) / max(1, expected)).clip(upper=1.0)

    def gaps(self, start: datetime, end: datetime, step: float, services: Sequence[str] | None = None) -> pd.DataFrame:
        """Times without any sample of services that have some: the largest first.

        Columns ``first`` and ``last`` (the first and the last point that is missing), ``missing`` (points, each
        service), ``services`` (how many lack exactly these) and ``example`` (one of them).
        """
        parameters = {**_range(start, end, services), "step": step}
        return self._database.read(coverage.GAPS, parameters)


def _identity(question: Question) -> dict[str, Any]:
    services = json.dumps(sorted(question.services)) if question.services else ""
    return {"source": question.source, "asks": question.asks, "services": services, "step": question.step}


def _range(start: datetime, end: datetime, services: Sequence[str] | None) -> dict[str, Any]:
    return {"start": start, "end": end, "services": None if services is None else list(services)}
