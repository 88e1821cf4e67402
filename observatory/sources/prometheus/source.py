"""A Prometheus as a source of samples: one query a metric for all services, whatever their number."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

import pandas as pd

from observatory.catalog import METRICS, Metric
from observatory.config import Settings
from observatory.errors import (
    QueryLimitError,
    QueryRefusedError,
    SourceError,
    SourceTimeoutError,
    SourceUnreachableError,
    UnsupportedQueryError,
)
from observatory.model import MOST_NAMED, SERVICE, Collected, Failure, Service, is_usable_name
from observatory.sources.prometheus.answers import Answer, Series, wide_frame
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.presets import (
    PRESETS,
    Preset,
    build_parts,
    build_probes,
    chosen,
    configured,
    filled,
    joined,
)

FORGOTTEN_AFTER = 600.0
"""A preset's query that a server refused is asked again after so long [s]."""
SKEW_BOUND = 5.0
"""How far a server's clock may be off before it is worth a word [s]."""


class PrometheusSource:
    """A `observatory.sources.Source` over a Prometheus.

    Parameters
    ----------
    client
        Where to ask.
    window
        Rate window [s].
    presets
        Names of presets in order of priority; empty for all.
    catalog
        The metrics to collect.
    available
        The presets there are; see `observatory.sources.prometheus.presets.configured`.
    include, exclude
        Patterns of the names of services to watch, and of those not to.
    """

    name = "prometheus"

    def __init__(
        self,
        client: PrometheusClient,
        window: float = 300.0,
        presets: Sequence[str] = (),
        catalog: Mapping[str, Metric] = METRICS,
        *,
        available: Mapping[str, Preset] = PRESETS,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
    ) -> None:
        self.client = client
        self.window = window
        self.presets = {preset.name: preset for preset in chosen(presets, available)}
        self.parts = build_parts(catalog, window, presets, available)
        """Queries by metric and preset."""
        self.probes = build_probes(window, presets, available)
        self._included, self._excluded = _pattern(include or ["*"]), _pattern(exclude)
        self._refused: dict[tuple[bool, str, str], tuple[float, str]] = {}

    @classmethod
    def from_settings(cls, settings: Settings, name: str = "prometheus") -> Self:
        """The source called `name` in the settings.

        Raises
        ------
        ConfigError
            A preset cannot be used.
        """
        own = settings.prometheus_servers[name]
        source = cls(
            PrometheusClient.of(own),
            settings.window,
            own.presets,
            available=configured(settings.preset),
            include=own.include,
            exclude=own.exclude,
        )
        source.name = name
        return source

    @property
    def asks(self) -> str:
        """A digest of the queries and of the services they are for."""
        asked = [self.parts, self._included.pattern, self._excluded.pattern]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]

    def watches(self, name: str) -> bool:
        """Whether a service of that name is to be watched."""
        return bool(is_usable_name(name) and self._included.match(name) and not self._excluded.match(name))

    def discover(self) -> list[Service]:
        """Services of which some preset has a series now."""
        answer = self._answer("services", self.probes, lambda query: self.client.instant(query, datetime.now(UTC)))
        names = {one.labels.get(SERVICE, "") for series in answer.series for one in series}
        return [Service(name, self.name) for name in sorted(names) if self.watches(name)]

    def collect(self, at: datetime, services: Sequence[str] | None = None) -> Collected:
        """The value of every metric at `at`; a metric whose query fails is a failure in the answer."""
        return self._collect(lambda query: self.client.instant(_only(query, services), at), services)

    def history(self, start: datetime, end: datetime, step: float, services: Sequence[str] | None = None) -> Collected:
        """Values every `step` seconds; a metric whose query fails is a failure in the answer."""
        return self._collect(lambda query: self.client.range(_only(query, services), start, end, step), services, step)

    def graph(self) -> list[tuple[str, str]]:
        """Empty: metrics alone do not tell who calls whom."""
        return []

    def _collect(
        self, ask: Callable[[str], Answer], services: Sequence[str] | None, step: float | None = None
    ) -> Collected:
        """All metrics at once, as many as the client may ask."""
        wanted = None if services is None else set(services)

        def one(metric: str) -> _Answers | SourceError:
            try:
                return self._answer(metric, self.parts[metric], ask, live=step is None)
            except SourceError as error:
                return error

        with ThreadPoolExecutor(self.client.limits.concurrency, thread_name_prefix=self.name) as pool:
            answers = dict(zip(self.parts, pool.map(one, self.parts), strict=True))
        found = {metric: answer for metric, answer in answers.items() if isinstance(answer, _Answers)}
        failed = {metric: answer for metric, answer in answers.items() if isinstance(answer, SourceError)}
        if failed and not found:
            raise min(failed.values(), key=lambda error: not isinstance(error, _SILENCE))
        samples, strange = wide_frame(
            {metric: answer.series for metric, answer in found.items()},
            step,
            lambda name: self.watches(name) and (wanted is None or name in wanted),
        )
        failures = [Failure(metric, str(error)) for metric, error in failed.items()]
        failures += [failure for answer in found.values() for failure in answer.failures]
        warnings = [f"{metric}: {text}" for metric, answer in found.items() for text in answer.warnings]
        remarks = self._remarks(samples, services)
        return Collected(samples, tuple(failures), (*warnings, *strange, *remarks), len(self.parts))

    def _answer(
        self, metric: str, parts: Mapping[str, str], ask: Callable[[str], Answer], *, live: bool = True
    ) -> _Answers:
        """All presets in one query; where the server refuses it, preset by preset.

        What the server does not understand is left out for a while; what it refuses for another reason is a failure.
        A query that is understood for one time may not be for a range, so `live` ones are remembered apart.
        """
        known = [preset for preset in parts if not self._is_refused(live, metric, preset)] or list(parts)
        found = _Answers()
        try:
            found.add(ask(joined(parts[preset] for preset in known)))
        except QueryRefusedError:
            if len(known) == 1:
                raise
            refused = None
            for preset in known:
                try:
                    found.add(ask(parts[preset]))
                except QueryRefusedError as error:
                    refused = self.explained(metric, preset, error)
                    if isinstance(error, UnsupportedQueryError):
                        self._refused[live, metric, preset] = time.monotonic() + FORGOTTEN_AFTER, str(refused)
                    else:
                        found.failures.append(Failure(metric, f"preset {preset}: {refused}"))
            if refused and not found.series:
                raise refused from None
        if found.partial:
            found.failures.append(Failure(metric, "the answer is partial: run the backfill again"))
        for preset in parts:
            if self._is_refused(live, metric, preset):
                self._say_refused(live, metric, preset, found)
        return found

    def explained(self, metric: str, preset: str, error: QueryRefusedError) -> QueryRefusedError:
        """What the server says about a query just as the user wrote it, instead of what was made of it."""
        written = self.presets[preset].queries.get(metric)
        if written is None or isinstance(error, QueryLimitError):
            return error
        try:
            self.client.instant(filled(written, self.presets[preset], self.window), datetime.now(UTC))
        except QueryRefusedError as plain:
            return plain
        except SourceError:
            pass
        return error

    def _is_refused(self, live: bool, metric: str, preset: str) -> bool:
        return time.monotonic() < self._refused.get((live, metric, preset), (0.0, ""))[0]

    def _say_refused(self, live: bool, metric: str, preset: str, found: _Answers) -> None:
        """What the user has to put right is said each time; a function the server lacks, only by the doctor."""
        _, error = self._refused[live, metric, preset]
        if self.presets[preset].is_own:
            found.failures.append(Failure(metric, f"preset {preset}: {error}"))
        elif "unknown func" not in error:
            found.warnings.append(f"preset {preset} is left out: {error}")

    def _remarks(self, samples: pd.DataFrame, services: Sequence[str] | None) -> Iterator[str]:
        skew = self.client.skew
        if skew is not None and abs(skew) > SKEW_BOUND:
            yield (
                f"the clock of {self.client.address} is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}: "
                "set both by NTP, samples may be missing or late"
            )
        if samples.empty and services is None:
            yield f"no series of any service for presets {', '.join(self.presets)}: see `observatory doctor`"


_SILENCE = (SourceUnreachableError, SourceTimeoutError)


@dataclass(slots=True)
class _Answers:
    """Series by preset, the first preset's in front, and what was said about them."""

    series: list[list[Series]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    partial: bool = False

    def add(self, answer: Answer) -> None:
        self.series.append(answer.series)
        self.warnings += answer.warnings
        self.partial |= answer.partial


def _only(query: str, services: Sequence[str] | None) -> str:
    """`query` for a few services, so that others do not travel; what it costs the server stays about the same."""
    if not services or len(services) > MOST_NAMED:
        return query
    named = (f'label_replace(vector(1), "{SERVICE}", {_text(name)}, "", "")' for name in services)
    return f"({query}) and on ({SERVICE}) ({' or '.join(named)})"


def _text(name: str) -> str:
    """A replacement in PromQL: a string whose escapes are those of JSON, and in it ``$$`` for a dollar sign."""
    return json.dumps(name.replace("$", "$$"), ensure_ascii=False)


def _pattern(patterns: Sequence[str]) -> re.Pattern[str]:
    """Matches a whole name that fits one of the shell patterns; without any, none."""
    return re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns) or "(?!)")
