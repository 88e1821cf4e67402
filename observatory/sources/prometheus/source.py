"""A Prometheus as a source of samples: one query a metric for all services, whatever their number."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Self

import pandas as pd

from observatory.catalog import METRICS, Metric
from observatory.config import Settings
from observatory.errors import (
    SourceError,
    SourceTimeoutError,
    SourceUnreachableError,
)
from observatory.model import SERVICE, Call, Collected, Exemplar, Failure, Service, is_usable_name
from observatory.model.running import Seen
from observatory.sources.prometheus.answers import wide_frame
from observatory.sources.prometheus.asking import Answers, Asking, Found
from observatory.sources.prometheus.calls import read_calls
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.distinctions import Distinctions
from observatory.sources.prometheus.exemplars import read_exemplars
from observatory.sources.prometheus.inventory import REACH, Inventory, read_inventory
from observatory.sources.prometheus.merging import arranged
from observatory.sources.prometheus.naming import Renames
from observatory.sources.prometheus.plan import (
    NOTHING_TOLD,
    Plan,
    make_plan,
    read_bounds,
)
from observatory.sources.prometheus.presets import PRESETS, chosen, configured
from observatory.sources.prometheus.presets.preset import Preset
from observatory.sources.prometheus.running import read_running

QUERIES_OF = 2
"""Grows when the queries change what they mean: history that was fetched with others is fetched again."""
LOOKED_AGAIN_AFTER = 600.0
"""What a server has is looked at again after so long [s]; at first sooner, as what was just started has little yet."""
SKEW_BOUND = 5.0
"""How far a server's clock may be off before it is worth a word [s]."""


