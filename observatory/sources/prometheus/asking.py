"""A plan's queries put to a server: many families in one, a longer window for few requests, and what is refused."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from observatory.errors import QueryLimitError, QueryRefusedError, SourceError, UnsupportedQueryError
from observatory.model import MOST_NAMED, SERVICE, Failure
from observatory.sources.prometheus.answers import Answer, Series
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.plan import (
    BUCKETS,
    FAMILY,
    FEW_REQUESTS,
    LONG,
    Asked,
    Plan,
    as_written,
    batches,
    marked,
)
from observatory.sources.prometheus.quantiles import quantiles_of

FORGOTTEN_AFTER = 600.0
"""A preset's query that a server refused is asked again after so long [s]."""


@dataclass(slots=True)
class Answers:
    """Series of all families, what was said about them, and how many queries that took."""

    series: list[Series] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    partial: bool = False
    queries: int = 0

    def add(self, answer: Answer) -> None:
        self.series += answer.series
        self.warnings += answer.warnings
        self.partial |= answer.partial

    def joined(self, other: Answers) -> Answers:
        """Both together; what both say is said once."""
        return Answers(
            [*self.series, *other.series],
            list(dict.fromkeys([*self.warnings, *other.warnings])),
            list(dict.fromkeys([*self.failures, *other.failures])),
            self.partial or other.partial,
            self.queries + other.queries,
        )

    def without(self, metric: str, error: SourceError) -> Answers:
        """These, where others of the same metric failed."""
        return replace(self, failures=[*self.failures, Failure(metric, str(error))])


Found = dict[str, Answers | SourceError]
"""By metric its answers, or why there are none."""


class Asking:
    """What is asked of one server.

    Parameters
    ----------
    client
        Where to ask.
    window
        Rate window [s] that the settings say, if they do.
    """

    def __init__(self, client: PrometheusClient, window: float | None) -> None:
        self._client, self._window = client, window
        self._refused: dict[tuple[bool, str, str], tuple[float, str]] = {}

    def services(self, plan: Plan, at: datetime) -> Answers:
        """A series for every service of every family.

        Raises
        ------
        SourceError
            The server cannot be reached, or refused everything.
        """
        return self._answers("services", plan, plan.probes, lambda query: self._client.instant(query, at))

    def now(self, plan: Plan, at: datetime, services: Sequence[str] | None = None) -> Found:
        """All metrics at a time, each service over the window that tells enough.

        All are asked over the short window first. Who had few requests there is asked for again over the long one:
        that costs the server once more the work, so it is done where somebody needs it only.
        """

        def ask(names: Sequence[str] | None) -> Callable[[str], Answer]:
            return lambda query: self._client.instant(_only(query, names), at)

        found = self._every(plan, plan.now, ask(services))
        few = _few(plan, found)
        names = {name for known in few.values() for name in known if services is None or name in services}
        if names:
            for metric, longer in self._every(plan, plan.longer(few), ask(sorted(names))).items():
                found[metric] = _with_longer(metric, found[metric], longer, few)
        return _with_quantiles(plan, found)

    def over_time(
        self, plan: Plan, start: datetime, end: datetime, step: float, services: Sequence[str] | None = None
    ) -> Found:
        """All metrics every `step` seconds."""
        return self._every(
            plan,
            plan.over_time,
            lambda query: self._client.range(_only(query, services), start, end, step),
            live=False,
        )

    def explained(self, asked: Asked, metric: str, error: QueryRefusedError) -> QueryRefusedError:
        """What the server says about a query just as the user wrote it, instead of what was made of it."""
        if metric == BUCKETS and asked.buckets:
            metric = next(iter(asked.buckets.quantiles))
        written = as_written(asked, metric, self._window or LONG)
        if written is None or isinstance(error, QueryLimitError):
            return error
        try:
            self._client.instant(written, datetime.now(UTC))
        except QueryRefusedError as plain:
            return plain
        except SourceError:
            pass
        return error

    def _every(
        self,
        plan: Plan,
        queries: Mapping[str, Mapping[str, str]],
        ask: Callable[[str], Answer],
        *,
        live: bool = True,
    ) -> Found:
        """All metrics at once, as many as the client may ask."""

        def one(metric: str) -> Answers | SourceError:
            try:
                return self._answers(metric, plan, queries[metric], ask, live=live)
            except SourceError as error:
                return error

        with ThreadPoolExecutor(self._client.limits.concurrency, thread_name_prefix="asking") as pool:
            return dict(zip(queries, pool.map(one, queries), strict=True))

    def _answers(
        self, metric: str, plan: Plan, parts: Mapping[str, str], ask: Callable[[str], Answer], *, live: bool = True
    ) -> Answers:
        """As many families in one query as it may hold; where the server refuses it, family by family.

        What is refused is a failure. What the server does not understand is not asked again for a while. A query that
        is understood for one time may not be for a range, so `live` ones are remembered apart.
        """
        known = [key for key in parts if not self._is_refused(live, metric, key)] or list(parts)
        queries = {key: marked(parts[key], key) for key in known}
        found = Answers()

        def refusal(keys: Sequence[str]) -> QueryRefusedError | None:
            found.queries += 1
            try:
                found.add(ask(" or ".join(queries[key] for key in keys)))
            except QueryRefusedError as error:
                return error
            return None

        refused: dict[str, QueryRefusedError] = {}
        for batch in batches(queries, self._client.longest_query):
            if error := refusal(batch):
                alone = {batch[0]: error} if len(batch) == 1 else {key: refusal([key]) for key in batch}
                refused |= {key: self.explained(plan.of(key), metric, said) for key, said in alone.items() if said}
        for key, said in refused.items():
            if isinstance(said, UnsupportedQueryError):
                self._refused[live, metric, key] = time.monotonic() + FORGOTTEN_AFTER, str(said)
            else:
                found.failures.append(Failure(metric, f"preset {plan.of(key).label}: {said}"))
        if refused and not found.series:
            raise list(refused.values())[-1]
        if found.partial:
            found.failures.append(Failure(metric, "the answer is partial: run the backfill again"))
        for key in parts:
            if self._is_refused(live, metric, key):
                words = self._refused[live, metric, key][1]
                found.failures.append(Failure(metric, f"preset {plan.of(key).label}: {words}"))
        return found

    def _is_refused(self, live: bool, metric: str, key: str) -> bool:
        return time.monotonic() < self._refused.get((live, metric, key), (0.0, ""))[0]


