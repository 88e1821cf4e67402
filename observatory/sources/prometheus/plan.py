"""What is asked of a server: the queries of every family that it has, by metric."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from observatory.catalog import METRICS, Metric
from observatory.model import SERVICE
from observatory.sources.prometheus.compiling import Dialect, Window, Windows, compiled, filled
from observatory.sources.prometheus.distinctions import Distinctions
from observatory.sources.prometheus.inventory import JOBS, NAMESPACES, Inventory
from observatory.sources.prometheus.naming import InsteadOfJob, Naming, Part, Renames
from observatory.sources.prometheus.presets.preset import Family, Preset
from observatory.sources.prometheus.presets.templates import QUANTILES
from observatory.sources.prometheus.selectors import quoted
from observatory.sources.prometheus.syntax import said_once

_NAMES = re.compile(r'"((?:\\.|[^"\\])*)"|[a-zA-Z_:][a-zA-Z0-9_:]*')
NOTHING_TOLD = Distinctions()
FAMILY = "observatory_family"
"""A label that says of which family a series of an answer is."""
SCRAPES = 4
"""A rate needs so many scrapes in its window."""
LONG = 300.0
"""A window for what is too rare for a shorter one [s]."""
TELLING = ("request_rate", "pod_count")
"""Metrics that every service of a family has which has them at all."""
FEW_REQUESTS = 20
"""A ratio or quantile of fewer is taken over the long window."""
MOST_JOBS = 200
"""More jobs of another pace than these are asked for with the longest window of all."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A family as it is asked for: of which preset, how its services are named, the queries by metric."""

    key: str
    preset: Preset
    family: Family
    naming: Naming
    queries: Mapping[str, str]

    @property
    def label(self) -> str:
        return f"{self.preset.name}: {self.family.name}" if self.family.name else self.preset.name


@dataclass(slots=True)
class Plan:
    """Everything that is asked of a server, and how its answers are read.

    `parts` has the query by metric and family. `bounds` has by family and service the upper ends [s] of the buckets
    that its quantiles are made of.
    """

    asked: tuple[Asked, ...]
    dialect: Dialect
    told: Distinctions = NOTHING_TOLD
    bounds: dict[str, dict[str, tuple[float, ...]]] = field(default_factory=dict)

    @property
    def parts(self) -> dict[str, dict[str, str]]:
        """By metric and family a query for all services."""
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for metric in self.metrics:
            for one in self.asked:
                if metric in one.queries:
                    found[metric][one.key] = one.queries[metric]
        return dict(found)

    @property
    def probes(self) -> dict[str, str]:
        """By family a query with a series for every service of it."""
        found = {}
        for one in self.asked:
            if one.preset.probe:
                found[one.key] = compiled(f"count by ($by) ({one.preset.probe})", one.naming, self.dialect)
            else:
                telling = [one.queries[metric] for metric in TELLING if metric in one.queries and one.family.name]
                found[one.key] = f"count by ({SERVICE}) ({' or '.join(telling[:1] or one.queries.values())})"
        return found

    @property
    def metrics(self) -> list[str]:
        """Metrics that some family has, in the order of the catalogue."""
        return list(dict.fromkeys(metric for one in self.asked for metric in one.queries))

    def of(self, key: str) -> Asked:
        """The family of a key of `parts`."""
        return next(one for one in self.asked if one.key == key)

    def rank(self, metric: str) -> list[str]:
        """Families of a metric, the one in front that is believed where several know a service."""
        known = [one for one in self.asked if metric in one.queries]
        if metric in ("request_rate", "error_rate"):
            known.sort(key=lambda one: not (one.family.tells_errors or one.preset.is_own))
        return [one.key for one in known]


