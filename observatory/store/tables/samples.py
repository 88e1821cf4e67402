"""Samples: what comes in, by the batch and by the file, and what is asked of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from observatory.catalog import Metric
from observatory.errors import InvalidInputError, StoreError
from observatory.model import SERVICE, TIMESTAMP, Service
from observatory.store.engine.database import Database, batch_name
from observatory.store.engine.homes.base import Session
from observatory.store.sql import archive, builders, rollups, samples, schema
from observatory.store.tables.base import Table
from observatory.store.tables.rollups import ROLLUPS
from observatory.store.tables.services import ServiceTable
from observatory.store.tables.watermarks import WatermarkTable

HOUR = timedelta(hours=1)
LATELY = timedelta(minutes=15)
"""Services that report have a sample since this time before the end of the roll-ups."""


class SampleTable(Table):
    """Samples of all services, those in the archive included: a column a metric of the catalogue."""

    name = "service_metrics"
    keys = (SERVICE, TIMESTAMP)
    service_columns = (SERVICE,)
    computed: ClassVar[Mapping[str, str]] = {samples.SERVICE_KEY: samples.service_key("b.service_name")}
    keep_known = True

    def __init__(self, database: Database, catalog: Mapping[str, Metric]) -> None:
        super().__init__(database)
        self._catalog = catalog
        self._watermarks = WatermarkTable(database)

    # -- writing ----------------------------------------------------------------------------

    def write(self, frame: pd.DataFrame) -> int:
        """See `Store.write_samples`."""
        batch = self._checked(frame)
        if batch.empty:
            return 0
        oldest, newest = (batch[TIMESTAMP].agg(how).to_pydatetime() for how in ("min", "max"))

        def merge(session: Session, name: str, values: Sequence[str]) -> None:
            _restore_archived(session, name, oldest)
            if session.read(builders.are_new(self.name, name, self.keys), [oldest, newest]).iat[0, 0]:
                session.execute(builders.insert(self.name, name, [*self.keys, *values], self.computed))
            else:
                self.merge(session, name, values)
            _refresh_rollups(session, name, oldest, newest)

        return self.upsert(batch, merge)

    def write_file(
        self,
        file: Path,
        metrics: Sequence[str],
        oldest: datetime,
        newest: datetime,
        services: Iterable[Service],
        registered: ServiceTable,
    ) -> None:
        """See `Store.write_file`; `services` are added to those that are `registered`."""
        new = pd.DataFrame([(service.name, service.source) for service in services], columns=[SERVICE, "source"])
        name, name_of_new = batch_name(), batch_name()

        def work(session: Session) -> None:
            _restore_archived(session, name, oldest)
            if len(new):
                registered.merge(session, name_of_new, ["source"])
            self.merge(session, name, metrics)
            _refresh_rollups(session, name, oldest, newest)

        self._database.transaction(work, {name: file} | ({name_of_new: new} if len(new) else {}))

    # -- reading ----------------------------------------------------------------------------

    def history(self, service: str, start: datetime, end: datetime, metrics: Sequence[str] | None) -> pd.DataFrame:
        """See `Store.history`."""
        sql = samples.samples(self._names(metrics))
        return self._database.read(sql, {"service": service, "start": start, "end": end}).set_index(TIMESTAMP)

    def history_of_all(self, start: datetime, end: datetime, services: Sequence[str] | None) -> pd.DataFrame:
        """See `Store.history_of_all`."""
        parameters = {"start": start, "end": end, "services": None if services is None else list(services)}
        return self._database.read(samples.samples_of_all(list(self._catalog)), parameters)

    def buckets(
        self,
        service: str,
        start: datetime,
        end: datetime,
        seconds: float,
        metrics: Sequence[str] | None,
        *,
        extremes: bool,
    ) -> pd.DataFrame:
        """See `Store.buckets`."""
        how = self._aggregates(metrics)
        fitting = [table for table in ROLLUPS if seconds % table.seconds == 0]
        sql = (
            rollups.buckets(fitting[-1].name, fitting[-1].seconds, how, extremes=extremes)
            if fitting
            else samples.buckets(how, extremes=extremes)
        )
        parameters = {"seconds": seconds, "service": service, "start": start, "end": end}
        return self._database.read(sql, parameters).set_index(TIMESTAMP)

    def resolution(self, start: datetime, seconds: float) -> float:
        """See `Store.resolution`."""
        removed = self._watermarks.get("removal")
        finest, *coarser = (table.seconds for table in ROLLUPS)
        if seconds > finest or (removed is not None and start < removed):
            seconds = -(-seconds // finest) * finest
        for step in coarser:
            seconds = -(-seconds // step) * step if seconds > step else seconds
        return seconds

    def trends(self, start: datetime, end: datetime, seconds: float, metrics: Sequence[str]) -> pd.DataFrame:
        """See `Store.trends`."""
        parameters = {"width": round(1e6 * seconds), "start": start, "end": end}
        return self._database.read(samples.trends(self._aggregates(metrics)), parameters)

    def latest(self, since: datetime) -> pd.DataFrame:
        """See `Store.latest`."""
        rolled_up = self._watermarks.get("rollup")
        parameters: dict[str, Any] = {"edge": since}
        if rolled_up is not None and rolled_up - LATELY > since:  # to look at everything costs ten times as much
            parameters["edge"] = rolled_up - LATELY
            silent = self._database.rows(rollups.SILENT, {"since": since, **parameters})
            if silent:
                parameters["times"] = [row["last"] for row in silent]
        sql = samples.latest(list(self._catalog), older="times" in parameters)
        return self._database.read(sql, parameters).set_index(SERVICE)

    def counts(self) -> pd.DataFrame:
        """See `Store.sample_counts`."""
        return self._database.read(rollups.COUNTS).set_index(SERVICE)

    def newest(self, service: str | None) -> datetime | None:
        """See `Store.newest`."""
        return as_time(self._counts_of(service)["last"].max())

    def oldest(self, service: str | None) -> datetime | None:
        """See `Store.oldest`."""
        return as_time(self._counts_of(service)["first"].min())

    # -- helpers ----------------------------------------------------------------------------

    def _checked(self, frame: pd.DataFrame) -> pd.DataFrame:
        """`frame` with metrics as numbers and infinite ones missing; not copied where it is so already."""
        unknown = [c for c in frame.columns if c not in self._catalog and c not in self.keys]
        missing = [c for c in self.keys if c not in frame.columns]
        if unknown or missing:
            raise StoreError(f"samples cannot be stored: unknown columns {unknown}, missing columns {missing}")
        if frame.empty:
            return frame
        if getattr(frame[TIMESTAMP].dtype, "tz", None) is None:
            raise StoreError("samples cannot be stored: their timestamps have no time zone, give UTC")
        metrics = [column for column in frame.columns if column in self._catalog]
        values = frame[metrics].to_numpy(dtype=float)
        if not np.isinf(values).any() and all(frame[name].dtype == float for name in metrics):
            return frame
        batch = frame.copy(deep=False)
        batch[metrics] = np.where(np.isinf(values), np.nan, values)
        return batch

    def _names(self, metrics: Sequence[str] | None) -> list[str]:
        names = list(self._catalog) if metrics is None else list(metrics)
        unknown = [name for name in names if name not in self._catalog]
        if unknown:
            raise InvalidInputError(f"unknown metric {unknown[0]!r}: choose from {', '.join(self._catalog)}")
        return names

    def _aggregates(self, metrics: Sequence[str] | None) -> dict[str, str]:
        return {name: self._catalog[name].aggregate for name in self._names(metrics)}

    def _counts_of(self, service: str | None) -> pd.DataFrame:
        counts = self.counts()
        return counts if service is None else counts[counts.index == service]


def as_time(value: Any) -> datetime | None:
    """A time out of a frame; None where there is none."""
    return None if pd.isna(value) else value.to_pydatetime()


def floor_hour(time: datetime) -> datetime:
    """The beginning of the hour."""
    return time.replace(minute=0, second=0, microsecond=0)


def _restore_archived(session: Session, batch: str, oldest: datetime) -> None:
    """Copy the archived rows that a batch touches back, so that it changes only what it has; it begins at `oldest`."""
    archived = WatermarkTable.read(session, "archive")
    if archived is not None and oldest < archived:
        session.execute(archive.restore_late(batch))


def _refresh_rollups(session: Session, batch: str, oldest: datetime, newest: datetime) -> None:
    """Summarise again what the late samples of a batch are part of."""
    rolled_up = WatermarkTable.read(session, "rollup")
    if rolled_up is None or oldest >= rolled_up:
        return
    span = [floor_hour(oldest), min(rolled_up, floor_hour(newest) + HOUR)]
    metrics = list(session.read(schema.NUMBERS, [SampleTable.name])["column_name"])
    for table in ROLLUPS:
        table.refresh(session, batch, metrics, span)
