"""What a server has: names of metrics, their labels, the pace of each job, and what tells services apart.

It is asked for every few minutes, from the server's index where it can be, so that a cycle asks only for what is there.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from observatory.errors import MalformedAnswerError, QueryRefusedError, SourceRefusedError
from observatory.sources.prometheus.about import PROMETHEUS, VICTORIAMETRICS, Build
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.selectors import label, select

REACH = timedelta(minutes=10)
"""What had no sample for so long is not there."""
PACE = 300.0
"""Scrapes are counted over so long [s]."""
FAST, ENOUGH_LATELY = 60.0, 3
"""What is scraped fast is known after so long [s], by so many scrapes."""
REPLICAS = (
    "prometheus_replica",
    "__replica__",
    "replica",
    "_replica",
    "receive_replica",
    "thanos_replica",
    "ha_replica",
)
"""Labels that servers of a pair put on the same series."""
CLUSTERS = ("cluster", "k8s_cluster_name", "cluster_name")
"""Labels that tell clusters apart."""
APPLICATIONS = ("app_kubernetes_io_name", "app", "k8s_app", "application", "service")
"""Labels of targets that may say more than a job which scrapes many services."""
NAMESPACES = ("kubernetes_namespace", "namespace", "exported_namespace")
JOBS = ("job", "exported_job", "exported_service")


@dataclass(frozen=True, slots=True)
class Target:
    """Targets that are alike in these labels, how many there are, and the pace they are scraped at [s]."""

    labels: Mapping[str, str]
    count: int
    interval: float


@dataclass
class Inventory:
    """What a server has at a time; see `read_inventory`.

    `names` is None where the server has no index of names: everything may be there then.
    """

    client: PrometheusClient
    start: datetime
    at: datetime
    build: Build
    names: frozenset[str] | None
    targets: tuple[Target, ...] = ()
    _labels: dict[str, frozenset[str]] = field(default_factory=dict)
    _native: list[str] = field(default_factory=list)
    _values: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_victoria(self) -> bool:
        return self.build.name == VICTORIAMETRICS

    def has(self, name: str) -> bool:
        """Whether there may be series of that name."""
        return self.names is None or name in self.names

    def labels(self, name: str) -> frozenset[str]:
        """Labels of a metric; empty where they cannot be told."""
        if name not in self._labels:
            self._labels[name] = frozenset(self._index(lambda: self.client.label_names([select(name)], *self.reach)))
        return self._labels[name]

    def values(self, name: str, of: str) -> tuple[str, ...]:
        """Values of a label in a metric's series; empty where they cannot be told."""
        if (name, of) not in self._values:
            self._values[name, of] = tuple(
                self._index(lambda: self.client.label_values(of, [select(name)], *self.reach))
            )
        return self._values[name, of]

    def jobs(self, names: Sequence[str]) -> frozenset[str]:
        """Jobs that have series of one of these names; empty where they cannot be told."""
        selectors = [select(name) for name in names]
        return frozenset(self._index(lambda: self.client.label_values("job", selectors, *self.reach)))

    def is_native(self, name: str) -> bool:
        """Whether there are native histograms of that name now."""
        is_native = self._has(f"count(histogram_count({select(name)}))")
        if is_native:
            self._native.append(name)
        return is_native

    def _has(self, query: str) -> bool:
        try:
            return bool(self.client.instant(query, self.at).series)
        except QueryRefusedError:
            return False

    @cached_property
    def names_histograms(self) -> bool:
        """Whether native histograms survive that labels are made of others: an old Prometheus makes numbers of them."""
        if not self._native:
            return self.build.name != PROMETHEUS or _version(self.build.version) >= (3, 0)
        labelled = f'label_replace({select(self._native[0])}, "a", "b", "", "")'
        return self._has(f"count(histogram_count({labelled}))")

    def _index(self, ask: Callable[[], Sequence[str]]) -> Sequence[str]:
        if self.names is None:
            return ()
        try:
            return ask()
        except (SourceRefusedError, MalformedAnswerError):
            return ()

    @property
    def reach(self) -> tuple[datetime, datetime]:
        return self.start - REACH, self.at

    @cached_property
    def intervals(self) -> Mapping[str, float]:
        """By job, how far its scrapes are apart [s]; the slowest targets count."""
        slowest: dict[str, float] = {}
        for target in self.targets:
            job = target.labels.get("job", "")
            slowest[job] = max(slowest.get(job, 0.0), target.interval)
        return slowest

    @cached_property
    def replicas(self) -> tuple[str, ...]:
        """Labels in which series of one target differ and in nothing else."""
        return tuple(name for name in REPLICAS if name in self.labels("up") and self._is_replica(name))

    def _is_replica(self, name: str) -> bool:
        try:
            return bool(self.client.instant(f"count(count without ({label(name)}) (up) > 1)", self.at).series)
        except QueryRefusedError:
            return False

    @cached_property
    def clusters(self) -> Mapping[str, tuple[str, ...]]:
        """By label that tells clusters apart its values, where there are several."""
        found = {}
        for name in CLUSTERS:
            values = sorted({target.labels[name] for target in self.targets if name in target.labels})
            if len(values) > 1:
                found[name] = tuple(values)
        return found

    @cached_property
    def catch_alls(self) -> Mapping[str, str]:
        """Jobs that scrape many services, and the label that tells these apart."""
        apart: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        targets: Counter[str] = Counter()
        for target in self.targets:
            job = target.labels.get("job", "")
            targets[job] += target.count
            for name in APPLICATIONS:
                if value := target.labels.get(name):
                    apart[job][name][value] += target.count
        return {
            job: name
            for job, labels in apart.items()
            if (name := next((one for one in APPLICATIONS if len(labels.get(one, ())) > 1), ""))
            and sum(labels[name].values()) * 2 > targets[job]
        }


