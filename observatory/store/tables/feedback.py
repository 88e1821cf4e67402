"""What people said of anomalies, and what they say was missed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime

import pandas as pd

from observatory.model import SERVICE, Feedback, Verdict
from observatory.store.engine.database import Database
from observatory.store.sql import tables as queries

KEYS = (SERVICE, "started_at", "detector")


class FeedbackTable:
    """Verdicts; a later one on the same anomaly, or from the same start, replaces the earlier one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, given: Iterable[Feedback]) -> int:
        """Keep verdicts; returns how many."""
        rows = [asdict(one) | {"verdict": str(one.verdict)} for one in given]
        return self._database.upsert("feedback", pd.DataFrame(rows), list(KEYS))

    def read(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        services: Sequence[str] | None = None,
    ) -> list[Feedback]:
        """Verdicts on spans that overlap the time given, the oldest span first."""
        parameters = {"start": start, "end": end, "services": None if services is None else list(services)}
        rows = self._database.rows(queries.FEEDBACK, parameters)
        return [Feedback(**row | {"verdict": Verdict(row["verdict"])}) for row in rows]
