"""What is asked of a server: the queries of every family that it has, by metric."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from observatory.catalog import METRICS, Metric
from observatory.model import SERVICE
from observatory.sources.prometheus.compiling import Dialect, Window, Windows, compiled, filled
from observatory.sources.prometheus.distinctions import Distinctions
from observatory.sources.prometheus.inventory import JOBS, NAMESPACES, Inventory
from observatory.sources.prometheus.naming import InsteadOfJob, Naming, Part, Renames
from observatory.sources.prometheus.presets.preset import Family, Preset
from observatory.sources.prometheus.presets.templates import QUANTILES, RATIOS
from observatory.sources.prometheus.selectors import quoted
from observatory.sources.prometheus.syntax import closing, said_once

_NAMES = re.compile(r'"((?:\\.|[^"\\])*)"|[a-zA-Z_:][a-zA-Z0-9_:]*')
NOTHING_TOLD = Distinctions()
_QUANTILE = re.compile(r"histogram_quantile\(\s*([0-9.]+)\s*,(.+)\)\s*(?:/\s*([0-9.e+]+)\s*)?", re.DOTALL)
_BY_BUCKET = re.compile(r"\s*\w+\s+by\s*\([^()]*\ble\b[^()]*\)", re.IGNORECASE)
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
BUCKETS = "latency buckets"
"""Stands among metrics for the buckets that several quantiles are made of."""
MOST_JOBS = 200
"""More jobs of another pace than these are asked for with the longest window of all."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """Buckets that quantiles of a family are made of: asked once, they cost the server as much as one of these.

    `quantiles` are by metric, `unit` is how many of the histogram's units are a second.
    """

    quantiles: Mapping[str, float]
    unit: float
    query: str
    longer: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A family as it is asked for: of which preset, how its services are named, the queries by metric.

    `longer` has those over the long window of metrics that a few requests cannot tell; `shortest` [s] is the shortest
    window of the others.
    """

    key: str
    preset: Preset
    family: Family
    naming: Naming
    queries: Mapping[str, str]
    longer: Mapping[str, str] = field(default_factory=dict)
    shortest: float = LONG
    buckets: Buckets | None = None

    @property
    def label(self) -> str:
        return f"{self.preset.name}: {self.family.name}" if self.family.name else self.preset.name

    def over_time(self, metric: str) -> str:
        """The query for many times at once: at each it takes the window that tells enough."""
        if metric not in self.longer:
            return self.queries[metric]
        enough = f"({self.queries['request_rate']}) * {self.shortest:g} >= {FEW_REQUESTS}"
        return f"(({self.queries[metric]}) and on ({SERVICE}) ({enough})) or ({self.longer[metric]})"

    def now(self, longer: bool = False) -> dict[str, str]:
        """Queries for one time by metric, or by `BUCKETS`; those over the long window where `longer`."""
        queries = dict(self.longer if longer else self.queries)
        if self.buckets and self.buckets.quantiles.keys() <= queries.keys():
            for metric in self.buckets.quantiles:
                del queries[metric]
            queries[BUCKETS] = self.buckets.longer if longer else self.buckets.query
        return queries


@dataclass
class Plan:
    """Everything that is asked of a server, and how its answers are read.

    `bounds` has by family and service the upper ends [s] of the buckets that its quantiles are made of.
    """

    asked: tuple[Asked, ...]
    dialect: Dialect
    told: Distinctions = NOTHING_TOLD
    bounds: dict[str, dict[str, tuple[float, ...]]] = field(default_factory=dict)

    @cached_property
    def over_time(self) -> dict[str, dict[str, str]]:
        """By metric and family a query for all services and many times."""
        said = said_once if self.dialect.is_victoria else str
        return {
            metric: {one.key: said(one.over_time(metric)) for one in self.asked if metric in one.queries}
            for metric in self.metrics
        }

    @cached_property
    def now(self) -> dict[str, dict[str, str]]:
        """By metric, or `BUCKETS`, and family a query for all services at one time."""
        return _by_metric({one.key: one.now() for one in self.asked})

    def longer(self, keys: Collection[str]) -> dict[str, dict[str, str]]:
        """The same over the long window, of some families and the metrics that need it."""
        return _by_metric({one.key: one.now(longer=True) for one in self.asked if one.key in keys})

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
            if one := _asked(f"{preset.name}.{number}", preset, family, naming, spoken, catalog):
                asked.append(one)
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


def _asked(
    key: str, preset: Preset, family: Family, naming: Naming, dialect: Dialect, catalog: Mapping[str, Metric]
) -> Asked | None:
    """A family as it is asked for; None where nothing of it is in the catalogue."""
    templates = {metric: template for metric, template in family.queries.items() if metric in catalog}
    if not templates:
        return None
    windows, is_stock = dialect.windows, bool(family.name)
    later = replace(dialect, windows=windows.at_least(LONG))

    def query(metric: str, template: str, spoken: Dialect) -> str:
        return compiled(template, naming, replace(spoken, in_ratios=is_stock and metric in RATIOS))

    is_short = "request_rate" in templates and windows.shortest.seconds < LONG
    gated = [metric for metric in templates if is_short and catalog[metric].needs_traffic]
    found = _shared_buckets(templates)
    return Asked(
        key,
        preset,
        family,
        naming,
        queries={metric: query(metric, template, dialect) for metric, template in templates.items()},
        longer={metric: query(metric, templates[metric], later) for metric in gated},
        shortest=windows.shortest.seconds,
        buckets=found
        and replace(
            found,
            query=query(next(iter(found.quantiles)), found.query, dialect),
            longer=query(next(iter(found.quantiles)), found.query, later),
        ),
    )


def _shared_buckets(templates: Mapping[str, str]) -> Buckets | None:
    """What the templates of quantiles say alike: of a histogram by ``le``, in one unit. None where they do not."""
    quantiles, alike = {}, set()
    for metric in QUANTILES:
        found = _QUANTILE.fullmatch(templates.get(metric, "").strip())
        if found and closing(found[0], found[0].index("(")) == found.end(2) and _BY_BUCKET.match(found[2]):
            quantiles[metric] = float(found[1])
            alike.add((found[2].strip(), float(found[3] or 1)))
    if len(alike) != 1 or len(quantiles) < 2:
        return None
    query, unit = alike.pop()
    return Buckets(quantiles, unit, query, query)


def _by_metric(queries: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """By metric and family what is by family and metric."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for key, mine in queries.items():
        for metric, query in mine.items():
            found[metric][key] = query
    return dict(found)


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
