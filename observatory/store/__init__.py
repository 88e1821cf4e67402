"""The store: samples, services, anomalies and what else must be kept, behind one class.

>>> store = open_store(":memory:")
>>> store.services()
[]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import pandas as pd

from observatory.catalog import METRICS, Metric
from observatory.errors import InvalidInputError, UnknownServiceError
from observatory.model import SERVICE, TIMESTAMP, Anomaly, Cycle, Fault, Service
from observatory.store.engine.database import Database, Statement
from observatory.store.engine.homes import home_opener
from observatory.store.engine.migrate import open_database
from observatory.store.options import Retention, StoreOptions
from observatory.store.sql import rollups as upkeep_queries
from observatory.store.sql import tables as queries
from observatory.store.tables.audit import AuditLog
from observatory.store.tables.bulk import checked, write_file
from observatory.store.tables.feedback import FeedbackTable
from observatory.store.tables.fetches import Fetches
from observatory.store.tables.keys import Keys
from observatory.store.tables.leases import Leases
from observatory.store.tables.remarks import Remarks
from observatory.store.tables.rows import (
    anomaly_of,
    anomaly_rows,
    cycle_of,
    cycle_rows,
    fault_of,
    fault_rows,
    service_of,
)
from observatory.store.tables.runs import Runs
from observatory.store.tables.states import StateTable
from observatory.store.upkeep.archive import Archive
from observatory.store.upkeep.backup import Backup, backup
from observatory.store.upkeep.check import Finding, check
from observatory.store.upkeep.retention import maintain, removed_until
from observatory.store.upkeep.rollups import as_time, done_until, refresh_late, roll_up

LATELY = timedelta(minutes=15)
"""Services that report have a sample since this time before the end of the roll-ups."""


def open_store(
    url: str = "observatory.duckdb", catalog: Mapping[str, Metric] = METRICS, options: StoreOptions | None = None
) -> Store:
    """Open the store at `url`; it is created on first use.

    Parameters
    ----------
    url
        The path of a DuckDB file, which any number of processes may open at once; ``quack://host:port`` for one
        that is served elsewhere; ``ducklake:postgres:…`` for a lake; or ``:memory:``.
    catalog
        Metrics there must be columns for.
    options
        Limits, secrets and places.

    Raises
    ------
    StoreError
        Or one of its kinds, when it is held by another program, damaged, out of reach, or cannot be made.
    """
    options = options or StoreOptions()
    rollups = {table: upkeep_queries.rollup_columns(list(catalog)) for table in upkeep_queries.ROLLUPS}
    database = open_database(home_opener(url, options), {**rollups, "service_metrics": list(catalog)})
    return Store(database, catalog, options.archive)


class Store:
    """Everything that is kept. Safe to share between threads; use `open_store` to get one."""

    def __init__(self, database: Database, catalog: Mapping[str, Metric], archive: Path | None = None) -> None:
        self._database = database
        self._catalog = catalog
        file = database.home.path
        folder = archive or (file.with_name(file.name + ".archive") if file else None)
        self.archive = Archive(database, folder)
        """The samples that were moved to Parquet."""
        self.fetches = Fetches(database, catalog)
        self.feedback = FeedbackTable(database)
        self.remarks = Remarks(database, self.fetches)
        """What sources said about samples."""
        self.keys = Keys(database)
        """Who may use the API."""
        self.audit = AuditLog(database)
        """What was done and refused."""
        self.leases = Leases(database)
        """Who does what only one may do."""
        self.runs = Runs(database)
        self.states = StateTable(database)
        """What streaming detectors have learned."""
        if not database.home.read_only:
            self.archive.refresh_views()

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics that samples have."""
        return tuple(self._catalog)

    @property
    def revision(self) -> int:
        """Grows with each write of any process: what was computed from the store may be kept until then."""
        return self._database.revision

    @property
    def url(self) -> str:
        """What was opened, without secrets."""
        return self._database.name

    def close(self) -> None:
        """Close the database; further use is an error."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # -- services ---------------------------------------------------------------------------

    def register(self, services: Iterable[Service]) -> int:
        """Add services, or bring those that are known up to date; unknown facts do not replace known ones."""
        rows = pd.DataFrame([asdict(service) for service in services]).rename(columns={"name": SERVICE})
        return self._upsert("services", rows, [SERVICE], keep_known=True)

    def services(self) -> list[Service]:
        """All registered services, by name."""
        return [service_of(row) for row in self._database.rows(queries.SERVICES)]

    def service(self, name: str) -> Service:
        """The service called `name`; raises UnknownServiceError with names that are close."""
        found = self._database.rows(queries.SERVICE, [name])
        if not found:
            raise UnknownServiceError(name, [service.name for service in self.services()])
        return service_of(found[0])

    def write_calls(self, calls: Iterable[tuple[str, str]]) -> int:
        """Remember who calls whom, as ``(caller, callee)``."""
        frame = pd.DataFrame(sorted(set(calls)), columns=["caller", "callee"])
        return self._upsert("calls", frame, ["caller", "callee"])

    def calls(self) -> list[tuple[str, str]]:
        """Known calls as ``(caller, callee)``."""
        return [(row["caller"], row["callee"]) for row in self._database.rows(queries.CALLS)]

    # -- samples ----------------------------------------------------------------------------

    def write_samples(self, frame: pd.DataFrame) -> int:
        """Upsert samples: columns ``service_name``, ``timestamp`` (UTC) and any of the catalogue's metrics.

        A missing value never replaces a known one, so a partial answer loses nothing; infinite is missing.
        Returns the number of samples written.
        """
        batch = checked(frame, self._catalog)
        if batch.empty:
            return 0
        keys = [SERVICE, TIMESTAMP]
        oldest, newest = (batch[TIMESTAMP].agg(how).to_pydatetime() for how in ("min", "max"))
        return self._database.upsert(
            "service_metrics",
            batch,
            keys,
            keep_known=True,
            before=lambda session, name: self.archive.bring_back(session, name, oldest),
            are_new=lambda name: Statement(queries.are_new("service_metrics", name, keys), [oldest, newest]),
            after=lambda session, name: refresh_late(session, name, oldest, newest),
        )

    def write_file(
        self, file: Path, metrics: Sequence[str], oldest: datetime, newest: datetime, services: Iterable[Service]
    ) -> None:
        """Upsert the samples of a Parquet file as `write_samples` does, and add `services`: all of it, or nothing.

        The file has one row a service and time from `oldest` to `newest`, and finite values of `metrics` or NULL.
        """
        write_file(self._database, self.archive, file, metrics, (oldest, newest), services)

    def history(
        self,
        service: str,
        start: datetime,
        end: datetime,
        metrics: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Samples of one service, `start` and `end` included, indexed by UTC time: shape (n, metrics)."""
        names = self._names(metrics)
        frame = self._database.read(queries.samples(names), {"service": service, "start": start, "end": end})
        return frame.set_index(TIMESTAMP)

    def history_of_all(self, start: datetime, end: datetime, services: Sequence[str] | None = None) -> pd.DataFrame:
        """Samples of many services, by service and time, with the columns of `write_samples`."""
        parameters = {"start": start, "end": end, "services": None if services is None else list(services)}
        return self._database.read(queries.samples_of_all(list(self._catalog)), parameters)

    def buckets(
        self,
        service: str,
        start: datetime,
        end: datetime,
        seconds: float,
        metrics: Sequence[str] | None = None,
        *,
        extremes: bool = True,
    ) -> pd.DataFrame:
        """Samples of one service summarised over `seconds`.

        With `extremes` a metric ``m`` also has ``m__min`` and ``m__max``.
        """
        how = {name: self._catalog[name].aggregate for name in self._names(metrics)}
        fitting = [table for table, step in upkeep_queries.ROLLUPS.items() if seconds % step == 0]
        query = (
            upkeep_queries.buckets(fitting[-1], how, extremes=extremes)
            if fitting
            else queries.buckets(how, extremes=extremes)
        )
        parameters = {"seconds": seconds, "service": service, "start": start, "end": end}
        return self._database.read(query, parameters).set_index(TIMESTAMP)

    def resolution(self, start: datetime, seconds: float) -> float:
        """The step to summarise samples since `start` over: `seconds`, or more where roll-ups answer then [s].

        They answer long steps at once, and are all that is left of samples that were removed.
        """
        removed = removed_until(self._database)
        finest, *coarser = upkeep_queries.ROLLUPS.values()
        if seconds > finest or (removed is not None and start < removed):
            seconds = -(-seconds // finest) * finest
        for step in coarser:
            seconds = -(-seconds // step) * step if seconds > step else seconds
        return seconds

    def trends(self, start: datetime, end: datetime, seconds: float, metrics: Sequence[str]) -> pd.DataFrame:
        """`metrics` of all services summarised over `seconds`: columns service_name, timestamp, metrics, unordered."""
        how = {name: self._catalog[name].aggregate for name in self._names(metrics)}
        return self._database.read(queries.trends(how), {"width": round(1e6 * seconds), "start": start, "end": end})

    def latest(self, since: datetime) -> pd.DataFrame:
        """The newest sample of every service, not older than `since`: indexed by service, with its timestamp."""
        rolled_up = done_until(self._database, "rollup")
        parameters: dict[str, Any] = {"edge": since}
        if rolled_up is not None and rolled_up - LATELY > since:  # to look at everything costs ten times as much
            parameters["edge"] = rolled_up - LATELY
            silent = self._database.rows(upkeep_queries.SILENT, {"since": since, **parameters})
            if silent:
                parameters["times"] = [row["last"] for row in silent]
        sql = queries.latest(list(self._catalog), older="times" in parameters)
        return self._database.read(sql, parameters).set_index(SERVICE)

    def sample_counts(self) -> pd.DataFrame:
        """Number of samples, times of the first and the last one: ``samples``, ``first``, ``last`` by service."""
        return self._database.read(upkeep_queries.COUNTS).set_index(SERVICE)

    def newest(self, service: str | None = None) -> datetime | None:
        """Time of the newest sample, of one service or of all."""
        return as_time(self._counts_of(service)["last"].max())

    def oldest(self, service: str | None = None) -> datetime | None:
        """Time of the oldest sample, of one service or of all."""
        return as_time(self._counts_of(service)["first"].min())

    # -- anomalies --------------------------------------------------------------------------

    def write_anomalies(self, anomalies: Iterable[Anomaly]) -> int:
        """Upsert episodes; service, start and detector identify one."""
        return self._upsert("metrics_anomalies", anomaly_rows(anomalies), [SERVICE, TIMESTAMP, "detector"])

    def anomalies(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        services: Sequence[str] | None = None,
        severities: Sequence[str] | None = None,
        open_only: bool = False,
        limit: int | None = None,
        after: tuple[datetime, str, str] | None = None,
    ) -> list[Anomaly]:
        """Episodes that overlap the time given, the newest first.

        `after` leaves out those up to and including the one with that start, service and detector.
        """
        if limit is not None and limit < 0:
            raise InvalidInputError(f"limit = {limit}: must be 0 or more")
        rows = self._database.rows(
            queries.ANOMALIES,
            {
                "start": start,
                "end": end,
                "services": None if services is None else list(services),
                "severities": None if severities is None else [str(severity) for severity in severities],
                "open_only": open_only,
                "limit": limit,
                "last": after[0] if after else None,
                "last_service": after[1] if after else None,
                "last_detector": after[2] if after else None,
            },
        )
        return [anomaly_of(row) for row in rows]

    # -- labels, cycles, notes --------------------------------------------------------------

    def write_faults(self, faults: Iterable[Fault]) -> int:
        """Upsert labelled faults; service, kind and start identify one."""
        return self._upsert("faults", fault_rows(faults), [SERVICE, "kind", "started_at"])

    def faults(self, start: datetime | None = None, end: datetime | None = None) -> list[Fault]:
        """Labelled faults that overlap the time given, the oldest first."""
        return [fault_of(row) for row in self._database.rows(queries.FAULTS, {"start": start, "end": end})]

    def write_cycle(self, cycle: Cycle) -> None:
        """Remember what a cycle of the worker did and what failed in it."""
        self._upsert("cycles", cycle_rows(cycle), ["started_at"])

    def cycles(self, limit: int = 20) -> list[Cycle]:
        """The last cycles, the newest first."""
        return [cycle_of(row) for row in self._database.rows(queries.CYCLES, [limit])]

    def skipped_cycles(self, since: datetime) -> int:
        """How many cycles did not run since a time because the ones before took too long."""
        return int(self._database.value(queries.SKIPPED, [since]))

    def prune_cycles(self, before: datetime) -> None:
        """Forget cycles that started before a time."""
        self._database.write([Statement(queries.PRUNE_CYCLES, [before])])

    def note(self, key: str) -> str | None:
        """A small fact kept under `key`, or None."""
        value: str | None = self._database.value(queries.META, [key])
        return value

    def write_note(self, key: str, value: str) -> None:
        """Keep a small fact under `key`."""
        self._upsert("meta", pd.DataFrame({"key": [key], "value": [value]}), ["key"])

    # -- safety -----------------------------------------------------------------------------

    def backup(self, folder: Path) -> Backup:
        """Save everything as it is at this moment; see `observatory.store.upkeep.backup`."""
        return backup(self._database, self.archive, folder)

    def check(self) -> Iterator[Finding]:
        """Whether everything is whole; see `observatory.store.upkeep.check`."""
        return check(self._database, self.archive)

    def repair(self, now: datetime) -> None:
        """Make the roll-ups anew from the samples that are there."""
        self._database.write([Statement(upkeep_queries.FORGET, ["rollup"])], content=False)
        roll_up(self._database, now)

    def info(self) -> dict[str, Any]:
        """Facts about the store, in the order a person asks for them."""
        counts = self.sample_counts()
        months = self.archive.months()
        home = self._database.home
        parts = [home.path, home.path.with_name(home.path.name + ".wal")] if home.path else []
        return {
            "store": self.url,
            "opened": home.how,
            "size [bytes]": sum(part.stat().st_size for part in parts if part.is_file()) or None,
            "services": len(self.services()),
            "samples": int(counts["samples"].sum()),
            "oldest": as_time(counts["first"].min()),
            "newest": as_time(counts["last"].max()),
            "archived samples": sum(month.row_count for month in months),
            "archived months": len(months),
            "archive": self.archive.folder,
            "rolled up until": done_until(self._database, "rollup"),
            "revision": self.revision,
        }

    # -- upkeep -----------------------------------------------------------------------------

    def maintain(self, now: datetime, retention: Retention | None = None) -> None:
        """Do what is due; see `observatory.store.upkeep.retention.maintain`."""
        maintain(self._database, self.archive, now, retention)

    # -- helpers ----------------------------------------------------------------------------

    def _upsert(self, table: str, frame: pd.DataFrame, keys: list[str], *, keep_known: bool = False) -> int:
        return self._database.upsert(table, frame, keys, keep_known=keep_known)

    def _names(self, metrics: Sequence[str] | None) -> list[str]:
        names = list(self._catalog) if metrics is None else list(metrics)
        unknown = [name for name in names if name not in self._catalog]
        if unknown:
            raise InvalidInputError(f"unknown metric {unknown[0]!r}: choose from {', '.join(self._catalog)}")
        return names

    def _counts_of(self, service: str | None) -> pd.DataFrame:
        counts = self.sample_counts()
        return counts if service is None else counts[counts.index == service]