def _few(plan: Plan, found: Found) -> dict[str, set[str]]:
    """By family the services that had too few requests in the short window to tell more than how many."""
    shortest = {one.key: one.shortest for one in plan.asked if one.longer}
    few: dict[str, set[str]] = defaultdict(set)
    rates = found.get("request_rate")
    for one in rates.series if isinstance(rates, Answers) else ():
        key = one.labels.get(FAMILY, "")
        if key in shortest and not one.values[0] * shortest[key] >= FEW_REQUESTS:
            few[key].add(one.labels.get(SERVICE, ""))
    return dict(few)


def _with_longer(
    metric: str, short: Answers | SourceError, longer: Answers | SourceError, few: Mapping[str, Collection[str]]
) -> Answers | SourceError:
    """Answers over the short window, and those over the long one of services that had few requests in it."""
    if isinstance(short, SourceError):
        return short

    def has_few(one: Series) -> bool:
        return one.labels.get(SERVICE, "") in few.get(one.labels.get(FAMILY, ""), ())

    found = replace(short, series=[one for one in short.series if not has_few(one)])
    if isinstance(longer, SourceError):
        return found.without(metric, longer)
    return found.joined(replace(longer, series=list(filter(has_few, longer.series))))


def _with_quantiles(plan: Plan, found: Found) -> Found:
    """Answers with quantiles in place of the buckets that they are made of."""
    if BUCKETS not in found:
        return found
    whole = {metric: answer for metric, answer in found.items() if metric != BUCKETS}
    buckets = found[BUCKETS]
    of_family: dict[str, list[Series]] = defaultdict(list)
    for one in buckets.series if isinstance(buckets, Answers) else ():
        of_family[one.labels.get(FAMILY, "")].append(one)
    made: dict[str, list[Series]] = {}
    for asked in plan.asked:
        if asked.buckets:
            mine = quantiles_of(of_family[asked.key], asked.buckets.quantiles, asked.buckets.unit)
            for metric, series in mine.items():
                made.setdefault(metric, []).extend(series)
    for number, (metric, series) in enumerate(made.items()):
        whole[metric] = _together(metric, whole.get(metric), buckets, series, counted=number == 0)
    return {metric: whole[metric] for metric in plan.metrics if metric in whole}


def _together(
    metric: str,
    asked: Answers | SourceError | None,
    buckets: Answers | SourceError,
    series: list[Series],
    *,
    counted: bool,
) -> Answers | SourceError:
    """Quantiles as they were asked for, of some families, and those made of buckets, of the others."""
    if isinstance(buckets, SourceError):
        return asked.without(metric, buckets) if isinstance(asked, Answers) else buckets
    failures = [replace(one, what=metric) for one in buckets.failures]
    made = replace(buckets, series=series, failures=failures, queries=buckets.queries if counted else 0)
    if asked is None:
        return made
    return made.without(metric, asked) if isinstance(asked, SourceError) else asked.joined(made)


def _only(query: str, services: Sequence[str] | None) -> str:
    """`query` for a few services, so that others do not travel; what it costs the server stays about the same."""
    if not services or len(services) > MOST_NAMED:
        return query
    named = (f'label_replace(vector(1), "{SERVICE}", {_text(name)}, "", "")' for name in services)
    return f"({query}) and on ({SERVICE}) ({' or '.join(named)})"


def _text(name: str) -> str:
    """A replacement in PromQL: a string whose escapes are those of JSON, and in it ``$$`` for a dollar sign."""
    return json.dumps(name.replace("$", "$$"), ensure_ascii=False)
