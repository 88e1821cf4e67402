"""ScopedReader: what somebody may read who sees some services only.

The API and the dashboard read through this, so that no list, count, event or error needs a check of its own. It is
written out method by method and inherits nothing: what is added to `Runtime` or `Store` is closed until somebody
opens it here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NoReturn

import pandas as pd

from observatory.access.feed import ScopedFeed
from observatory.access.permissions import Caller, Scope
from observatory.access.scoped_incidents import OUTSIDE, ScopedIncidents
from observatory.access.scoped_silences import ScopedSilences, part_of, seen_in_force
from observatory.access.shown import shown
from observatory.analysis.history import POINTS, ServiceHistory
from observatory.config import Settings
from observatory.errors import ForbiddenError, UnknownServiceError
from observatory.health.overview import Overview
from observatory.model import (
    SERVICE,
    Anomaly,
    Call,
    Change,
    Cycle,
    Exemplar,
    ExternalAlert,
    Failure,
    Fault,
    Feedback,
    NameRule,
    NameRules,
    Remark,
    Service,
)
from observatory.runtime.parts import Parts
from observatory.runtime.reader import FeedReader, Reader, WorkerState
from observatory.store.reader import (
    AlertsReader,
    ChangesReader,
    FeedbackReader,
    IncidentsReader,
    NamesReader,
    RemarksReader,
    SilencesReader,
    StoreReader,
)

RUNS = "runs of notebooks may concern services outside of what you may see"


def scoped(reader: Reader, caller: Caller) -> Reader:
    """`reader` as `caller` sees it; itself for who sees every service."""
    return reader if caller.scope.is_everything else ScopedReader(reader, caller.scope)


class ScopedReader:
    """See `observatory.runtime.reader.Reader`; `check` raises once the caller may look no longer."""

    def __init__(self, base: Reader, scope: Scope, check: Callable[[], object] = lambda: None) -> None:
        self._base = base
        self._scope = scope
        self._check = check
        self._parts = Parts()

    @cached_property
    def settings(self) -> Settings:
        return self._base.settings if self._scope.is_everything else shown(self._base.settings)

    @property
    def clock(self) -> Callable[[], datetime]:
        return self._base.clock

    @property
    def is_live(self) -> bool:
        return self._base.is_live

    @property
    def parts(self) -> Parts:
        """What is kept with this reader; that of others is theirs."""
        return self._parts

    @property
    def store(self) -> StoreReader:
        """What is stored about the services inside; first it is asked whether the caller may still look."""
        self._check()
        return self._base.store if self._scope.is_everything else ScopedStore(self._base.store, self._scope)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """What did not work while the past was filled, without what concerns others."""
        return self._base.failures if self._scope.is_everything else _failures(self._base.failures, self._scope)

    @property
    def worker(self) -> WorkerState:
        return self._base.worker if self._scope.is_everything else ScopedWorker(self._base.worker)

    @property
    def feed(self) -> FeedReader:
        return ScopedFeed(self._base.feed, self._scope, self._visible)

    def overview(self) -> Overview:
        """Every service inside the scope now."""
        return self._visible(self._base.overview())

    def history(
        self, service: str, start: datetime, end: datetime, points: int = POINTS, **options: Any
    ) -> ServiceHistory:
        """One service, if it is inside; see `Runtime.history`."""
        found = self._base.history(self.store.service(service).name, start, end, points, **options)
        if self._scope.is_everything:
            return found
        faults = tuple(_fault(fault, self._scope) for fault in found.faults)
        parts = (part_of(one, self._scope, [found.service.name]) for one in found.silences)
        silences = tuple(one for one in parts if one is not None)
        return replace(found, faults=faults, remarks=tuple(map(_remark, found.remarks)), silences=silences)

    def exemplars(self, service: str, start: datetime, end: datetime, most: int = 10) -> list[Exemplar]:
        """Traces of one service, if it is inside; see `Runtime.exemplars`."""
        return self._base.exemplars(self.store.service(service).name, start, end, most)

    def _visible(self, found: Overview) -> Overview:
        """What is inside of an overview, to whoever may still look."""
        self._check()
        if self._scope.is_everything:
            return found
        inside = tuple(
            replace(status, silences=seen_in_force(status.silences, self._scope, status.name))
            for status in found.services
            if self._scope.covers(status.name)
        )
        cycle = found.last_cycle
        if cycle is not None:
            since = cycle.started_at - timedelta(seconds=self.settings.interval)
            cycle = replace(
                _cycle(cycle, self._scope),
                services=len(inside),
                samples=sum(status.at is not None and status.at >= since for status in inside),
                anomalies=sum(a.ended_at >= since for status in inside for a in status.open_anomalies),
            )
        return replace(found, services=inside, last_cycle=cycle)


class ScopedWorker:
    """Whether the worker is well, and no more."""

    def __init__(self, base: WorkerState) -> None:
        self._base = base

    @property
    def error(self) -> str | None:
        """Why the last cycle failed, without what concerns others."""
        return None if self._base.error is None else f"the last cycle failed: {OUTSIDE}"


class ScopedStore:
    """The store's reading methods; see `observatory.store.reader.StoreReader`."""

    def __init__(self, base: StoreReader, scope: Scope) -> None:
        self._base = base
        self._scope = scope

    @property
    def revision(self) -> int:
        return self._base.revision

    @property
    def url(self) -> str:
        return self._base.url

    @property
    def metrics(self) -> tuple[str, ...]:
        return self._base.metrics

    @property
    def runs(self) -> NoReturn:
        """Closed: a report speaks of whatever its notebook looked at."""
        raise ForbiddenError(RUNS)

    @property
    def schedulers(self) -> NoReturn:
        """Closed, as the runs that they carry out."""
        raise ForbiddenError(RUNS)

    @property
    def remarks(self) -> RemarksReader:
        return ScopedRemarks(self._base.remarks)

    @property
    def alerts(self) -> AlertsReader:
        return ScopedAlerts(self._base.alerts, self._inside)

    @property
    def changes(self) -> ChangesReader:
        return ScopedChanges(self._base.changes, self._scope, self._inside)

    @property
    def feedback(self) -> FeedbackReader:
        return ScopedFeedback(self._base.feedback, self._inside)

    @property
    def incidents(self) -> IncidentsReader:
        return ScopedIncidents(self._base.incidents, self._scope, self._inside)

    @property
    def silences(self) -> SilencesReader:
        return ScopedSilences(self._base.silences, self._scope, self._inside)

    @property
    def names(self) -> NamesReader:
        return ScopedNames(self._base.names, self._scope)

    def services(self) -> list[Service]:
        return [service for service in self._base.services() if self._scope.covers(service.name)]

    def service(self, name: str) -> Service:
        try:
            if self._scope.covers(name):
                found = self._base.service(name)
                if self._scope.covers(found.name):  # it may have had another name
                    return found
        except UnknownServiceError:  # its hint would name services outside
            pass
        raise UnknownServiceError(name, [service.name for service in self.services()])

    def calls(self) -> list[tuple[str, str]]:
        return [call for call in self._base.calls() if all(map(self._scope.covers, call))]

    def graph(self, everything: bool = False) -> list[Call]:
        """Calls whose ends are inside; what is outside of all services is seen with the service at the other end."""
        found = [call for call in self._base.graph(everything) if call.services]
        return [call for call in found if all(map(self._scope.covers, call.services))]

    def history(
        self, service: str, start: datetime, end: datetime, metrics: Sequence[str] | None = None
    ) -> pd.DataFrame:
        return self._base.history(self.service(service).name, start, end, metrics)

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
        return self._base.buckets(self.service(service).name, start, end, seconds, metrics, extremes=extremes)

    def history_of_all(self, start: datetime, end: datetime, services: Sequence[str] | None = None) -> pd.DataFrame:
        return self._base.history_of_all(start, end, self._inside(services))

    def resolution(self, start: datetime, seconds: float) -> float:
        return self._base.resolution(start, seconds)

    def trends(self, start: datetime, end: datetime, seconds: float, metrics: Sequence[str]) -> pd.DataFrame:
        frame = self._base.trends(start, end, seconds, metrics)
        return frame[frame[SERVICE].map(self._scope.covers).astype(bool)]

    def latest(self, since: datetime) -> pd.DataFrame:
        return self._of(self._base.latest(since))

    def sample_counts(self) -> pd.DataFrame:
        return self._of(self._base.sample_counts())

    def newest(self, service: str | None = None) -> datetime | None:
        return self._bound("last", "max", service)

    def oldest(self, service: str | None = None) -> datetime | None:
        return self._bound("first", "min", service)

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
        return self._base.anomalies(start, end, self._inside(services), severities, open_only, limit, after)

    def faults(self, start: datetime | None = None, end: datetime | None = None) -> list[Fault]:
        inside = [fault for fault in self._base.faults(start, end) if self._scope.covers(fault.service_name)]
        return [_fault(fault, self._scope) for fault in inside]

    def cycles(self, limit: int = 20) -> list[Cycle]:
        found = [_cycle(cycle, self._scope) for cycle in self._base.cycles(limit)]
        return [replace(cycle, services=0, samples=0, anomalies=0) for cycle in found]

    def _inside(self, services: Sequence[str] | None) -> list[str]:
        names = [service.name for service in self.services()]
        return names if services is None else [name for name in services if name in set(names)]

    def _of(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame[[self._scope.covers(str(name)) for name in frame.index]]

    def _bound(self, column: str, how: str, service: str | None) -> datetime | None:
        counts = self.sample_counts()
        found = counts[column] if service is None else counts.loc[counts.index == service, column]
        value = found.agg(how) if len(found) else pd.NaT
        return None if pd.isna(value) else value.to_pydatetime()


class ScopedRemarks:
    """When a source remarked something; what it said may be about all of its services."""

    def __init__(self, base: RemarksReader) -> None:
        self._base = base

    def about(self, source: str, start: datetime, end: datetime) -> list[Remark]:
        return [_remark(remark) for remark in self._base.about(source, start, end)]


class ScopedNames:
    """Rules that name services inside only."""

    def __init__(self, base: NamesReader, scope: Scope) -> None:
        self._base = base
        self._scope = scope

    def rules(self) -> NameRules:
        return NameRules(tuple(rule for rule in self._base.rules().rules if self._covers(rule)))

    def _covers(self, rule: NameRule) -> bool:
        return all(self._scope.covers(name) for name in (rule.pattern, rule.becomes) if name)


class ScopedAlerts:
    """Alerts about services inside."""

    def __init__(self, base: AlertsReader, inside: Callable[[Sequence[str] | None], list[str]]) -> None:
        self._base = base
        self._inside = inside

    def read(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        services: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> list[ExternalAlert]:
        return self._base.read(start, end, self._inside(services), limit)


class ScopedChanges:
    """Changes of services inside."""

    def __init__(self, base: ChangesReader, scope: Scope, inside: Callable[[Sequence[str] | None], list[str]]) -> None:
        self._base = base
        self._scope = scope
        self._inside = inside

    def read(
        self, start: datetime | None = None, end: datetime | None = None, services: Sequence[str] | None = None
    ) -> list[Change]:
        return self._base.read(start, end, self._inside(services))

    def get(self, change_id: str) -> Change | None:
        found = self._base.get(change_id)
        return found if found is not None and self._inside([found.service_name]) else None


class ScopedFeedback:
    """Verdicts on services inside."""

    def __init__(self, base: FeedbackReader, inside: Callable[[Sequence[str] | None], list[str]]) -> None:
        self._base = base
        self._inside = inside

    def read(
        self, start: datetime | None = None, end: datetime | None = None, services: Sequence[str] | None = None
    ) -> list[Feedback]:
        return self._base.read(start, end, self._inside(services))


def _remark(remark: Remark) -> Remark:
    return replace(remark, text=OUTSIDE)


def _fault(fault: Fault, scope: Scope) -> Fault:
    return fault if scope.covers(fault.root_cause) else replace(fault, root_cause="")


def _cycle(cycle: Cycle, scope: Scope) -> Cycle:
    warnings = (OUTSIDE,) if cycle.warnings else ()
    return replace(cycle, failures=_failures(cycle.failures, scope), warnings=warnings)


def _failures(failures: Iterable[Failure], scope: Scope) -> tuple[Failure, ...]:
    """What names a service inside is shown; what names one outside is not there; of the rest, that it failed."""
    kept: list[Failure] = []

    for failure in failures:
        verb, _, name = failure.what.partition(" ")
        if verb == "detect":
            kept += [failure] if scope.covers(name) else []
        else:
            kept.append(
                Failure(failure.what, OUTSIDE)
                if failure.what.isidentifier()
                else Failure("a part of the cycle", OUTSIDE)
            )
    return tuple(kept)
