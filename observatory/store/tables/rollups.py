"""Roll-ups: samples summarised over whole steps, which answer long ranges and outlive their samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import ClassVar

from observatory.model import SERVICE, TIMESTAMP
from observatory.store.engine.database import Statement
from observatory.store.engine.homes.base import Session
from observatory.store.sql import rollups
from observatory.store.tables.base import Table


class RollupTable(Table):
    """Lowest, highest, mean and number of the values of each metric, by service and step of `seconds`."""

    keys = (SERVICE, TIMESTAMP)
    service_columns = (SERVICE,)
    content = False
    seconds: ClassVar[int]

    @classmethod
    def columns_of(cls, metrics: Iterable[str]) -> list[str]:
        """Columns for some metrics."""
        return rollups.columns(list(metrics))

    @classmethod
    def renewing(cls, metrics: Sequence[str], span: list[datetime]) -> list[Statement]:
        """Statements that summarise the samples from the first time of `span` to before the second."""
        return [
            Statement(rollups.forget(cls.name), span),
            Statement(rollups.roll_up(cls.name, cls.seconds, metrics), span),
        ]

    @classmethod
    def refresh(cls, session: Session, batch: str, metrics: Sequence[str], span: list[datetime]) -> None:
        """Summarise again what the services of a batch have in `span`."""
        for sql in rollups.refresh(cls.name, cls.seconds, metrics, batch):
            session.execute(sql, span)

    @classmethod
    def pruning(cls, before: datetime) -> Statement:
        """Removes what is older, but nothing whose samples are still there."""
        return Statement(rollups.prune(cls.name), [before])


class FiveMinutes(RollupTable):
    """Samples over five minutes."""

    name = "rollup_5m"
    seconds = 300


class Hours(RollupTable):
    """Samples over an hour."""

    name = "rollup_1h"
    seconds = 3600


ROLLUPS: tuple[type[RollupTable], ...] = (FiveMinutes, Hours)
"""The finest first."""
