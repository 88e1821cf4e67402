"""Cycles of the worker: what each did, and what failed in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from observatory.model import Cycle, Failure
from observatory.store.engine.database import Statement
from observatory.store.sql import tables
from observatory.store.tables.base import Column, ValueTable


def _dump_failures(failures: Sequence[Failure]) -> str:
    return json.dumps([asdict(failure) for failure in failures])


def _load_failures(text: str) -> tuple[Failure, ...]:
    return tuple(Failure(**item) for item in json.loads(text))


def _load_warnings(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


class CycleTable(ValueTable[Cycle]):
    """Cycles, by the time at which they started. Failures and warnings are JSON."""

    name = "cycles"
    keys = ("started_at",)
    value = Cycle
    columns = (
        Column("started_at"),
        Column("seconds"),
        Column("services"),
        Column("samples"),
        Column("anomalies"),
        Column("failures", dump=_dump_failures, load=_load_failures),
        Column("warnings", dump=json.dumps, load=_load_warnings),
        Column("skipped"),
    )

    def last(self, limit: int) -> list[Cycle]:
        """The last cycles, the newest first."""
        return self.find(tables.CYCLES, [limit])

    def skipped(self, since: datetime) -> int:
        """How many cycles did not run since a time."""
        return int(self._database.value(tables.SKIPPED, [since]))

    def prune(self, before: datetime) -> None:
        """Forget cycles that started before a time."""
        self._database.write([Statement(tables.PRUNE_CYCLES, [before])])
