"""Reading who calls whom: from the sources, from a Jaeger, and from the settings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from observatory.collection.names import known_calls, named_calls
from observatory.config import Settings
from observatory.config.calls import KIND, told_calls
from observatory.model import Call, Failure, KnownServices, RuleKind, as_calls
from observatory.runtime.failing import recorded
from observatory.sources import CallSource, Source
from observatory.store import Store

CALLS_EVERY = timedelta(minutes=5)
"""Age at which calls are read again."""


class CallReading:
    """Keeps the calls of a store up to date.

    Parameters
    ----------
    sources
        Know calls by the names they give to services.
    call_sources
        Know calls by names that are looked up among the services of the store.
    store, settings
        Where calls are kept, and what people say of them.
    """

    def __init__(
        self, sources: Sequence[Source], call_sources: Sequence[CallSource], store: Store, settings: Settings
    ) -> None:
        self._sources = sources
        self._call_sources = call_sources
        self._store = store
        self._told = told_calls(settings.calls)
        self._read_at: dict[str, tuple[datetime, frozenset[str]]] = {}

    def read(self, services: Collection[str], now: datetime) -> list[Failure]:
        """Read what is due: every few minutes, and when one of `services` comes or goes. Returns what failed."""
        names, failures = frozenset(services), list[Failure]()
        for source in self._sources:
            self._when_due(f"calls of {source.name}", names, now, partial(self._of, source, now), failures)
        for known in self._call_sources:
            what = f"calls of jaeger {known.name}"
            self._when_due(what, names, now, partial(self._of_names, known, now), failures)
        self._when_due("calls of the settings", names, now, partial(self._of_settings, now), failures)
        return failures

    def _when_due(
        self, what: str, names: frozenset[str], now: datetime, read: Callable[[], None], failures: list[Failure]
    ) -> None:
        read_at, of = self._read_at.get(what, (None, names))
        if read_at is not None and now - read_at < CALLS_EVERY and of == names:
            return
        with recorded(what, failures):
            read()
            self._read_at[what] = now, names

    def _of(self, source: Source, now: datetime) -> None:
        found = as_calls(source.graph(), source.name)
        sourced = [replace(call, source=call.source or source.name) for call in found]
        self._store.write_calls(named_calls(sourced, self._store.names.rules()), now)

    def _of_names(self, source: CallSource, now: datetime) -> None:
        self._store.write_calls(self._known(source.graph()), now)

    def _of_settings(self, now: datetime) -> None:
        self._store.calls_table.replace(KIND, self._known(self._told), now)

    def _known(self, calls: Iterable[Call]) -> list[Call]:
        """Calls of the services there are, which may be called as they were before they were renamed."""
        rules = self._store.names.rules()
        former = [rule.pattern for rule in rules.of(RuleKind.RENAME)]
        known = KnownServices([*self._store.service_names(), *former])
        return named_calls(known_calls(calls, known), rules)