class PrometheusSource:
    """A `observatory.sources.Source` over a Prometheus.

    Parameters
    ----------
    client
        Where to ask.
    window
        Rate window [s]; None: four scrapes of each job, and at least `interval`.
    interval
        How often samples are taken [s].
    delay
        How late samples come to the server [s].
    names_clusters
        Whether the cluster is a part of names where there are several.
    told, on_told
        What told services apart before, and what is called when there is more of it, to keep it.
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
        window: float | None = None,
        presets: Sequence[str] = (),
        catalog: Mapping[str, Metric] = METRICS,
        *,
        available: Mapping[str, Preset] = PRESETS,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        interval: float = 60.0,
        delay: float = 0.0,
        names_clusters: bool = True,
        told: Distinctions = NOTHING_TOLD,
        on_told: Callable[[Distinctions], None] = lambda told: None,
    ) -> None:
        self.client = client
        self.window, self.interval = window, interval
        self.delay = timedelta(seconds=delay)
        self.presets = {preset.name: preset for preset in chosen(presets, available)}
        self._catalog, self._names_clusters = catalog, names_clusters
        self._renames: Renames = ()
        self._told, self._on_told = told, on_told
        self._looked: tuple[float, Inventory, Plan] | None = None
        self._look_again_after = interval
        self._seen: frozenset[str] = frozenset()
        self._planning = threading.Lock()
        self._included, self._excluded = _pattern(include or ["*"]), _pattern(exclude)
        self.asking = Asking(client, window)

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        name: str = "prometheus",
        told: Distinctions = NOTHING_TOLD,
        on_told: Callable[[Distinctions], None] = lambda told: None,
    ) -> Self:
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
            interval=settings.interval,
            delay=settings.delay,
            names_clusters=own.cluster_names,
            told=told,
            on_told=on_told,
        )
        source.name = name
        return source

    @property
    def asks(self) -> str:
        """A digest of the settings that decide what is asked, and for which services."""
        presets = [
            (one.name, one.labels, one.rename, sorted(one.queries.items()), one.probe) for one in self.presets.values()
        ]
        asked = [QUERIES_OF, presets, self.window, list(self._catalog), self._included.pattern, self._excluded.pattern]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]

    def plan(self, reach: tuple[datetime, datetime] | None = None) -> Plan:
        """What is asked of the server, by what it has; looked at again every ten minutes, at first more often.

        With `reach` it is what the server had in that time, for its history.

        Raises
        ------
        SourceError
            The server cannot be reached.
        """
        return self.look()[1] if reach is None else self._make_plan(self._inventory(*reach))

    def look(self) -> tuple[Inventory, Plan]:
        """What the server has, as it was last looked at, and what is asked of it; raises as `plan` does."""
        with self._planning:
            if self._looked is None or time.monotonic() >= self._looked[0]:
                inventory = self.inventory()
                plan = self._make_plan(inventory)
                self._looked = time.monotonic() + self._look_again_after, inventory, plan
                if plan.asked:
                    self._look_again_after = min(2 * self._look_again_after, LOOKED_AGAIN_AFTER)
            return self._looked[1:]

    def look_again(self) -> None:
        """Look at what the server has before anything is asked the next time."""
        with self._planning:
            self._looked = None

    def use_renames(self, renames: Renames) -> None:
        """Name services by these rules from now on, after those of presets."""
        with self._planning:
            if renames != self._renames:
                self._renames, self._looked = renames, None

    def inventory(self) -> Inventory:
        """What the server has now."""
        now = datetime.now(UTC) - self.delay
        return self._inventory(now, now)

    def _inventory(self, start: datetime, end: datetime) -> Inventory:
        return read_inventory(self.client, start, end)

    def _make_plan(self, inventory: Inventory) -> Plan:
        plan = make_plan(
            inventory,
            list(self.presets.values()),
            catalog=self._catalog,
            window=self.window,
            interval=self.interval,
            clusters=self._names_clusters,
            renames=self._renames,
            told=self._told,
        )
        if plan.told != self._told:
            self._told = plan.told
            self._on_told(plan.told)
        read_bounds(inventory, plan)
        return plan

    def watches(self, name: str) -> bool:
        """Whether a service of that name is to be watched."""
        return bool(is_usable_name(name) and self._included.match(name) and not self._excluded.match(name))

    def discover(self) -> list[Service]:
        """Services of which some family has a series now; a query that is refused is told when it is collected.

        Raises
        ------
        SourceError
            The server cannot be reached, or nothing is left of what it did not refuse.
        """
        now = datetime.now(UTC) - self.delay
        plan = self.plan()
        answer = self.asking.services(plan, now)
        if answer.failures and not answer.series:
            raise SourceError(f"{self.name}: {answer.failures[0].error}")
        names = {one.labels.get(SERVICE, "") for one in answer.series}
        self._seen = frozenset(filter(self.watches, names))
        return [Service(name, self.name) for name in sorted(self._seen)]

    def collect(self, at: datetime, services: Sequence[str] | None = None) -> Collected:
        """The value of every metric at `at`; a metric whose query fails is a failure in the answer."""
        is_now = abs(datetime.now(UTC) - at) < REACH
        plan = self.plan() if is_now else self.plan((at, at))
        collected = self._collected(plan, self.asking.now(plan, at, services), services, None)
        if is_now and services is None:
            self._seen = frozenset(map(str, collected.frame[SERVICE]))
        return collected

    def history(self, start: datetime, end: datetime, step: float, services: Sequence[str] | None = None) -> Collected:
        """Values every `step` seconds; a metric whose query fails is a failure in the answer."""
        plan = self.plan((start, end))
        return self._collected(plan, self.asking.over_time(plan, start, end, step, services), services, step)

    def graph(self) -> list[Call]:
        """Calls of the services that were last seen, where a mesh, a proxy or traces have metrics of them.

        Those with what is not to be watched are left out.

        Raises
        ------
        SourceError
            There are such metrics, and the server cannot be reached.
        """
        if self._looked is None:
            return []
        found = read_calls(self._looked[1], self._seen, datetime.now(UTC) - self.delay)
        return [call for call in found if not any(map(self._excluded.match, (call.caller, call.callee)))]

    def running(self, start: datetime, end: datetime, services: Collection[str]) -> Seen:
        """Versions, images and start times of `services`, whenever they changed; see `.running`.

        Raises
        ------
        SourceError
            The server cannot be reached.
        """
        is_now = self._looked is not None and datetime.now(UTC) - end < REACH
        inventory = self._looked[1] if is_now and self._looked else self._inventory(start, end)
        last = min(end, datetime.now(UTC) - self.delay)
        return read_running(inventory, services, start, last, self._renames) if last > start else Seen()

    def exemplars(
        self, service: str, services: Collection[str], start: datetime, end: datetime, most: int = 10
    ) -> list[Exemplar]:
        """The slowest requests of a service that are remembered with their traces; see `.exemplars`."""
        return read_exemplars(self.client, self.plan(), service, services, start, end, most, self._renames)

    def _collected(self, plan: Plan, found: Found, services: Sequence[str] | None, step: float | None) -> Collected:
        """Answers by metric as samples, and what is to be said about them."""
        wanted = None if services is None else set(services)
        answers = {metric: answer for metric, answer in found.items() if isinstance(answer, Answers)}
        failed = {metric: answer for metric, answer in found.items() if isinstance(answer, SourceError)}
        if failed and not answers:
            raise min(failed.values(), key=lambda error: not isinstance(error, _SILENCE))
        samples, strange = wide_frame(
            {metric: arranged(metric, answer.series, plan) for metric, answer in answers.items()},
            step,
            lambda name: self.watches(name) and (wanted is None or name in wanted),
        )
        failures = [Failure(metric, str(error)) for metric, error in failed.items()]
        failures += [failure for answer in answers.values() for failure in answer.failures]
        warnings = [f"{metric}: {text}" for metric, answer in answers.items() for text in answer.warnings]
        remarks = self._remarks(samples, services)
        queries = sum(answer.queries for answer in answers.values()) + len(failed)
        return Collected(samples, tuple(failures), (*warnings, *strange, *remarks), queries)

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


def _pattern(patterns: Sequence[str]) -> re.Pattern[str]:
    """Matches a whole name that fits one of the shell patterns; without any, none."""
    return re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns) or "(?!)")
