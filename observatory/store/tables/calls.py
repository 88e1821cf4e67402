"""Who calls whom, and how that is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pandas as pd

from observatory.model import COUNTS_FOR_DAYS, Call, End
from observatory.store.engine.database import Statement
from observatory.store.engine.homes.base import Session
from observatory.store.sql import calls
from observatory.store.tables.base import Column, ValueTable


class CallTable(ValueTable[Call]):
    """Calls, a row for each way in which one is known. The time of first sight only goes back, of last only on."""

    name = "calls"
    keys = ("caller", "callee", "kind", "source", "caller_is", "callee_is")
    service_columns = ("caller", "callee")
    service_marks = {"caller": ("caller_is", End.SERVICE), "callee": ("callee_is", End.SERVICE)}  # noqa: RUF012
    joined = {"first_seen": "min", "last_seen": "max"}  # noqa: RUF012
    value = Call
    columns = (
        Column("caller"),
        Column("callee"),
        Column("kind"),
        Column("source"),
        Column("first_seen"),
        Column("last_seen"),
        Column("caller_is", dump=str, load=End),
        Column("callee_is", dump=str, load=End),
    )

    def see(self, seen: Iterable[Call], at: datetime | None = None) -> int:
        """Remember calls as seen at a time, where they say none themselves."""
        rows = [
            self.to_row(replace(call, first_seen=call.first_seen or at, last_seen=call.last_seen or at))
            for call in seen
        ]
        frame = pd.DataFrame(rows, columns=[column.name for column in self.columns])
        for name in ("first_seen", "last_seen"):  # of a column without a time DuckDB could not tell its type
            frame[name] = pd.to_datetime(frame[name], utc=True)
        return self.upsert(frame)

    def replace(self, source: str, told: Iterable[Call], at: datetime) -> None:
        """The same, of a source that tells all its calls each time: it no longer has the others."""
        self.see(told, at)
        self._database.write([Statement(calls.FORGET_UNTOLD, {"source": source, "at": at})])

    def merge(self, session: Session, batch: str, values: Sequence[str]) -> None:
        """Upsert a staged batch: whoever saw a call first or last, in whatever order it is written."""
        session.execute(calls.merge(batch))

    def all(self, *, everything: bool = False) -> list[Call]:
        """Calls that count, or also those that were not seen for long, sorted by their ends."""
        return self.find(calls.CALLS, {"everything": everything, "days": COUNTS_FOR_DAYS})

    def pairs(self) -> list[tuple[str, str]]:
        """Those that count between services as ``(caller, callee)``, sorted."""
        return sorted({(call.caller, call.callee) for call in self.all() if call.is_between_services})

    @staticmethod
    def pruning(today: datetime, days: float) -> Statement:
        """Forget calls that were not seen for so long."""
        return Statement(calls.PRUNE, [today - timedelta(days=days)])
