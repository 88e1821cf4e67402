"""A runtime as somebody may see it: whatever passes through it is of services inside their scope.

The API and the dashboard read through this, so that no list, count, event or error needs a check of its own. A
method that is not here does not exist for them: what is added to the store is closed until somebody opens it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn, cast

import pandas as pd

from observatory.access.permissions import Caller, Scope
from observatory.analysis.history import ServiceHistory
from observatory.collection.collect import CollectReport
from observatory.errors import ForbiddenError, UnknownServiceError
from observatory.health.overview import Overview
from observatory.model import SERVICE, Anomaly, Cycle, Failure, Fault, Feedback, Service
from observatory.runtime import Runtime
from observatory.store import Store
from observatory.store.tables.feedback import FeedbackTable

if TYPE_CHECKING:
    from observatory.runtime.worker import Worker

OUTSIDE = "details are left out: they may concern services outside of what you may see"


def scoped(runtime: Runtime, caller: Caller) -> Runtime:
    """`runtime` as `caller` sees it; itself for who sees every service."""
    return runtime if caller.scope.is_everything else ScopedRuntime(runtime, caller.scope)


class ScopedRuntime(Runtime):
    """See `observatory.runtime.Runtime`; `check` raises once the caller may look no longer."""

    def __init__(self, base: Runtime, scope: Scope, check: Callable[[], object] = lambda: None) -> None:
        self._base = base
        self._scope = scope
        self._check = check
        everything = scope.is_everything
        self._store = base.store if everything else cast("Store", ScopedStore(base.store, scope))
        self.settings = base.settings if everything else base.settings.model_copy(update={"services": {}})
        self.clock = base.clock
        self.sources = base.sources
        self.worker = base.worker if everything else cast("Worker", ScopedWorker(base))

    @property
    def store(self) -> Store:  # type: ignore[override]
        """What is stored about the services inside; first it is asked whether the caller may still look."""
        self._check()
        return self._store

    @property
    def failures(self) -> tuple[Failure, ...]:  # type: ignore[override]
        """What did not work while the past was filled, without what concerns others."""
        return self._base.failures if self._scope.is_everything else _failures(self._base.failures, self._scope)

    def overview(self) -> Overview:
        """Every service inside the scope now."""
        self._check()
        found = self._base.overview()
        if self._scope.is_everything:
            return found
        inside = tuple(status for status in found.services if self._scope.covers(status.name))
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

    def history(self, service: str, start: datetime, end: datetime, *more: Any, **options: Any) -> ServiceHistory:
        """One service, if it is inside; see `Runtime.history`."""
        found = self._base.history(self.store.service(service).name, start, end, *more, **options)
        if self._scope.is_everything:
            return found
        faults = tuple(_fault(fault, self._scope) for fault in found.faults)
        # A source speaks of all its services.
        remarks = tuple(replace(remark, text=OUTSIDE) for remark in found.remarks)
        return replace(found, faults=faults, remarks=remarks)

    def collect(self, service: str | None = None) -> CollectReport:
        """Collect one service, if it is inside; raises ForbiddenError for all."""
        if service is None and not self._scope.is_everything:
            raise ForbiddenError("only who may see every service may collect all of them")
        return self._base.collect(None if service is None else self.store.service(service).name)


class ScopedWorker:
    """Whether the worker is well, and no more."""

    def __init__(self, base: Runtime) -> None:
        self._base = base

    @property
    def error(self) -> str | None:
        """Why the last cycle failed, without what concerns others."""
        return None if self._base.worker.error is None else f"the last cycle failed: {OUTSIDE}"


class ScopedStore:
    """The store's reading methods, and registering; see `observatory.store.Store` for each."""

    def __init__(self, base: Store, scope: Scope) -> None:
        self._base = base
        self._scope = scope

    @property
    def revision(self) -> int:
        return self._base.revision

    @property
    def url(self) -> str:
        return self._base.url

    @property
    def runs(self) -> NoReturn:
        """Closed: a report speaks of whatever its notebook looked at."""
        raise ForbiddenError("runs of notebooks may concern services outside of what you may see")

    def services(self) -> list[Service]:
        return [service for service in self._base.services() if self._scope.covers(service.name)]

    def service(self, name: str) -> Service:
        try:
            if self._scope.covers(name):
                return self._base.service(name)
        except UnknownServiceError:  # its hint would name services outside
            pass
        raise UnknownServiceError(name, [service.name for service in self.services()])

    def register(self, services: Iterable[Service]) -> int:
        given = list(services)
        for service in given:
            if not self._scope.covers(service.name):
                raise ForbiddenError(f"service {service.name!r} is outside of what you may see: {self._scope}")
        return self._base.register(given)

    def calls(self) -> list[tuple[str, str]]:
        return [call for call in self._base.calls() if all(map(self._scope.covers, call))]

    def history(self, service: str, *more: Any, **options: Any) -> pd.DataFrame:
        return self._base.history(self.service(service).name, *more, **options)

    def buckets(self, service: str, *more: Any, **options: Any) -> pd.DataFrame:
        return self._base.buckets(self.service(service).name, *more, **options)

    def history_of_all(self, start: datetime, end: datetime, services: Sequence[str] | None = None) -> pd.DataFrame:
        return self._base.history_of_all(start, end, self._inside(services))

    def trends(self, *arguments: Any, **options: Any) -> pd.DataFrame:
        frame = self._base.trends(*arguments, **options)
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
        *more: Any,
        **options: Any,
    ) -> list[Anomaly]:
        return self._base.anomalies(start, end, self._inside(services), *more, **options)

    def faults(self, start: datetime | None = None, end: datetime | None = None) -> list[Fault]:
        inside = [fault for fault in self._base.faults(start, end) if self._scope.covers(fault.service_name)]
        return [_fault(fault, self._scope) for fault in inside]

    def cycles(self, limit: int = 20) -> list[Cycle]:
        found = [_cycle(cycle, self._scope) for cycle in self._base.cycles(limit)]
        return [replace(cycle, services=0, samples=0, anomalies=0) for cycle in found]

    @property
    def feedback(self) -> ScopedFeedback:
        return ScopedFeedback(self._base.feedback, self._scope, self._inside)

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


class ScopedFeedback:
    """Verdicts on services inside; see `observatory.store.tables.feedback`."""

    def __init__(self, base: FeedbackTable, scope: Scope, inside: Callable[[Sequence[str] | None], list[str]]) -> None:
        self._base = base
        self._scope = scope
        self._inside = inside

    def write(self, given: Iterable[Feedback]) -> int:
        inside = list(given)
        for one in inside:
            if not self._scope.covers(one.service_name):
                raise ForbiddenError(f"service {one.service_name!r} is outside of what you may see: {self._scope}")
        return self._base.write(inside)

    def read(
        self, start: datetime | None = None, end: datetime | None = None, services: Sequence[str] | None = None
    ) -> list[Feedback]:
        return list(self._base.read(start, end, self._inside(services)))


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
