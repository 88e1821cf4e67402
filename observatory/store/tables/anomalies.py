"""Anomalies: episodes, each with the evidence for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from observatory.errors import InvalidInputError
from observatory.model import SERVICE, TIMESTAMP, Anomaly, Evidence, Severity
from observatory.store.sql import tables
from observatory.store.tables.base import Column, ValueTable


def _dump_evidence(evidence: Sequence[Evidence]) -> str:
    return json.dumps([asdict(item) for item in evidence])


def _load_evidence(text: str) -> tuple[Evidence, ...]:
    return tuple(Evidence(**item) for item in json.loads(text))


class AnomalyTable(ValueTable[Anomaly]):
    """Episodes; service, start and detector identify one. Its evidence is JSON."""

    name = "metrics_anomalies"
    keys = (SERVICE, TIMESTAMP, "detector")
    service_columns = (SERVICE,)
    value = Anomaly
    columns = (
        Column(SERVICE),
        Column(TIMESTAMP, "started_at"),
        Column("detector"),
        Column("ended_at"),
        Column("peak_at"),
        Column("is_open"),
        Column("severity", dump=str, load=Severity),
        Column("score"),
        Column("message"),
        Column("evidence", dump=_dump_evidence, load=_load_evidence),
    )

    def read(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        services: Sequence[str] | None = None,
        severities: Sequence[str] | None = None,
        open_only: bool = False,
        limit: int | None = None,
        after: tuple[datetime, str, str] | None = None,
    ) -> list[Anomaly]:
        """See `Store.anomalies`."""
        if limit is not None and limit < 0:
            raise InvalidInputError(f"limit = {limit}: must be 0 or more")
        last, last_service, last_detector = after or (None, None, None)
        return self.find(
            tables.ANOMALIES,
            {
                "start": start,
                "end": end,
                "services": None if services is None else list(services),
                "severities": None if severities is None else [str(severity) for severity in severities],
                "open_only": open_only,
                "limit": limit,
                "last": last,
                "last_service": last_service,
                "last_detector": last_detector,
            },
        )
