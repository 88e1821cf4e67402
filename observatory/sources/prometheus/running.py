"""What runs of each service by the metrics of a server: versions, images, ReplicaSets, start times.

Versions are those that a service tells of itself. An exporter or a proxy beside it has a version of its own, which
says nothing of the service, so a metric ``*_build_info`` counts by its name: where it is called as the service, or
plainly ``build_info``, or where it is the only one there and none of a well-known program.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from observatory.errors import MalformedAnswerError, SourceRefusedError
from observatory.model import Failure, Renames
from observatory.model.running import MarkKind, Seen, Sighting
from observatory.sources.prometheus.answers import Series
from observatory.sources.prometheus.finding import Find, Names, ServiceFinder, first_of, names_of_target
from observatory.sources.prometheus.inventory import APPLICATIONS, CLUSTERS, JOBS, NAMESPACES, Inventory
from observatory.sources.prometheus.presets import kubernetes
from observatory.sources.prometheus.selectors import any_of, label, match, quoted, select

STEP, MOST_POINTS = 30.0, 720
"""How exactly the time of a change is known [s]; of a range with more points than that less exactly."""
AT_LEAST_EVERY = 300.0
"""What goes on is told again after so long: only so it is known that something else stays away [s]."""
VERSIONS = ("version", "app_version", "appVersion", "Version")
REVISIONS = ("revision", "commit", "git_commit", "commit_hash", "sha", "vcs_revision", "git_sha")
"""Labels with a version, the best first; a commit where there is none."""
NO_VERSION = re.compile(r"|unknown|none|dev|devel|\(devel\)|n/a|undefined|null|<.*>", re.IGNORECASE)
TOLD_BY_TARGETS = ("app_version", "app_kubernetes_io_version")
"""Labels that targets, or all series of a service, may have."""
CARRIERS = ("up", "process_start_time_seconds")
"""Where these labels are looked for."""
INFOS = ("target_info", "traces_target_info")
OTEL = ("service_namespace", "service_name", "k8s_namespace_name")
EXPORTERS = re.compile(r".*_exporter_build_info")
PROGRAMS = re.compile(
    "agent|alertmanager|alloy|apiserver|argocd|beyla|blackbox|cadvisor|cilium|cloudflared|cloudsql_proxy|consul|coredns|"
    "cortex|dapr|dex|envoy|etcd|falco|fluentbit|fluentd|go|grafana|istio|java|jaeger|jvm|keda|kube|kube_rbac_proxy|"
    "kubernetes|linkerd|loki|memcached|mimir|mysqld|nginx|node|nodejs|oauth2_proxy|otel|otelcol|parca|php_fpm|postgres|"
    "process|prometheus|promhttp|promtail|proxy|pushgateway|pyroscope|python|redis|rust|sidecar|statsd|telegraf|tempo|"
    "thanos|traefik|vault|vector|victoria|vm|vmagent"
)
"""Programs and libraries that are found beside services."""
SIDECARS = re.compile(
    r"istio-proxy|istio-init|linkerd-.*|.*envoy.*|.*-?exporter|vault-agent.*|daprd|cloud-?sql-?proxy|fluent-?bit|fluentd|"
    r"promtail|filebeat|otc-container|otel-?collector|.*-sidecar|sidecar-.*|kube-rbac-proxy|config-reloader|oauth2-proxy|"
    r"consul-.*|datadog-.*"
)
"""Names of containers that are put beside that of a service."""
MARK = "observatory_mark"
"""A label that says what a series tells."""


def is_build_info(name: str) -> bool:
    """Whether a metric may tell the version of a service: not that of an exporter, or of the language."""
    return bool(
        (name == "build_info" or name.endswith("_build_info"))
        and not EXPORTERS.fullmatch(name)
        and name not in ("go_build_info", "proxy_build_info", "python_build_info", "promhttp_build_info")
    )


def speaks_for(name: str, service: str, others: Collection[str]) -> bool:
    """Whether the metric `name` tells the version of `service`, whose targets also have the metrics `others`.

    >>> speaks_for("cart_build_info", "shop/cart", ["promtail_build_info"])
    True
    >>> speaks_for("promtail_build_info", "shop/cart", []), speaks_for("promtail_build_info", "logs/promtail", [])
    (False, True)
    >>> speaks_for("acme_build_info", "shop/cart", []), speaks_for("acme_build_info", "shop/cart", ["cart_build_info"])
    (True, False)
    """
    program = name.removesuffix("build_info").strip("_")
    words = set(_words(service.rpartition("/")[2]))
    if program in ("", "app", "application", "service", "svc"):
        return True
    if PROGRAMS.fullmatch(program):
        return set(_words(program)) <= words
    if words & set(_words(program)):
        return True
    return not PROGRAMS.fullmatch(program.partition("_")[0]) and not [other for other in others if other != name]


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9]+", name.lower()) if len(word) > 1]


def read_running(
    inventory: Inventory, services: Collection[str], start: datetime, end: datetime, renames: Renames = ()
) -> Seen:
    """What was seen of known services from a time to another, whenever it changed; a refused query is a failure.

    One query for versions, and one for each of what kube-state-metrics has, whatever the number of services.

    Raises
    ------
    SourceError
        The server cannot be reached.
    """
    if inventory.names is None or not services:
        return Seen()
    failures: list[Failure] = []
    step = STEP * max(1, math.ceil((end - start).total_seconds() / STEP / MOST_POINTS))
    find = ServiceFinder(services, renames).find

    def ask(what: str, query: str) -> Sequence[Series]:
        if not query:
            return ()
        try:
            return inventory.client.range(query, start, end, step).series
        except (SourceRefusedError, MalformedAnswerError) as error:
            failures.append(Failure(what, str(error)))
            return ()

    found = [
        *_versions(ask("versions", _version_query(inventory)), find),
        *_images(ask("images", _image_query(inventory)), find),
        *_revisions(ask("replicasets", _revision_query(inventory)), find),
        *_starts(ask("starts", _pod_start_query(inventory)), find, "pods", _workload),
        *_starts(ask("starts", _process_start_query(inventory)), find, "processes", names_of_target),
    ]
    found.sort(key=lambda one: (one.at, one.service_name, one.kind, one.mark))
    return Seen(found, failures)


# -- what is asked -------------------------------------------------------------------------------

_TARGET = (*CLUSTERS, *NAMESPACES, *APPLICATIONS, *JOBS)


def _grouped(name: str, labels: Sequence[str], of: str, *matchers: str) -> str:
    by = ", ".join(map(label, dict.fromkeys(labels)))
    return f'label_replace(group by ({by}) ({select(name, *matchers)}), "{MARK}", {quoted(of)}, "", "")'


def _version_query(inventory: Inventory) -> str:
    assert inventory.names is not None  # noqa: S101
    parts = [
        _grouped(name, (*_TARGET, *VERSIONS, *REVISIONS), name)
        for name in sorted(filter(is_build_info, inventory.names))
    ]
    parts += [
        _grouped(name, (*_TARGET, *OTEL, "service_version"), name, match("service_version", "!=", ""))
        for name in INFOS
        if inventory.has(name)
    ]
    for name in filter(inventory.has, CARRIERS):
        for one in TOLD_BY_TARGETS:
            if one in inventory.labels(name):
                parts.append(_grouped(name, (*_TARGET, one), one, match(one, "!=", "")))
                break
    return " or ".join(parts)


def _joined(inventory: Inventory, of: str, labels: Sequence[str], how: str = "group") -> str:
    """`of` each pod, by the workload that owns the pod."""
    by = kubernetes.cluster_labels(inventory)
    pods = f"max by ({by}namespace, pod{''.join(f', {one}' for one in labels)}) ({of})"
    owned = f"{pods} * on ({by}namespace, pod) group_left(service) {kubernetes.owners(inventory)}"
    return f"{how} by ({by}namespace, service{''.join(f', {one}' for one in labels)}) ({owned})"


def _image_query(inventory: Inventory) -> str:
    name = "kube_pod_container_info"
    if not (inventory.has(name) and inventory.has("kube_pod_owner")):
        return ""
    has_spec = "image_spec" in inventory.labels(name)
    return _joined(
        inventory, kubernetes.of_state(inventory, name), ("container", "image_spec" if has_spec else "image")
    )


def _revision_query(inventory: Inventory) -> str:
    if not inventory.has("kube_pod_owner"):
        return ""
    owned = kubernetes.of_state(inventory, "kube_pod_owner", 'owner_kind="ReplicaSet"')
    return _joined(inventory, owned, ("owner_name",))


def _pod_start_query(inventory: Inventory) -> str:
    """Of containers that run, but for those of jobs: these are started again and again."""
    name = "kube_pod_container_state_started"
    if not (inventory.has(name) and inventory.has("kube_pod_owner")):
        return ""
    by = kubernetes.cluster_labels(inventory)
    of_jobs = kubernetes.of_state(inventory, "kube_pod_owner", 'owner_kind="Job"')
    started = f"({kubernetes.of_state(inventory, name)} unless on ({by}namespace, pod) {of_jobs})"
    return _both_ends(lambda how: _joined(inventory, started, (), how))


def _process_start_query(inventory: Inventory) -> str:
    """Of processes that serve themselves; the start of an exporter is not that of what it watches."""
    name = "process_start_time_seconds"
    assert inventory.names is not None  # noqa: S101
    if not inventory.has(name):
        return ""
    exporters = sorted(filter(EXPORTERS.fullmatch, inventory.names))
    without = f" unless on (job, instance) {{__name__=~{quoted(any_of(exporters))}}}" if exporters else ""
    by = ", ".join(map(label, dict.fromkeys(_TARGET)))
    return _both_ends(lambda how: f"{how} by ({by}) ({select(name)}{without})")


def _both_ends(query: Callable[[str], str]) -> str:
    return " or ".join(f'label_replace({query(how)}, "{MARK}", "{how}", "", "")' for how in ("min", "max"))


# -- what is answered ----------------------------------------------------------------------------


def _workload(labels: Mapping[str, str]) -> Names:
    return labels.get("namespace", ""), [labels.get("service", "")]


def _version(labels: Mapping[str, str]) -> str:
    named = (*VERSIONS, "service_version", *TOLD_BY_TARGETS, *REVISIONS)
    return next((labels[name] for name in named if not NO_VERSION.fullmatch(labels.get(name, ""))), "")


def _versions(series: Iterable[Series], find: Find) -> Iterator[Sighting]:
    told: dict[str, dict[str, list[tuple[str, Series]]]] = defaultdict(lambda: defaultdict(list))
    for one in series:
        service, version = find(names_of_target(one.labels), one.labels), _version(one.labels)
        if service and version:
            told[service][one.labels[MARK]].append((version, one))
    for service, by_metric in told.items():
        infos = [name for name in by_metric if is_build_info(name)]
        for name, values in by_metric.items():
            if name not in infos or speaks_for(name, service, infos):
                yield from _sightings(service, MarkKind.VERSION, name, values)


def _images(series: Iterable[Series], find: Find) -> Iterator[Sighting]:
    told: dict[tuple[str, str], list[tuple[str, Series]]] = defaultdict(list)
    for one in series:
        service, image = find(_workload(one.labels), one.labels), first_of(one.labels, ("image_spec", "image"))
        if service and image:
            told[service, one.labels.get("container", "")].append((image, one))
    for (service, container), values in told.items():
        kind = MarkKind.SIDECAR if SIDECARS.fullmatch(container) else MarkKind.IMAGE
        yield from _sightings(service, kind, container, values)


def _revisions(series: Iterable[Series], find: Find) -> Iterator[Sighting]:
    told: dict[str, list[tuple[str, Series]]] = defaultdict(list)
    for one in series:
        service = find(_workload(one.labels), one.labels)
        if service:
            told[service].append((one.labels.get("owner_name", ""), one))
    for service, values in told.items():
        yield from _sightings(service, MarkKind.REVISION, "", values)


def _sightings(service: str, kind: MarkKind, mark: str, values: Sequence[tuple[str, Series]]) -> Iterator[Sighting]:
    """The values at each time, where they are others than the time before, and now and then where they are not."""
    at: dict[float, set[str]] = defaultdict(set)
    for value, series in values:
        for time in series.times[np.isfinite(series.values)]:
            at[float(time)].add(value)
    before: set[str] = set()
    told = 0.0
    for time, there in sorted(at.items()):
        if there != before or time - told >= AT_LEAST_EVERY:
            yield Sighting(service, kind, mark, datetime.fromtimestamp(time, UTC), tuple(sorted(there)))
            told = time
        before = there


def _starts(
    series: Iterable[Series], find: Find, mark: str, names: Callable[[Mapping[str, str]], Names]
) -> Iterator[Sighting]:
    """The oldest and the newest start at each time, where they are others than the time before."""
    oldest: dict[str, dict[float, float]] = defaultdict(dict)
    newest: dict[str, dict[float, float]] = defaultdict(dict)
    for one in series:
        service = find(names(one.labels), one.labels)
        if service is None:
            continue
        best, ends = (min, oldest[service]) if one.labels[MARK] == "min" else (max, newest[service])
        for time, value in zip(one.times.tolist(), one.values.tolist(), strict=True):
            if not math.isnan(value):
                ends[time] = best(ends.get(time, value), value)
    for service, starts in oldest.items():
        before: tuple[str, ...] = ()
        for time in sorted(starts.keys() & newest[service].keys()):
            there = (f"{starts[time]:.0f}", f"{newest[service][time]:.0f}")
            if there != before:
                yield Sighting(service, MarkKind.STARTED, mark, datetime.fromtimestamp(time, UTC), there)
            before = there
