"""What sources say, by the names that services have here: renamed, joined, and without what is not watched.

A source that can rename (`observatory.sources.RenamingSource`) does so before it sums up series. Of others the samples
are renamed as they come, and those of one time are combined as far as that is true.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import duckdb
import pandas as pd

from observatory.catalog import METRICS
from observatory.collection.deploy_names import deploy_renames
from observatory.model import (
    SERVICE,
    TIMESTAMP,
    Call,
    Collected,
    End,
    Fault,
    KnownServices,
    NameRules,
    Service,
    as_calls,
)
from observatory.sources import RenamingSource, Source
from observatory.store import Store
from observatory.store.sql.combining import combined_rows, combining

MOST_SHOWN = 3


class NamedSource:
    """A source whose services go by the names of some rules; see `observatory.sources.Source`."""

    def __init__(self, source: Source, rules: NameRules) -> None:
        self._source = source
        self._rules = rules
        self.name = source.name
        if isinstance(source, RenamingSource):
            source.use_renames(rules.renames)

    @property
    def asks(self) -> str:
        """What its source asks: what is stored has been renamed."""
        return self._source.asks

    def discover(self) -> list[Service]:
        """See `Source.discover`."""
        found: dict[str, Service] = {}
        for service in self._source.discover():
            name = self._rules.name_of(service.name)
            if not is_excluded(service.name, self._rules):
                found.setdefault(name, replace(service, name=name))
        return [service for _, service in sorted(found.items())]

    def collect(self, at: datetime, services: Sequence[str] | None = None) -> Collected:
        """See `Source.collect`."""
        return self._named(self._source.collect(at, self._asked(services)), services)

    def history(self, start: datetime, end: datetime, step: float, services: Sequence[str] | None = None) -> Collected:
        """See `Source.history`."""
        return self._named(self._source.history(start, end, step, self._asked(services)), services)

    def graph(self) -> list[Call]:
        """See `Source.graph`."""
        return named_calls(as_calls(self._source.graph(), self.name), self._rules)

    def _asked(self, services: Sequence[str] | None) -> Sequence[str] | None:
        """By which names its source knows services; None where these cannot be listed, for all."""
        if services is None or isinstance(self._source, RenamingSource):
            return services
        if any(self._rules.has_deploys(name) for name in services):
            return None
        return list(dict.fromkeys(known for name in services for known in self._rules.names_for(name)))

    def _named(self, answer: Collected, services: Sequence[str] | None) -> Collected:
        frame = named_samples(answer.frame, self._rules)
        if services is not None:
            frame = frame[frame[SERVICE].isin(list(services))]
        return answer if frame is answer.frame else replace(answer, frame=frame.reset_index(drop=True))


def named_sources(sources: Iterable[Source], store: Store) -> list[Source]:
    """Sources whose services go by the names they have in a store."""
    rules = store.names.rules()
    return [NamedSource(source, rules) for source in sources]


def named_samples(frame: pd.DataFrame, rules: NameRules) -> pd.DataFrame:
    """Samples by the names that rules give, without those of excluded services; itself where nothing changes."""
    names = [str(name) for name in frame[SERVICE].unique()] if rules.rules else []
    becomes = {name: rules.name_of(name) for name in names}
    excluded = [name for name in names if is_excluded(name, rules)]
    if excluded:
        frame = frame[~frame[SERVICE].isin(excluded)]
    if all(name == new for name, new in becomes.items()):
        return frame
    frame = frame.assign(**{SERVICE: frame[SERVICE].map(becomes)})
    joined = frame.duplicated([SERVICE, TIMESTAMP], keep=False)
    if not joined.any():
        return frame
    return pd.concat([frame[~joined], _combined(frame[joined])], ignore_index=True)


def named_calls(calls: Iterable[Call], rules: NameRules) -> list[Call]:
    """Calls by the names that rules give, without those of excluded services and of a service to itself."""
    named = [
        replace(call, caller=_name_of(call.caller_end, rules), callee=_name_of(call.callee_end, rules))
        for call in calls
        if not any(is_excluded(name, rules) for name in call.services)
    ]
    return [call for call in dict.fromkeys(named) if call.caller_end != call.callee_end]


def known_calls(calls: Iterable[Call], known: KnownServices) -> list[Call]:
    """Calls whose ends are looked up among the services that are known; what is none of them is outside.

    Ends of which a call says that they are no service stay. Calls between two ends that are outside are left out.
    """
    found = []
    for call in calls:
        (caller_is, caller), (callee_is, callee) = (
            _looked_up(end, known) for end in (call.caller_end, call.callee_end)
        )
        found.append(replace(call, caller=caller, callee=callee, caller_is=caller_is, callee_is=callee_is))
    return [call for call in found if call.services]


def _looked_up(end: tuple[End, str], known: KnownServices) -> tuple[End, str]:
    is_a, name = end
    if is_a is not End.SERVICE:
        return end
    service = known.find([name])
    if service is not None:
        return End.SERVICE, service
    return End.EXTERNAL if "." in name.rpartition("/")[2] else End.UNKNOWN, name


def _name_of(end: tuple[End, str], rules: NameRules) -> str:
    is_a, name = end
    return rules.name_of(name) if is_a is End.SERVICE else name


def named_faults(faults: Iterable[Fault], rules: NameRules) -> list[Fault]:
    """Faults by the names that rules give, without those of excluded services."""
    return [
        replace(fault, service_name=rules.name_of(fault.service_name), root_cause=rules.name_of(fault.root_cause))
        for fault in faults
        if not is_excluded(fault.service_name, rules)
    ]


def is_excluded(name: str, rules: NameRules) -> bool:
    """Whether a service is not watched, by its source's name or by the one it has here."""
    return rules.excluding(name) is not None or rules.excluding(rules.name_of(name)) is not None


def settle_names(store: Store, at: datetime, new: Collection[str]) -> list[str]:
    """Recognise names of deploys once there are `new` services, and have all services follow the rules.

    Returns what is worth a word.
    """
    rules = store.names.rules()
    names = store.service_names()
    deploys = rules.deploys
    if new:
        counts = store.sample_counts()
        firsts, lasts = counts["first"].dt.to_pydatetime(), counts["last"].dt.to_pydatetime()
        spans = dict(zip(map(str, counts.index), zip(firsts, lasts, strict=True), strict=True))
        watched = [name for name in names if not is_excluded(name, rules)]
        deploys = deploy_renames(watched, spans, known=deploys, apart=rules.apart)
    found = rules.recognising(deploys, at)
    if found is rules and not any(rules.name_of(name) != name or is_excluded(name, rules) for name in names):
        return []
    store.names.settle(at, deploys)
    said = []
    for stem in dict.fromkeys(rule.becomes for rule in found.rules if rule not in rules.rules):
        joined = [name for name in names if name != stem and found.name_of(name) == stem]
        more = f" and {len(joined) - MOST_SHOWN} more" if len(joined) > MOST_SHOWN else ""
        said.append(
            f"{stem}: {', '.join(joined[:MOST_SHOWN])}{more} are its deploys, and one service from now on "
            f"(`observatory services restore {stem}` keeps deploys apart)"
        )
    return said


def _combined(frame: pd.DataFrame) -> pd.DataFrame:
    """One sample a service and time."""
    metrics = [str(column) for column in frame.columns if column not in (SERVICE, TIMESTAMP)]
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("several", frame.astype(dict.fromkeys(metrics, float)))
        return connection.execute(combined_rows("several", combining(METRICS, metrics))).df()