def read_inventory(client: PrometheusClient, start: datetime, end: datetime) -> Inventory:
    """What a server has from a time to another, which may be the same.

    Raises
    ------
    SourceError
        It cannot be reached, or refuses everything. What only has no index of names is taken to have everything.
    """
    build = client.build()
    try:
        names: frozenset[str] | None = frozenset(client.label_values("__name__", (), start - REACH, end))
    except (SourceRefusedError, MalformedAnswerError):
        names = None
    found = Inventory(client, start, end, build, names)
    found.targets = _targets(client, end) if found.has("up") else ()
    return found


def _targets(client: PrometheusClient, at: datetime) -> tuple[Target, ...]:
    by = ", ".join(map(label, dict.fromkeys([*CLUSTERS, *NAMESPACES, "job", *APPLICATIONS])))
    parts = {
        "pace": f"max by ({by}) (count_over_time(up[{PACE:.0f}s]))",
        "before": f"max by ({by}) (count_over_time(up[{PACE:.0f}s] offset {PACE:.0f}s))",
        "fast": f"max by ({by}) (count_over_time(up[{FAST:.0f}s]))",
        "count": f"count by ({by}) (up)",
    }
    query = " or ".join(f'label_replace({part}, "is", "{name}", "", "")' for name, part in parts.items())
    try:
        series = client.instant(query, at).series
    except QueryRefusedError:
        return ()
    found: dict[tuple[tuple[str, str], ...], dict[str, float]] = defaultdict(dict)
    for one in series:
        labels = dict(one.labels)
        kind = labels.pop("is", "count")
        found[tuple(sorted(labels.items()))][kind] = float(one.values[0])
    return tuple(
        Target(dict(labels), int(counts.get("count", 0)), _interval(counts, counts.get("fast", 0)))
        for labels, counts in found.items()
        if counts.get("pace")
    )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])


def _interval(counts: Mapping[str, float], lately: float) -> float:
    """How far scrapes are apart [s]; a target that is new, or whose samples come late, has few at first."""
    if lately >= ENOUGH_LATELY:
        return FAST / lately
    return PACE / max(counts["pace"], counts.get("before", 0))
