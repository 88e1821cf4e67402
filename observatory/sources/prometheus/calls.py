"""Who calls whom, by metrics that name both ends of a call.

Meshes and traces name services in their own way; what they name is looked up among the services that other metrics
have. An end that is none of them (a user, a database, a host outside) is left out: it has no health to compare.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from observatory.sources.prometheus.answers import Series
from observatory.sources.prometheus.inventory import APPLICATIONS, CLUSTERS, JOBS, NAMESPACES, Inventory
from observatory.sources.prometheus.selectors import label, match, quoted, select

Labels = Mapping[str, str]
OF = "observatory_calls"
"""A label that says by which metric a call is known."""
WORKLOADS = ("deployment", "statefulset", "daemonset")
SPANS = ("traces_span_metrics_", "traces_spanmetrics_", "span_metrics_", "")
_HOST, _PORT = re.compile(r"([^./]+)\.([^./]+)\.svc(?:\..*)?"), re.compile(r":[0-9]+$")
_ISTIO_CLUSTER = re.compile(r"outbound\|[0-9]*\|[^|]*\|([^.]+)\.([^.]+)\.svc\..*")
_CONSUL_CLUSTER = re.compile(r"([^.]+)\.([^.]+)\.[^.]+\.internal\..*")


@dataclass(frozen=True, slots=True)
class CallMetric:
    """A metric with a series for each pair of services of which one calls the other.

    Parameters
    ----------
    name
        The metric.
    labels
        Labels that name the ends.
    ends
        What the caller and the callee may be called, the likeliest first, by the labels of a series.
    matchers
        Which of its series are of calls.
    """

    name: str
    labels: tuple[str, ...]
    ends: Callable[[Labels], tuple[list[str], list[str]]]
    matchers: tuple[str, ...] = ()

    @property
    def query(self) -> str:
        """A series for each pair, with the label `OF`."""
        by = ", ".join(map(label, dict.fromkeys([*CLUSTERS, *self.labels])))
        pairs = f"group by ({by}) ({select(self.name, *self.matchers)})"
        return f'label_replace({pairs}, "{OF}", {quoted(self.name)}, "", "")'


def _within(namespace: str, *names: str) -> list[str]:
    """Names as they are called in a namespace, and without it; of an address it is the service in a cluster's DNS."""
    found: list[str] = []
    for name in names:
        host = _PORT.sub("", name)
        there = _HOST.fullmatch(host)
        of, space = (there[1], there[2]) if there else (host, namespace)
        if of and of != "unknown":
            found += [f"{space}/{of}", of] if space else [of]
    return sorted(found, key=lambda name: "/" not in name)


