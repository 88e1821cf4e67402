"""ScopedOperator: what somebody may do who sees some services only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from observatory.access.permissions import Caller, Role, Scope
from observatory.access.scoped import (
    ScopedAlerts,
    ScopedChanges,
    ScopedFeedback,
    ScopedNames,
    ScopedReader,
    ScopedStore,
)
from observatory.access.scoped_incidents import ScopedIncidentsWriter
from observatory.access.scoped_silences import ScopedSilencesWriter
from observatory.collection.collect import CollectReport
from observatory.errors import ForbiddenError, UnknownServiceError
from observatory.model import Change, ExternalAlert, Feedback, Overlap, Service
from observatory.runtime.reader import Operator
from observatory.store.reader import (
    AlertsWriter,
    ChangesWriter,
    FeedbackWriter,
    IncidentsWriter,
    NamesWriter,
    OperatorStore,
    SilencesWriter,
)


def operator_for(base: Operator, caller: Caller) -> Operator:
    """`base` as `caller` may work with it; itself for who sees every service.

    Raises
    ------
    ForbiddenError
        They may only read.
    """
    if lacking := caller.lacks(Role.OPERATOR):
        raise ForbiddenError(lacking)
    return base if caller.scope.is_everything else ScopedOperator(base, caller.scope)


class ScopedOperator(ScopedReader):
    """See `observatory.runtime.reader.Operator`."""

    def __init__(self, base: Operator, scope: Scope, check: Callable[[], object] = lambda: None) -> None:
        super().__init__(base, scope, check)
        self._operated = base

    @property
    def store(self) -> OperatorStore:
        self._check()
        return ScopedOperatorStore(self._operated.store, self._scope)

    @property
    def source_names(self) -> tuple[str, ...]:
        return self._operated.source_names

    def collect(self, service: str | None = None) -> CollectReport:
        """Collect one service, if it is inside; raises ForbiddenError for all."""
        if service is None and not self._scope.is_everything:
            raise ForbiddenError("only who may see every service may collect all of them")
        return self._operated.collect(None if service is None else self.store.service(service).name)


class ScopedOperatorStore(ScopedStore):
    """See `observatory.store.reader.OperatorStore`."""

    def __init__(self, base: OperatorStore, scope: Scope) -> None:
        super().__init__(base, scope)
        self._operated = base

    @property
    def alerts(self) -> AlertsWriter:
        return ScopedAlertsWriter(self._operated.alerts, self._scope, self._inside)

    @property
    def changes(self) -> ChangesWriter:
        return ScopedChangesWriter(self._operated.changes, self._scope, self._inside)

    @property
    def feedback(self) -> FeedbackWriter:
        return ScopedFeedbackWriter(self._operated.feedback, self._scope, self._inside)

    @property
    def incidents(self) -> IncidentsWriter:
        return ScopedIncidentsWriter(self._operated.incidents, self._scope, self._inside)

    @property
    def silences(self) -> SilencesWriter:
        return ScopedSilencesWriter(self._operated.silences, self._scope, self._inside)

    @property
    def names(self) -> NamesWriter:
        return ScopedNamesWriter(self._operated.names, self._scope, self.services)

    def register(self, services: Iterable[Service]) -> int:
        given = list(services)
        _require_inside((service.name for service in given), self._scope)
        return self._operated.register(given)


class ScopedNamesWriter(ScopedNames):
    """Names of services inside, to see and to change; see `observatory.store.reader.NamesWriter`."""

    def __init__(self, base: NamesWriter, scope: Scope, inside: Callable[[], list[Service]]) -> None:
        super().__init__(base, scope)
        self._operated = base
        self._inside = inside

    def rename(self, old: str, new: str, at: datetime) -> None:
        _require_inside([old, new], self._scope)
        self._require_known([old])
        self._operated.rename(old, new, at)

    def merge(self, others: Sequence[str], into: str, at: datetime, overlap: Overlap = Overlap.REFUSE) -> None:
        _require_inside([*others, into], self._scope)
        self._require_known([*others, into])
        self._operated.merge(others, into, at, overlap)

    def remove(self, services: Sequence[str], at: datetime, exclude: Iterable[str] = ()) -> None:
        patterns = list(exclude)
        _require_inside([*services, *patterns], self._scope)
        self._require_known(services)
        self._operated.remove(services, at, patterns)

    def allow(self, name: str) -> None:
        _require_inside([name], self._scope)
        if not self._scope.covers(self._operated.rules().name_of(name)):
            raise ForbiddenError(f"service {name!r} goes by another name, outside of what you may see: {self._scope}")
        self._operated.allow(name)

    def restore(self, name: str) -> None:
        _require_inside([name], self._scope)
        self._operated.restore(name)

    def _require_known(self, names: Iterable[str]) -> None:
        """The hint of the store would name services outside."""
        known = [service.name for service in self._inside()]
        for name in names:
            if name not in known:
                raise UnknownServiceError(name, known)


class ScopedAlertsWriter(ScopedAlerts):
    """Alerts about services inside, to read and to send; those about none are kept as well."""

    def __init__(self, base: AlertsWriter, scope: Scope, inside: Callable[..., list[str]]) -> None:
        super().__init__(base, inside)
        self._operated = base
        self._scope = scope

    def write(self, values: Iterable[ExternalAlert]) -> int:
        alerts = list(values)
        _require_inside((one.service_name for one in alerts if one.service_name), self._scope)
        return self._operated.write(alerts)


class ScopedChangesWriter(ScopedChanges):
    """Changes of services inside, to read and to report."""

    def __init__(self, base: ChangesWriter, scope: Scope, inside: Callable[..., list[str]]) -> None:
        super().__init__(base, scope, inside)
        self._operated = base

    def write(self, values: Iterable[Change]) -> int:
        changes = list(values)
        _require_inside((one.service_name for one in changes), self._scope)
        return self._operated.write(changes)


class ScopedFeedbackWriter(ScopedFeedback):
    """Verdicts on services inside, to read and to give."""

    def __init__(self, base: FeedbackWriter, scope: Scope, inside: Callable[..., list[str]]) -> None:
        super().__init__(base, inside)
        self._operated = base
        self._scope = scope

    def write(self, given: Iterable[Feedback]) -> int:
        verdicts = list(given)
        _require_inside((one.service_name for one in verdicts), self._scope)
        return self._operated.write(verdicts)


def _require_inside(names: Iterable[str], scope: Scope) -> None:
    for name in names:
        if not scope.covers(name):
            raise ForbiddenError(f"service {name!r} is outside of what you may see: {scope}")
