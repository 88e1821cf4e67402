"""What may be read of a store: what views, API and notebooks see of it.

`Store` offers all of this. What somebody sees who may look at some services only implements it as well, so that a
method added to `Store` is closed to them until it is added here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol

import pandas as pd

from observatory.model import (
    Anomaly,
    Call,
    Change,
    Cycle,
    ExternalAlert,
    Fault,
    Feedback,
    Incident,
    IncidentChanges,
    IncidentEvent,
    IncidentState,
    NameRules,
    Overlap,
    Remark,
    Run,
    Service,
    Silence,
)


class AlertsReader(Protocol):
    """Alerts of others; see `observatory.store.tables.alerts`."""

    def read(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        services: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> list[ExternalAlert]: ...


class AlertsWriter(AlertsReader, Protocol):
    """The same, for whoever may also send some."""

    def write(self, values: Iterable[ExternalAlert]) -> int: ...


class ChangesReader(Protocol):
    """Deployments and other changes; see `observatory.store.tables.changes`."""

    def read(
        self, start: datetime | None = None, end: datetime | None = None, services: Sequence[str] | None = None
    ) -> list[Change]: ...

    def get(self, change_id: str) -> Change | None: ...


class ChangesWriter(ChangesReader, Protocol):
    """The same, for whoever may also report one."""

    def write(self, values: Iterable[Change]) -> int: ...


class FeedbackReader(Protocol):
    """Verdicts of people; see `observatory.store.tables.feedback`."""

    def read(
        self, start: datetime | None = None, end: datetime | None = None, services: Sequence[str] | None = None
    ) -> list[Feedback]: ...


class FeedbackWriter(FeedbackReader, Protocol):
    """The same, for whoever may also give a verdict."""

    def write(self, given: Iterable[Feedback]) -> int: ...


class IncidentsReader(Protocol):
    """Incidents and their timelines; see `observatory.store.tables.incidents.Incidents`."""

    def read(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        services: Sequence[str] | None = None,
        states: Sequence[IncidentState] = ...,
        severities: Sequence[str] | None = None,
        limit: int | None = None,
        after: tuple[datetime, str] | None = None,
    ) -> list[Incident]: ...

    def get(self, incident_id: str) -> Incident: ...

    def events(self, incident_id: str) -> list[IncidentEvent]: ...


class IncidentsWriter(IncidentsReader, Protocol):
    """The same, for whoever may also work on them."""

    def change(self, incident_id: str, change: Callable[[Incident], IncidentChanges]) -> Incident: ...


class RemarksReader(Protocol):
    """What sources remarked; see `observatory.store.tables.remarks`."""

    def about(self, source: str, start: datetime, end: datetime) -> list[Remark]: ...


class RunsReader(Protocol):
    """Runs of notebooks; see `observatory.store.tables.runs`."""

    def get(self, run_id: str) -> Run | None: ...

    def last(self, limit: int = 50, notebook: str = "", job: str = "") -> list[Run]: ...


class SchedulersReader(Protocol):
    """Who runs notebooks that are due; see `observatory.store.tables.schedulers`."""

    def alive(self, now: datetime) -> dict[str, datetime]: ...


class NamesReader(Protocol):
    """Services under other names, and those that are not watched; see `observatory.store.upkeep.names`."""

    def rules(self) -> NameRules: ...


class NamesWriter(NamesReader, Protocol):
    """The same, for whoever may also change names."""

    def rename(self, old: str, new: str, at: datetime) -> None: ...

    def merge(self, others: Sequence[str], into: str, at: datetime, overlap: Overlap = ...) -> None: ...

    def remove(self, services: Sequence[str], at: datetime, exclude: Iterable[str] = ()) -> None: ...

    def allow(self, name: str) -> None: ...

    def restore(self, name: str) -> None: ...


class SilencesReader(Protocol):
    """Silences; see `observatory.store.tables.silences`."""

    def read(self, start: datetime | None = None, end: datetime | None = None) -> list[Silence]: ...

    def get(self, silence_id: str) -> Silence: ...


class SilencesWriter(SilencesReader, Protocol):
    """The same, for whoever may also make and end them."""

    def write(self, values: Iterable[Silence]) -> int: ...


class StoreReader(Protocol):
    """See `observatory.store.Store` for each."""

    @property
    def url(self) -> str: ...

    @property
    def revision(self) -> int: ...

    @property
    def metrics(self) -> tuple[str, ...]: ...

    @property
    def alerts(self) -> AlertsReader: ...

    @property
    def changes(self) -> ChangesReader: ...

    @property
    def feedback(self) -> FeedbackReader: ...

    @property
    def incidents(self) -> IncidentsReader: ...

    @property
    def names(self) -> NamesReader: ...

    @property
    def remarks(self) -> RemarksReader: ...

    @property
    def runs(self) -> RunsReader: ...

    @property
    def schedulers(self) -> SchedulersReader: ...

    @property
    def silences(self) -> SilencesReader: ...

    def services(self) -> list[Service]: ...

    def service(self, name: str) -> Service: ...

    def calls(self) -> list[tuple[str, str]]: ...

    def graph(self, everything: bool = False) -> list[Call]: ...

    def history(
        self, service: str, start: datetime, end: datetime, metrics: Sequence[str] | None = None
    ) -> pd.DataFrame: ...

    def history_of_all(self, start: datetime, end: datetime, services: Sequence[str] | None = None) -> pd.DataFrame: ...

    def buckets(
        self,
        service: str,
        start: datetime,
        end: datetime,
        seconds: float,
        metrics: Sequence[str] | None = None,
        *,
        extremes: bool = True,
    ) -> pd.DataFrame: ...

    def resolution(self, start: datetime, seconds: float) -> float: ...

    def trends(self, start: datetime, end: datetime, seconds: float, metrics: Sequence[str]) -> pd.DataFrame: ...

    def latest(self, since: datetime) -> pd.DataFrame: ...

    def sample_counts(self) -> pd.DataFrame: ...

    def newest(self, service: str | None = None) -> datetime | None: ...

    def oldest(self, service: str | None = None) -> datetime | None: ...

    def anomalies(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        services: Sequence[str] | None = None,
        severities: Sequence[str] | None = None,
        open_only: bool = False,
        limit: int | None = None,
        after: tuple[datetime, str, str] | None = None,
    ) -> list[Anomaly]: ...

    def faults(self, start: datetime | None = None, end: datetime | None = None) -> list[Fault]: ...

    def cycles(self, limit: int = 20) -> list[Cycle]: ...


class OperatorStore(StoreReader, Protocol):
    """What an operator may also write."""

    @property
    def alerts(self) -> AlertsWriter: ...

    @property
    def changes(self) -> ChangesWriter: ...

    @property
    def feedback(self) -> FeedbackWriter: ...

    @property
    def incidents(self) -> IncidentsWriter: ...

    @property
    def names(self) -> NamesWriter: ...

    @property
    def silences(self) -> SilencesWriter: ...

    def register(self, services: Iterable[Service]) -> int: ...