def make_plan(
    inventory: Inventory,
    presets: Sequence[Preset],
    *,
    catalog: Mapping[str, Metric] = METRICS,
    window: float | None = None,
    interval: float = 60.0,
    clusters: bool = True,
    renames: Renames = (),
    told: Distinctions = NOTHING_TOLD,
) -> Plan:
    """What to ask a server that has this.

    Parameters
    ----------
    inventory
        What the server has.
    presets
        In order of priority.
    catalog
        The metrics to ask for.
    window
        Rate window of all jobs [s]; None: by the pace of each.
    interval
        How often samples are taken [s]: a rate covers at least that.
    clusters
        Whether the cluster is a part of a name where there are several.
    renames
        Applied to every name at the end.
    told
        What told services apart before.
    """
    told = told.with_more(tuple(inventory.clusters), inventory.catch_alls)
    found = [(preset, _families(preset, inventory, catalog)) for preset in presets]
    windows = Windows(Window(window)) if window else windows_of(inventory.intervals, interval)
    dialect = Dialect(windows, inventory.replicas, inventory.is_victoria, inventory.names_histograms)
    asked = []
    for preset, families in found:
        for number, family in enumerate(families):
            naming = naming_of(preset, family, inventory, told, clusters)
            naming = replace(naming, renames=(*naming.renames, *renames))
            spoken = replace(dialect, windows=_windows_of_family(family, windows, inventory))
            queries = {
                metric: _query(template, family, metric, catalog, naming, spoken)
                for metric, template in family.queries.items()
                if metric in catalog
            }
            if queries:
                asked.append(Asked(f"{preset.name}.{number}", preset, family, naming, queries))
    return Plan(tuple(asked), dialect, told)


def _families(preset: Preset, inventory: Inventory, catalog: Mapping[str, Metric]) -> list[Family]:
    """What the settings say, what rows of the catalogue say, and what the server has."""
    catalogued = {
        metric.name: metric.queries[preset.name] for metric in catalog.values() if preset.name in metric.queries
    }
    found = preset.find(inventory)
    own = {**catalogued, **preset.queries}
    if not own:
        return found
    rest = [replace(one, queries={k: v for k, v in one.queries.items() if k not in own}) for one in found]
    return [Family("", own, renames=found[0].renames if found else ()), *rest]


def naming_of(
    preset: Preset, family: Family, inventory: Inventory, told: Distinctions, clusters: bool = True
) -> Naming:
    """How the services of a family are named, by the labels that its series have."""
    if preset.has_own_labels:
        return Naming(tuple(Part((name,)) for name in preset.labels), len(preset.labels) > 1, (), preset.rename)
    there = inventory.labels(family.name) if family.name else frozenset()
    front = tuple(name for name in told.clusters if name in there and name not in preset.labels) if clusters else ()
    is_job = "job" in preset.labels
    parts = tuple(_part(name, there, told, is_job) for name in preset.labels)
    needs_all = len(parts) > 1 and "namespace" not in preset.labels and not preset.rename
    return Naming(parts, needs_all, front[:1], (*family.renames, *preset.rename))


def _part(name: str, there: frozenset[str], told: Distinctions, is_job: bool) -> Part:
    if "|" in name:
        return Part(tuple(name.split("|")))
    if not there:
        return Part((name,))
    if name == "namespace":
        return Part(tuple(one for one in NAMESPACES if one in there) or ("namespace",))
    if name == "job":
        by_label: dict[str, list[str]] = defaultdict(list)
        for job, label in told.jobs.items():
            if label in there:
                by_label[label].append(job)
        instead = tuple(InsteadOfJob(label, tuple(sorted(jobs))) for label, jobs in sorted(by_label.items()))
        return Part(tuple(one for one in JOBS if one in there) or ("job",), instead)
    if f"exported_{name}" in there and not is_job:
        return Part((name, f"exported_{name}"))
    if name == "service_name" and name not in there:
        return Part(tuple(one for one in ("service", "exported_service") if one in there) or (name,))
    return Part((name,))


