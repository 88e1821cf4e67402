"""A survey of a Prometheus: which presets have series, of how many services, and which metrics of theirs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from observatory.errors import QueryRefusedError, UnsupportedQueryError
from observatory.model import SERVICE
from observatory.sources.prometheus.answers import Answer
from observatory.sources.prometheus.source import PrometheusSource


@dataclass(frozen=True, slots=True)
class Found:
    """What one preset has: its services, and by metric how many of them have a value now.

    `refused` has the server's own words by metric, ``"services"`` for the preset's probe; `unknown` are those of them
    whose function or syntax the server does not know.
    """

    preset: str
    description: str
    services: tuple[str, ...]
    series: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    is_own: bool = False


def survey(source: PrometheusSource, at: datetime) -> list[Found]:
    """What each preset has at a time; metrics are asked for only where a preset has services, or is the user's own.

    Raises
    ------
    SourceError
        The server cannot be reached, or refuses everything.
    """

    def ask(query: str) -> Answer | QueryRefusedError:
        try:
            return source.client.instant(query, at)
        except QueryRefusedError as error:
            return error

    with ThreadPoolExecutor(source.client.limits.concurrency, thread_name_prefix="survey") as pool:
        probed = dict(zip(source.probes, pool.map(ask, source.probes.values()), strict=True))
        wanted = [
            (metric, name, parts[name])
            for metric, parts in source.parts.items()
            for name in parts
            if source.presets[name].is_own or _names(source, probed[name])
        ]
        answers = [
            source.explained(metric, name, answer) if isinstance(answer, QueryRefusedError) else answer
            for (metric, name, query), answer in zip(
                wanted, pool.map(ask, [query for *_, query in wanted]), strict=True
            )
        ]
    found = []
    for name, preset in source.presets.items():
        mine = {metric: answer for (metric, of, _), answer in zip(wanted, answers, strict=True) if of == name}
        said = {"services": probed[name], **mine}
        found.append(
            Found(
                preset=name,
                description=preset.description,
                services=_names(source, probed[name]),
                series={metric: _count(source, answer) for metric, answer in mine.items()},
                refused={what: str(answer) for what, answer in said.items() if isinstance(answer, QueryRefusedError)},
                unknown=frozenset(what for what, answer in said.items() if isinstance(answer, UnsupportedQueryError)),
                is_own=preset.is_own,
            )
        )
    return found


def _names(source: PrometheusSource, answer: Answer | QueryRefusedError) -> tuple[str, ...]:
    if isinstance(answer, QueryRefusedError):
        return ()
    names = {series.labels.get(SERVICE, "") for series in answer.series}
    return tuple(sorted(name for name in names if source.watches(name)))


def _count(source: PrometheusSource, answer: Answer | QueryRefusedError) -> int:
    """Services with a value that is a number: the latency of an idle one is none."""
    if isinstance(answer, QueryRefusedError):
        return 0
    return sum(
        source.watches(series.labels.get(SERVICE, "")) and not math.isnan(series.values[0]) for series in answer.series
    )