def _first(labels: Labels, names: Sequence[str]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")


def _service_graph(labels: Labels) -> tuple[list[str], list[str]]:
    def end(side: str) -> list[str]:
        spaces = [f"{side}_{name}" for name in ("service_namespace", "k8s_namespace_name", "namespace")]
        return _within(_first(labels, spaces), labels.get(side, ""))

    return end("client"), end("server")


def _istio(labels: Labels) -> tuple[list[str], list[str]]:
    caller = [labels.get(name, "") for name in ("source_canonical_service", "source_app", "source_workload")]
    callee = labels.get("destination_service_name", "")
    return (
        _within(labels.get("source_workload_namespace", ""), *caller),
        _within(labels.get("destination_service_namespace", ""), callee),
    )


def _linkerd(labels: Labels) -> tuple[list[str], list[str]]:
    callee = [_first(labels, [f"dst_{name}" for name in WORKLOADS]), labels.get("dst_service", "")]
    return (
        _within(labels.get("namespace", ""), _first(labels, WORKLOADS)),
        _within(labels.get("dst_namespace", ""), *callee),
    )


def _envoy(labels: Labels) -> tuple[list[str], list[str]]:
    caller = [labels.get(name, "") for name in ("local_cluster", *APPLICATIONS, *reversed(JOBS))]
    space, cluster = _first(labels, NAMESPACES), labels.get("envoy_cluster_name", "")
    if found := _ISTIO_CLUSTER.fullmatch(cluster) or _CONSUL_CLUSTER.fullmatch(cluster):
        return _within(space, *caller), [*_within(found[2], found[1]), cluster]
    return _within(space, *caller), _within(space, cluster)


def _spans(labels: Labels) -> tuple[list[str], list[str]]:
    space = _first(labels, ("service_namespace", "k8s_namespace_name"))
    return (
        _within(space, _first(labels, ("service_name", "service"))),
        _within(space, _first(labels, ("peer_service", "server_address", "net_peer_name"))),
    )


_GRAPH_LABELS = tuple(
    f"{side}{name}"
    for side in ("client", "server")
    for name in ("", "_service_namespace", "_k8s_namespace_name", "_namespace")
)
CALL_METRICS = (
    CallMetric(
        "traces_service_graph_request_total",
        _GRAPH_LABELS,
        _service_graph,
        (match("connection_type", "!~", "database|virtual_node"),),
    ),
    CallMetric(
        "istio_requests_total",
        (
            "source_workload_namespace",
            "source_canonical_service",
            "source_app",
            "source_workload",
            "destination_service_namespace",
            "destination_service_name",
        ),
        _istio,
        (match("source_workload", "!=", "unknown"),),
    ),
    CallMetric(
        "response_total",
        (
            "namespace",
            *WORKLOADS,
            "dst_namespace",
            *(f"dst_{name}" for name in WORKLOADS),
            "dst_service",
        ),
        _linkerd,
        (match("direction", "=", "outbound"),),
    ),
    CallMetric(
        "envoy_cluster_upstream_rq_total",
        ("local_cluster", *NAMESPACES, *APPLICATIONS, *JOBS, "envoy_cluster_name"),
        _envoy,
        (match("envoy_cluster_name", "!=", "local_app"),),
    ),
    *(
        CallMetric(
            f"{prefix}calls_total",
            (
                "service_namespace",
                "k8s_namespace_name",
                "service_name",
                "service",
                "peer_service",
                "server_address",
                "net_peer_name",
            ),
            _spans,
            (match("span_kind", "=~", "SPAN_KIND_(?:CLIENT|PRODUCER)"),),
        )
        for prefix in SPANS
    ),
)
"""Service graphs of Tempo and of the collector, meshes, proxies, and spans that name their peer."""


def read_calls(inventory: Inventory, services: Collection[str], at: datetime) -> list[tuple[str, str]]:
    """Calls between known services at a time as ``(caller, callee)``, sorted; one query for all.

    Raises
    ------
    SourceError
        The server cannot be reached, or refuses the query.
    """
    there = [one for one in CALL_METRICS if inventory.names is not None and one.name in inventory.names]
    if not there or not services:
        return []
    by_name = {one.name: one for one in there}
    known = KnownServices(services)
    found: set[tuple[str, str]] = set()
    for series in inventory.client.instant(" or ".join(one.query for one in there), at).series:
        found.update(_calls(by_name[series.labels[OF]], series, known))
    return sorted(found)


def _calls(metric: CallMetric, series: Series, known: KnownServices) -> Iterator[tuple[str, str]]:
    labels = series.labels
    cluster = _first(labels, CLUSTERS)
    caller, callee = (known.find(names, cluster) for names in metric.ends(labels))
    if caller and callee and caller != callee:
        yield caller, callee


class KnownServices:
    """Services by what another metric may call them."""

    def __init__(self, services: Collection[str]) -> None:
        self._names = frozenset(services)
        ends: dict[tuple[str, str], set[str]] = defaultdict(set)
        for name in services:
            parts = name.split("/")
            for number in range(1, len(parts)):
                end = "/".join(parts[number:])
                ends["", end].add(name)
                ends[parts[0], end].add(name)
        self._by_end = {end: next(iter(names)) for end, names in ends.items() if len(names) == 1}

    def find(self, names: Sequence[str], cluster: str = "") -> str | None:
        """The service that goes by the first of `names` that is known; None where it is not clear which that is.

        A name is one of a service, or its end: payments is shop/payments where there is no other payments, or no other
        in that cluster.
        """
        for name in (*(f"{cluster}/{name}" for name in names if cluster), *names):
            if name in self._names:
                return name
        fronts = (cluster, "") if cluster else ("",)
        wanted = [(front, name) for name in names for front in fronts]
        return next((self._by_end[one] for one in wanted if one in self._by_end), None)
