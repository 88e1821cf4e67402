"""The sources that the settings name: made when something collects, and not before.

A store belongs to the source that filled it. To read it needs no source, so only collecting checks this.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import overload

from observatory.config import Settings
from observatory.errors import ConfigError
from observatory.model import IMPORTED
from observatory.sources import CallSource, Source
from observatory.sources.demo.shop import DemoSource
from observatory.store import Store
from observatory.times import floor_to

DEMO = "demo"


class LazySources(Sequence[Source]):
    """Sources that are made when they are first asked for, once."""

    def __init__(self, make: Callable[[], Sequence[Source]]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: Sequence[Source] | None = None

    def _all(self) -> Sequence[Source]:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    @overload
    def __getitem__(self, index: int) -> Source: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Source]: ...

    def __getitem__(self, index: int | slice) -> Source | Sequence[Source]:
        return self._all()[index]

    def __len__(self) -> int:
        return len(self._all())


def identity_of(settings: Settings) -> str:
    """What a store that these sources fill is noted down as; two seeds of the demo are two sources."""
    return settings.source_name if settings.prometheus_servers else f"{DEMO} seed {settings.demo_seed}"


def collects_nothing(settings: Settings, held: str | None) -> bool:
    """Whether a store holds what files brought and the settings name no source for it."""
    return held == IMPORTED and not settings.prometheus_servers


def is_foreign(settings: Settings, held: str | None) -> bool:
    """Whether a store that is noted down as `held` was filled by other sources than those of the settings."""
    return held not in (None, IMPORTED, identity_of(settings))


def source_names(settings: Settings, held: str | None) -> tuple[str, ...]:
    """Names of the sources that collect into a store that is noted down as `held`."""
    if collects_nothing(settings, held) or is_foreign(settings, held):
        return ()
    return tuple(settings.prometheus_servers) or (DEMO,)


def make_sources(settings: Settings, store: Store, now: datetime) -> list[Source]:
    """The sources the settings name, checked against what the store holds already.

    Raises
    ------
    ConfigError
        The store holds samples of another source, or of a demo with another seed.
    """
    held = store.note("source")
    if collects_nothing(settings, held):
        return []
    if is_foreign(settings, held):
        raise ConfigError(
            f"store {store.url} holds samples of {held!r}, not of {identity_of(settings)!r}: to collect, "
            "name another file with OBSERVATORY_STORE, or set the source that fills this one; reading needs none"
        )
    if held != identity_of(settings):
        store.write_note("source", identity_of(settings))
    if settings.prometheus_servers:
        return [_prometheus(settings, store, name) for name in settings.prometheus_servers]
    return [_demo(settings, store, now)]


def make_call_sources(settings: Settings, clock: Callable[[], datetime]) -> list[CallSource]:
    """Those that tell only who calls whom."""
    if not settings.jaeger:
        return []
    from observatory.sources.jaeger import JaegerSource

    return [JaegerSource(name, own, clock) for name, own in settings.jaeger.items()]


def _prometheus(settings: Settings, store: Store, name: str) -> Source:
    """A server; what tells its services apart is kept in the store, so that names stay."""
    from observatory.sources.prometheus.distinctions import Distinctions
    from observatory.sources.prometheus.source import PrometheusSource

    note = f"told.{name}"

    def keep(told: Distinctions) -> None:
        store.write_note(note, told.to_text())

    return PrometheusSource.from_settings(settings, name, Distinctions.from_text(store.note(note)), keep)


def _demo(settings: Settings, store: Store, now: datetime) -> DemoSource:
    """The shop, whose past stays where it was when the store was first filled."""
    anchor = store.note("demo.anchor")
    if anchor is None:
        anchor = floor_to(now, settings.interval).isoformat()
        store.write_note("demo.anchor", anchor)
    return DemoSource(
        settings.demo_seed,
        datetime.fromisoformat(anchor),
        live_since=now,
        live_fault_after=settings.demo_live_fault,
        days=settings.demo_days,
        step=settings.interval,
    )
