"""A survey of a Prometheus: which presets have series, of how many services, and which metrics of theirs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from observatory.errors import QueryRefusedError
from observatory.model import SERVICE
from observatory.sources.prometheus.answers import Answer
from observatory.sources.prometheus.inventory import Inventory
from observatory.sources.prometheus.merging import coarse_services
from observatory.sources.prometheus.plan import Asked, Plan, marked
from observatory.sources.prometheus.source import PrometheusSource
from observatory.sources.prometheus.unread import Unread, unread


@dataclass(frozen=True, slots=True)
class Found:
    """What one family of a preset has: its services, and by metric how many of them have a value now.

    `refused` has the server's own words by metric. `values` has by metric and service the value.
    """

    preset: str
    family: str
    description: str
    services: tuple[str, ...]
    series: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    is_own: bool = False
    tells_errors: bool = True


@dataclass(frozen=True, slots=True)
class Survey:
    """What a server has, what of it is read, and what is not.

    `coarse` has services whose latency is not known finer than their histogram's buckets, with the ends of these [s].
    """

    inventory: Inventory
    plan: Plan
    found: tuple[Found, ...]
    unread: tuple[Unread, ...]
    coarse: Mapping[str, tuple[float, ...]]

    @property
    def services(self) -> list[str]:
        return sorted({name for one in self.found for name in one.services})

    def having(self, metric: str) -> set[str]:
        """Services of families that are asked for a metric and have a value of it."""
        return {name for one in self.found if one.series.get(metric) for name in one.services}


def survey(source: PrometheusSource, at: datetime) -> Survey:
    """What a server has at a time.

    Raises
    ------
    SourceError
        The server cannot be reached, or refuses everything.
    """
    inventory, plan = source.look()

    def ask(wanted: tuple[Asked, str]) -> Answer | QueryRefusedError:
        one, metric = wanted
        try:
            return source.client.instant(marked(plan.over_time[metric][one.key], one.key), at)
        except QueryRefusedError as error:
            return source.asking.explained(one, metric, error)

    wanted = [(one, metric) for one in plan.asked for metric in one.queries]
    with ThreadPoolExecutor(source.client.limits.concurrency, thread_name_prefix="survey") as pool:
        answers = dict(zip([(one.key, metric) for one, metric in wanted], pool.map(ask, wanted), strict=True))
    found = []
    for one in plan.asked:
        mine = {metric: answers[one.key, metric] for metric in one.queries}
        found.append(
            Found(
                preset=one.preset.name,
                family=one.family.name,
                description=one.preset.description,
                services=tuple(sorted({name for answer in mine.values() for name in _names(source, answer)})),
                series={metric: _count(source, answer) for metric, answer in mine.items()},
                refused={what: str(answer) for what, answer in mine.items() if isinstance(answer, QueryRefusedError)},
                is_own=one.preset.is_own,
                tells_errors=one.family.tells_errors or one.preset.is_own,
            )
        )
    return Survey(inventory, plan, tuple(found), tuple(unread(inventory, plan)), coarse_services(plan))


def _names(source: PrometheusSource, answer: Answer | QueryRefusedError) -> set[str]:
    if isinstance(answer, QueryRefusedError):
        return set()
    names = {series.labels.get(SERVICE, "") for series in answer.series}
    return {name for name in names if source.watches(name)}


def _count(source: PrometheusSource, answer: Answer | QueryRefusedError) -> int:
    """Services with a value that is a number: the latency of an idle one is none."""
    if isinstance(answer, QueryRefusedError):
        return 0
    return sum(
        source.watches(series.labels.get(SERVICE, "")) and not math.isnan(series.values[0]) for series in answer.series
    )
