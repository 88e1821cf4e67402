"""Cases of a collection: series that a server holds, and what services and values have to be made of them.

All cases of a module are held by one server, each on a day of its own: the index of VictoriaMetrics tells days apart,
that of Prometheus blocks of two hours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from support.servers import History, Server, VictoriaMetrics

from observatory.catalog import METRICS
from observatory.config.sources import PresetSettings
from observatory.model import SERVICE, Collected
from observatory.sources.prometheus.calls import read_calls
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.connection import Limits
from observatory.sources.prometheus.inventory import read_inventory
from observatory.sources.prometheus.presets import configured
from observatory.sources.prometheus.source import PrometheusSource

FIRST = datetime(2026, 1, 1, 13, tzinfo=UTC)
"""When the first case is looked at: the middle of a block of Prometheus."""
BEFORE = 1800
"""Samples begin so long before that [s]."""
ASIDE = 37
"""No sample is just at the time a case is looked at, or at the beginning of a window: so it is with scrapes [s]."""
BOTH = ("prometheus", "victoria")

Value = Callable[[int], float | None]
"""What a series is so many seconds after the time a case is looked at; None where it has no sample."""


@dataclass(frozen=True)
class Samples:
    """The values of a series, a sample every `step` seconds."""

    value: Value
    step: int = 60


Series = dict[str, Samples]


def counter(per_minute: float, start: float = 0, step: int = 60) -> Samples:
    return Samples(lambda at: start + per_minute * (at + BEFORE) / 60, step)


def constant(value: float, step: int = 60) -> Samples:
    return Samples(lambda at: value, step)


def changing(*values: tuple[int, float], step: int = 60) -> Samples:
    """The value from each time [s, before 0] on."""

    def value(at: int) -> float | None:
        return next((value for begin, value in reversed(values) if at >= begin), None)

    return Samples(value, step)


def between(samples: Samples, begin: int = -BEFORE, end: int = 0) -> Samples:
    """`samples` of a series that is not there before or after."""
    return Samples(lambda at: samples.value(at) if begin <= at <= end else None, samples.step)


def labelled(series: Series, labels: str) -> Series:
    """The same with more labels."""
    return {f"{name[:-1]},{labels}}}" if "{" in name else f"{name}{{{labels}}}": v for name, v in series.items()}


def histogram(name: str, labels: str, fast: float, slow: float, unit: float = 1) -> Series:
    """Requests a minute: some of at most 0.1 s, and some between 0.1 s and 0.2 s; `unit` is a second in theirs."""
    ends = {0.05: fast / 2, 0.1: fast, 0.2: fast + slow, 0.4: fast + slow}
    series = {f'{name}_bucket{{{labels},le="{end * unit:g}"}}': counter(count) for end, count in ends.items()}
    return series | {
        f'{name}_bucket{{{labels},le="+Inf"}}': counter(fast + slow),
        f"{name}_count{{{labels}}}": counter(fast + slow),
        f"{name}_sum{{{labels}}}": counter((fast * 0.05 + slow * 0.15) * unit),
    }


def up(*jobs: str, step: int = 60) -> Series:
    """Targets of these jobs, one each."""
    return {f'up{{job="{job}",instance="{job}:80"}}': constant(1, step) for job in jobs}


@dataclass(frozen=True)
class Case:
    """Series, and by metric and service the values; no other service has a value of these metrics.

    `services` are all services with a value of any metric, where that is worth holding; `calls` those between them,
    `outside` those with something else at one end, as kind and name of both ends, and `kind` how they are all known.
    """

    series: Series
    expected: Mapping[str, Mapping[str, float]]
    presets: Mapping[str, PresetSettings] = field(default_factory=dict)
    chosen: Sequence[str] = ()
    services: Sequence[str] | None = None
    calls: Sequence[tuple[str, str]] | None = None
    outside: Sequence[tuple[str, str, str, str]] = ()
    kind: str = "service graph"
    window: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    failures: Sequence[str] = ()
    servers: Sequence[str] = BOTH
    tolerance: float = 2e-3

    def source(self, url: str) -> PrometheusSource:
        client = PrometheusClient(url, Limits(timeout=20))
        return PrometheusSource(
            client, self.window, self.chosen, available=configured(self.presets), **dict(self.options)
        )


class Cases:
    """The cases of a module, by the names of the functions that make them."""

    def __init__(self) -> None:
        self._made: dict[str, Case] = {}

    def add(self, make: Callable[..., Case]) -> Callable[..., Case]:
        """A function that makes a case; a decorator."""
        self._made[make.__name__] = make()
        return make

    def each(self, **by: Any) -> Callable[[Callable[[Any], Case]], Callable[[Any], Case]]:
        """A function that makes a case of each value of a name; a decorator."""

        def add(make: Callable[[Any], Case]) -> Callable[[Any], Case]:
            for name, value in by.items():
                self._made[f"{make.__name__}-{name}"] = make(value)
            return make

        return add

    @property
    def parameters(self) -> list[Any]:
        """Of a test with ``kind`` and ``name``: each case on each server."""
        pairs = [(kind, name) for kind in BOTH for name, case in self._made.items() if kind in case.servers]
        return [pytest.param(kind, name, id=f"{kind}-{name}") for kind, name in pairs]

    def next_time(self) -> datetime:
        """When the case is looked at that is being made."""
        return FIRST + timedelta(days=len(self._made))

    def time(self, name: str) -> datetime:
        """When a case is looked at."""
        return FIRST + timedelta(days=list(self._made).index(name))

    def serve(self) -> Iterator[Callable[[str], Server]]:
        """Servers that hold the cases, each started when it is asked for."""
        running: dict[str, Server] = {}

        def get(kind: str) -> Server:
            if kind not in running:
                if kind == "prometheus":
                    server: Server = _Blocks(self._text(kind)).__enter__()
                else:
                    server = VictoriaMetrics().__enter__()
                    server.load(self._text(kind))
                running[kind] = server
            return running[kind]

        try:
            yield get
        finally:
            for server in running.values():
                server.__exit__(None, None, None)

    def hold(self, server: Server, name: str) -> None:
        """Collect what a case's server has, and compare."""
        case, at = self._made[name], self.time(name)
        collected = case.source(server.url).history(at, at, 60)
        assert sorted({failure.what for failure in collected.failures}) == sorted(case.failures), collected.failures
        got = {metric: found(collected, metric) for metric in case.expected}
        wanted = {
            metric: pytest.approx(dict(values), rel=case.tolerance, abs=1e-4)
            for metric, values in case.expected.items()
        }
        assert got == wanted
        if case.services is not None:
            assert sorted(collected.frame[SERVICE]) == sorted(case.services)
        if case.calls is not None:
            inventory = read_inventory(case.source(server.url).client, at, at)
            found_calls = read_calls(inventory, [str(one) for one in collected.frame[SERVICE]], at)
            between = [call for call in found_calls if call.is_between_services]
            assert [(call.caller, call.callee) for call in between] == sorted(case.calls)
            outside = [(*call.caller_end, *call.callee_end) for call in found_calls if call not in between]
            assert sorted(outside) == sorted(case.outside)
            assert {call.kind for call in found_calls} <= {case.kind}

    def _text(self, kind: str) -> str:
        lines: dict[str, list[str]] = {}
        for name, case in self._made.items():
            if kind in case.servers:
                at = int(self.time(name).timestamp())
                for series, samples in case.series.items():
                    lines.setdefault(series.partition("{")[0], []).extend(_lines(series, samples, at, kind))
        text = "".join(line for of_name in lines.values() for line in of_name)
        return text if kind == "victoria" else f"{text}# EOF\n"


class _Blocks(History):
    """Days that a Prometheus keeps apart: each in a block of two hours, and none merged."""

    block = "2h"
    flags = ("--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h")


def found(collected: Collected, metric: str) -> dict[str, float]:
    """The services that have a value of a metric."""
    assert metric in METRICS
    if metric not in collected.frame:
        return {}
    values: pd.Series = collected.frame.set_index(SERVICE)[metric].dropna()
    return {str(name): float(value) for name, value in values.items()}


def _lines(series: str, samples: Samples, at: int, kind: str) -> Iterator[str]:
    for offset in range(ASIDE - BEFORE, 1, samples.step):
        value = samples.value(offset)
        if value is not None:
            yield f"{series} {value!r} {(at + offset) * (1000 if kind == 'victoria' else 1)}\n"
