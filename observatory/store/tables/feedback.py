"""What people said of anomalies, and what they say was missed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from observatory.model import SERVICE, Feedback, Verdict
from observatory.store.sql import tables
from observatory.store.tables.base import Column, ValueTable


class FeedbackTable(ValueTable[Feedback]):
    """Verdicts; a later one on the same anomaly, or from the same start, replaces the earlier one."""

    name = "feedback"
    keys = (SERVICE, "started_at", "detector")
    service_columns = (SERVICE,)
    value = Feedback
    columns = (
        Column(SERVICE),
        Column("started_at"),
        Column("detector"),
        Column("verdict", dump=str, load=Verdict),
        Column("ended_at"),
        Column("given_at"),
        Column("note"),
    )

    def read(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        services: Sequence[str] | None = None,
    ) -> list[Feedback]:
        """Verdicts on spans that overlap the time given, the oldest span first."""
        parameters = {"start": start, "end": end, "services": None if services is None else list(services)}
        return self.find(tables.FEEDBACK, parameters)