def windows_of(intervals: Mapping[str, float], least: float) -> Windows:
    """The rate window of each job: four scrapes, and at least how often samples are taken."""
    jobs: dict[float, list[str]] = defaultdict(list)
    for job, interval in intervals.items():
        jobs[_seconds(interval, least)].append(job)
    if not jobs:
        return Windows(Window(LONG))
    windows = {seconds: Window(seconds, max(intervals[job] for job in names)) for seconds, names in jobs.items()}
    usual = max(jobs, key=lambda seconds: (len(jobs[seconds]), seconds))
    others = {windows[seconds]: tuple(sorted(names)) for seconds, names in jobs.items() if seconds != usual}
    if sum(map(len, others.values())) > MOST_JOBS:
        return Windows(max(windows.values()))
    return Windows(windows[usual], tuple(sorted(others.items())))


def _windows_of_family(family: Family, windows: Windows, inventory: Inventory) -> Windows:
    """The windows of the jobs that have what a family asks for: each more makes queries longer. All if not known."""
    text = " ".join(family.queries.values())
    if not windows.others or inventory.names is None or "__name__" in text:
        return windows
    names = inventory.names.intersection(found[1] or found[0] for found in _NAMES.finditer(text))
    jobs = inventory.jobs(sorted(names)) if names else frozenset()
    return windows.only(jobs) if jobs else windows


def _seconds(interval: float, least: float) -> float:
    """In steps of a quarter of a minute, so that a scrape more or less changes no window."""
    needed = max(SCRAPES * interval, least)
    return needed if needed < 15 else math.ceil(needed / 15 - 0.2) * 15.0


def _query(
    template: str, family: Family, metric: str, catalog: Mapping[str, Metric], naming: Naming, dialect: Dialect
) -> str:
    """The query of a metric; what a few requests cannot tell is taken over a longer window."""
    query, windows = compiled(template, naming, dialect), dialect.windows
    requests, least = family.queries.get("request_rate", ""), windows.shortest.seconds
    if not catalog[metric].needs_traffic or not requests or least >= LONG:
        return query
    longer = compiled(template, naming, replace(dialect, windows=windows.at_least(LONG)))
    enough = f"({compiled(requests, naming, dialect)}) * {least:g} >= {FEW_REQUESTS}"
    query = f"(({query}) and on ({SERVICE}) ({enough})) or ({longer})"
    return said_once(query) if dialect.is_victoria else query


def marked(query: str, key: str) -> str:
    """`query` with the family that its series are of as a label."""
    return f'label_replace({query}, "{FAMILY}", {quoted(key)}, "", "")'


def batches(queries: Mapping[str, str], longest: int) -> Iterator[list[str]]:
    """Keys whose queries fit into one, joined."""
    batch: list[str] = []
    length = 0
    for key, query in queries.items():
        if batch and length + len(query) > longest:
            yield batch
            batch, length = [], 0
        batch.append(key)
        length += len(query) + len(" or ")
    if batch:
        yield batch


def read_bounds(inventory: Inventory, plan: Plan) -> None:
    """Ask which buckets each service has: one query a histogram."""
    for one in plan.asked:
        if not one.family.buckets or not set(one.queries) & set(QUANTILES):
            continue
        raw = f"group by (le, $by) ({one.family.buckets})"
        found: dict[str, set[float]] = defaultdict(set)
        for series in inventory.client.instant(compiled(raw, one.naming, plan.dialect), inventory.at).series:
            end = float(series.labels.get("le", "nan").replace("Inf", "inf"))
            if math.isfinite(end):
                found[series.labels.get(SERVICE, "")].add(end / one.family.unit)
        plan.bounds[one.key] = {name: tuple(sorted(ends)) for name, ends in found.items()}


def as_written(asked: Asked, metric: str, window: float) -> str | None:
    """A query of the settings just as the user wrote it; None where it is none of theirs."""
    written = asked.preset.queries.get(metric)
    return None if written is None or asked.family.name else filled(written, asked.naming, window)
