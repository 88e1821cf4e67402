"""The store: samples, services, anomalies and what else must be kept, behind one class.

>>> store = open_store(":memory:")
>>> store.services()
[]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import pandas as pd

from observatory.catalog import METRICS, Metric
from observatory.model import Anomaly, Call, Cycle, Fault, Service, as_calls
from observatory.store.engine.database import Database
from observatory.store.engine.homes import home_opener
from observatory.store.engine.migrate import open_database
from observatory.store.options import Retention, StoreOptions
from observatory.store.space import Space, size_of, space_of
from observatory.store.tables.alerts import AlertTable
from observatory.store.tables.anomalies import AnomalyTable
from observatory.store.tables.audit import AuditTable
from observatory.store.tables.calls import CallTable
from observatory.store.tables.changes import ChangeTable
from observatory.store.tables.cycles import CycleTable
from observatory.store.tables.faults import FaultTable
from observatory.store.tables.feedback import FeedbackTable
from observatory.store.tables.fetches import FetchTable
from observatory.store.tables.incidents import Incidents
from observatory.store.tables.keys import KeyTable
from observatory.store.tables.leases import LeaseTable
from observatory.store.tables.notes import NoteTable
from observatory.store.tables.notifications import Notifications
from observatory.store.tables.remarks import RemarkTable
from observatory.store.tables.rollups import ROLLUPS
from observatory.store.tables.running import RunningTable
from observatory.store.tables.runs import RunTable
from observatory.store.tables.samples import SampleTable, as_time
from observatory.store.tables.schedulers import SchedulerTable
from observatory.store.tables.services import ServiceTable
from observatory.store.tables.sessions import SessionTable
from observatory.store.tables.silences import SilenceTable
from observatory.store.tables.states import StateTable
from observatory.store.tables.watermarks import WatermarkTable
from observatory.store.upkeep.archive import Archive
from observatory.store.upkeep.backup import Backup, backup
from observatory.store.upkeep.check import Finding, check
from observatory.store.upkeep.names import ServiceNames
from observatory.store.upkeep.retention import maintain
from observatory.store.upkeep.rollups import roll_up


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
    columns = {table.name: table.columns_of(catalog) for table in ROLLUPS} | {SampleTable.name: list(catalog)}
    database = open_database(home_opener(url, options), columns)
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
        self.services_table = ServiceTable(database)
        self.calls_table = CallTable(database)
        self.samples = SampleTable(database, catalog)
        self.anomalies_table = AnomalyTable(database)
        self.faults_table = FaultTable(database)
        self.feedback = FeedbackTable(database)
        """Verdicts of people on anomalies."""
        self.incidents = Incidents(database)
        """Incidents, with their timelines."""
        self.notifications = Notifications(database)
        """What people are told of incidents."""
        self.changes = ChangeTable(database)
        """Deployments and other changes of services."""
        self.silences = SilenceTable(database)
        """What is not told, not judged, or not learned from, and when."""
        self.alerts = AlertTable(database)
        """Alerts of others."""
        self.running = RunningTable(database)
        """What was last seen running of each service."""
        self.cycles_table = CycleTable(database)
        self.notes = NoteTable(database)
        self.fetches = FetchTable(database, catalog)
        """Which history was fetched."""
        self.remarks = RemarkTable(database, self.fetches)
        """What sources said about samples."""
        self.states = StateTable(database)
        """What streaming detectors have learned."""
        self.keys = KeyTable(database)
        """Who may use the API."""
        self.sessions = SessionTable(database)
        """Who is signed in to the dashboard."""
        self.audit = AuditTable(database)
        """What was done and refused."""
        self.leases = LeaseTable(database)
        """Who does what only one may do."""
        self.runs = RunTable(database)
        """Runs of notebooks."""
        self.schedulers = SchedulerTable(database)
        """Who runs notebooks that are due."""
        self.names = ServiceNames(database, catalog)
        """Services under other names, and those that are not watched."""
        self.watermarks = WatermarkTable(database)
        """How far each task of upkeep has come."""
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
        return self.services_table.write(services)

    def services(self) -> list[Service]:
        """All registered services, by name."""
        return self.services_table.all()

    def service_names(self) -> list[str]:
        """Names of all registered services, in order."""
        return self.services_table.names()

    def service(self, name: str) -> Service:
        """The service called `name`; raises UnknownServiceError with names that are close."""
        return self.services_table.get(name)

    def write_calls(self, calls: Iterable[Call | tuple[str, str]], at: datetime | None = None) -> int:
        """Remember who calls whom, as calls or as ``(caller, callee)`` of services.

        `at` is when they were seen, where they say no time themselves; without one they count for ever.
        """
        return self.calls_table.see(as_calls(calls), at)

    def calls(self) -> list[tuple[str, str]]:
        """Certain calls between services that were seen within a week, as ``(caller, callee)``."""
        return self.calls_table.pairs()

    def graph(self, everything: bool = False) -> list[Call]:
        """Who calls whom and how that is known, with what is outside; `everything`: also what was not seen for long."""
        return self.calls_table.all(everything=everything)

    # -- samples ----------------------------------------------------------------------------

    def write_samples(self, frame: pd.DataFrame) -> int:
        """Upsert samples: columns ``service_name``, ``timestamp`` (UTC) and any of the catalogue's metrics.

        A missing value never replaces a known one, so a partial answer loses nothing; infinite is missing.
        Returns the number of samples written.

        Raises
        ------
        StoreError
            Columns are unknown or missing, or times have no zone.
        """
        return self.samples.write(frame)

    def write_file(
        self, file: Path, metrics: Sequence[str], oldest: datetime, newest: datetime, services: Iterable[Service]
    ) -> None:
        """Upsert the samples of a Parquet file as `write_samples` does, and add `services`: all of it, or nothing.

        The file has one row a service and time from `oldest` to `newest`, and finite values of `metrics` or NULL.
        """
        self.samples.write_file(file, metrics, oldest, newest, services, self.services_table)

    def history(
        self,
        service: str,
        start: datetime,
        end: datetime,
        metrics: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Samples of one service, `start` and `end` included, indexed by UTC time: shape (n, metrics)."""
        return self.samples.history(service, start, end, metrics)

    def history_of_all(self, start: datetime, end: datetime, services: Sequence[str] | None = None) -> pd.DataFrame:
        """Samples of many services, by service and time, with the columns of `write_samples`."""
        return self.samples.history_of_all(start, end, services)

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
        return self.samples.buckets(service, start, end, seconds, metrics, extremes=extremes)

    def resolution(self, start: datetime, seconds: float) -> float:
        """The step to summarise samples since `start` over: `seconds`, or more where roll-ups answer then [s].

        They answer long steps at once, and are all that is left of samples that were removed.
        """
        return self.samples.resolution(start, seconds)

    def trends(self, start: datetime, end: datetime, seconds: float, metrics: Sequence[str]) -> pd.DataFrame:
        """`metrics` of all services summarised over `seconds`: columns service_name, timestamp, metrics, unordered."""
        return self.samples.trends(start, end, seconds, metrics)

    def latest(self, since: datetime) -> pd.DataFrame:
        """The newest sample of every service, not older than `since`: indexed by service, with its timestamp."""
        return self.samples.latest(since)

    def sample_counts(self) -> pd.DataFrame:
        """Number of samples, times of the first and the last one: ``samples``, ``first``, ``last`` by service."""
        return self.samples.counts()

    def newest(self, service: str | None = None) -> datetime | None:
        """Time of the newest sample, of one service or of all."""
        return self.samples.newest(service)

    def oldest(self, service: str | None = None) -> datetime | None:
        """Time of the oldest sample, of one service or of all."""
        return self.samples.oldest(service)

    # -- anomalies --------------------------------------------------------------------------

    def write_anomalies(self, anomalies: Iterable[Anomaly]) -> int:
        """Upsert episodes; service, start and detector identify one."""
        return self.anomalies_table.write(anomalies)

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
        return self.anomalies_table.read(start, end, services, severities, open_only, limit, after)

    # -- labels, cycles, notes --------------------------------------------------------------

    def write_faults(self, faults: Iterable[Fault]) -> int:
        """Upsert labelled faults; service, kind and start identify one."""
        return self.faults_table.write(faults)

    def faults(self, start: datetime | None = None, end: datetime | None = None) -> list[Fault]:
        """Labelled faults that overlap the time given, the oldest first."""
        return self.faults_table.read(start, end)

    def write_cycle(self, cycle: Cycle) -> None:
        """Remember what a cycle of the worker did and what failed in it."""
        self.cycles_table.write([cycle])

    def cycles(self, limit: int = 20) -> list[Cycle]:
        """The last cycles, the newest first."""
        return self.cycles_table.last(limit)

    def skipped_cycles(self, since: datetime) -> int:
        """How many cycles did not run since a time because the ones before took too long."""
        return self.cycles_table.skipped(since)

    def prune_cycles(self, before: datetime) -> None:
        """Forget cycles that started before a time."""
        self.cycles_table.prune(before)

    def note(self, key: str) -> str | None:
        """A small fact kept under `key`, or None."""
        return self.notes.get(key)

    def write_note(self, key: str, value: str) -> None:
        """Keep a small fact under `key`."""
        self.notes.write(key, value)

    # -- safety -----------------------------------------------------------------------------

    def backup(self, folder: Path) -> Backup:
        """Save everything as it is at this moment; see `observatory.store.upkeep.backup`."""
        return backup(self._database, self.archive, folder)

    def check(self) -> Iterator[Finding]:
        """Whether everything is whole; see `observatory.store.upkeep.check`."""
        return check(self._database, self.archive)

    def repair(self, now: datetime) -> None:
        """Make the roll-ups anew from the samples that are there."""
        self._database.write(self.watermarks.forgetting("rollup"), content=False)
        roll_up(self._database, now)

    def info(self) -> dict[str, Any]:
        """Facts about the store, in the order a person asks for them."""
        counts = self.sample_counts()
        months = self.archive.months()
        home = self._database.home
        return {
            "store": self.url,
            "opened": home.how,
            "size [bytes]": (size_of(home.path) if home.path else 0) or None,
            "services": len(self.services()),
            "samples": int(counts["samples"].sum()),
            "oldest": as_time(counts["first"].min()),
            "newest": as_time(counts["last"].max()),
            "archived samples": sum(month.row_count for month in months),
            "archived months": len(months),
            "archive": self.archive.folder,
            "rolled up until": self.watermarks.get("rollup"),
            "revision": self.revision,
        }

    def space(self) -> Space | None:
        """How much room it takes and how much is left; None where it is no file on this machine."""
        path = self._database.home.path
        return None if path is None else space_of(path)

    # -- upkeep -----------------------------------------------------------------------------

    def maintain(self, now: datetime, retention: Retention | None = None) -> None:
        """Do what is due; see `observatory.store.upkeep.retention.maintain`."""
        maintain(self._database, self.archive, now, retention)
