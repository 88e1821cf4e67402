"""Who calls whom, by metrics that name both ends of a call.

Meshes and traces name services in their own way; what they name is looked up among the services that other metrics
have. An end that is none of them is outside: a user, a database, a host, or a name that nobody knows. It has no health
and is no service, but it is worth a place in the picture.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from observatory.model import LONGEST_NAME, Call, End, KnownServices, is_usable_name
from observatory.sources.prometheus.inventory import APPLICATIONS, CLUSTERS, JOBS, NAMESPACES, Inventory
from observatory.sources.prometheus.presets.meshes import NOWHERE
from observatory.sources.prometheus.selectors import label, match, quoted, select

Labels = Mapping[str, str]
OF = "observatory_calls"
"""A label that says by which metric a call is known."""
WORKLOADS = ("deployment", "statefulset", "daemonset")
SPANS = ("traces_span_metrics_", "traces_spanmetrics_", "span_metrics_", "")
PASSTHROUGH = "PassthroughCluster"
ITS_OWN = NOWHERE + "|local_app|inbound[|].*|(?:xds|sds|ads|lds|cds|rds|eds)[-_].*|xds"
"""Clusters of a proxy that lead to its own application, to itself, or to what steers it."""
_NUMBERS = re.compile(r"[0-9.]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*|\[[0-9a-fA-F:]+\]")
"""An address that is no name."""
_HOST, _PORT = re.compile(r"([^./]+)\.([^./]+)\.svc(?:\..*)?"), re.compile(r":[0-9]+$")
_ISTIO_CLUSTER = re.compile(r"outbound\|[0-9]*\|[^|]*\|([^.]+)\.([^.]+)\.svc\..*")
_CONSUL_CLUSTER = re.compile(r"([^.]+)\.([^.]+)\.[^.]+\.internal\..*")


class Named(NamedTuple):
    """What one end of a call is called.

    Parameters
    ----------
    names
        Names it may have as a service, the likeliest first; none where it is no service for certain.
    outside
        What it is called where it is none, empty for nothing worth showing.
    is_a
        What it is then.
    """

    names: Sequence[str]
    outside: str = ""
    is_a: End = End.UNKNOWN


@dataclass(frozen=True, slots=True)
class CallMetric:
    """A metric with a series for each pair of services of which one calls the other.

    Parameters
    ----------
    name
        The metric.
    kind
        Where such metrics come from.
    labels
        Labels that name the ends.
    ends
        Caller and callee by the labels of a series.
    matchers
        Which of its series are of calls.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    ends: Callable[[Labels], tuple[Named, Named]]
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


def _peer(namespace: str, *names: str, sure: bool = True) -> Named:
    """An end by its names in a namespace; `sure`: whether the namespace is its own, not only that of the caller."""
    return Named(_within(namespace, *names), *_outside(_within(namespace if sure else "", *names)))


def _outside(names: Sequence[str]) -> tuple[str, End]:
    """What an end with these names is called that is no service, and what it is.

    An address of numbers is nobody: pods get another with every start.
    """
    name = next(iter(names), "")
    host = name.rpartition("/")[2]
    if _NUMBERS.fullmatch(host):
        return "", End.UNKNOWN
    return (host, End.EXTERNAL) if "." in host else (name, End.UNKNOWN)


def _first(labels: Labels, names: Sequence[str]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")


def _service_graph(labels: Labels) -> tuple[Named, Named]:
    def end(side: str) -> Named:
        spaces = [f"{side}_{name}" for name in ("service_namespace", "k8s_namespace_name", "namespace")]
        return _peer(_first(labels, spaces), labels.get(side, ""))

    caller, callee = end("client"), end("server")
    connection = labels.get("connection_type", "")
    if connection == "database":  # often called as the service that uses it
        return caller, Named((), labels.get("server", ""), End.DATABASE)
    if connection == "virtual_node":  # made up for the side that sent no span, after its peer or as "user"
        if labels.get("client") == "user":
            return Named((), "user", End.USER), callee
        return caller, Named((), *_outside(_within("", labels.get("server", ""))))
    return caller, callee


def _istio(labels: Labels) -> tuple[Named, Named]:
    caller = [labels.get(name, "") for name in ("source_canonical_service", "source_app", "source_workload")]
    callee = labels.get("destination_service_name", "")
    if callee == PASSTHROUGH:  # hosts that the mesh does not know by name
        return _peer(labels.get("source_workload_namespace", ""), *caller), Named((), callee, End.EXTERNAL)
    return (
        _peer(labels.get("source_workload_namespace", ""), *caller),
        _peer(labels.get("destination_service_namespace", ""), callee),
    )


def _linkerd(labels: Labels) -> tuple[Named, Named]:
    callee = [_first(labels, [f"dst_{one}" for one in WORKLOADS]), labels.get("dst_service", "")]
    return (
        _peer(labels.get("namespace", ""), _first(labels, WORKLOADS)),
        _peer(labels.get("dst_namespace", ""), *filter(None, callee)),
    )


def _envoy(labels: Labels) -> tuple[Named, Named]:
    caller = [labels.get(name, "") for name in ("local_cluster", *APPLICATIONS, *reversed(JOBS))]
    space, cluster = _first(labels, NAMESPACES), labels.get("envoy_cluster_name", "")
    mine = _peer(space, *filter(None, caller))
    if found := _ISTIO_CLUSTER.fullmatch(cluster) or _CONSUL_CLUSTER.fullmatch(cluster):
        there = f"{found[2]}/{found[1]}"
        return mine, Named([*_within(found[2], found[1]), cluster], there)
    return mine, Named(_within(space, cluster), *_outside(_within("", cluster.rpartition("|")[2])))


def _spans(labels: Labels) -> tuple[Named, Named]:
    space = _first(labels, ("service_namespace", "k8s_namespace_name"))
    caller = _peer(space, _first(labels, ("service_name", "service")))
    peer = _first(labels, ("peer_service", "server_address", "net_peer_name"))
    if system := _first(labels, ("db_system_name", "db_system")):
        named = [*_within(space, peer)]
        return caller, Named(named, _first(labels, ("db_namespace", "db_name")) or system, End.DATABASE)
    return caller, _peer(space, peer, sure=False)


_GRAPH_LABELS = tuple(
    f"{side}{name}"
    for side in ("client", "server")
    for name in ("", "_service_namespace", "_k8s_namespace_name", "_namespace")
)
CALL_METRICS = (
    CallMetric(
        "traces_service_graph_request_total",
        "service graph",
        (*_GRAPH_LABELS, "connection_type"),
        _service_graph,
    ),
    CallMetric(
        "istio_requests_total",
        "istio",
        (
            "source_workload_namespace",
            "source_canonical_service",
            "source_app",
            "source_workload",
            "destination_service_namespace",
            "destination_service_name",
        ),
        _istio,
        (match("source_workload", "!=", "unknown"), match("destination_service_name", "!=", "BlackHoleCluster")),
    ),
    CallMetric(
        "response_total",
        "linkerd",
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
        "envoy",
        ("local_cluster", *NAMESPACES, *APPLICATIONS, *JOBS, "envoy_cluster_name"),
        _envoy,
        (match("envoy_cluster_name", "!~", ITS_OWN),),
    ),
    *(
        CallMetric(
            f"{prefix}calls_total",
            "spans",
            (
                "service_namespace",
                "k8s_namespace_name",
                "service_name",
                "service",
                "peer_service",
                "server_address",
                "net_peer_name",
                "db_system",
                "db_system_name",
                "db_name",
                "db_namespace",
            ),
            _spans,
            (match("span_kind", "=~", "SPAN_KIND_(?:CLIENT|PRODUCER)"),),
        )
        for prefix in SPANS
    ),
)
"""Service graphs of Tempo and of the collector, meshes, proxies, and spans that name their peer."""


def read_calls(inventory: Inventory, services: Collection[str], at: datetime) -> list[Call]:
    """Calls with a known service at one end or both at a time, sorted; one query for all.

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
    found: set[Call] = set()
    for series in inventory.client.instant(" or ".join(one.query for one in there), at).series:
        call = _call(by_name[series.labels[OF]], series.labels, known)
        if call is not None:
            found.add(call)
    return sorted(found, key=lambda call: (call.caller, call.callee, call.kind, call.caller_is, call.callee_is))


def _call(metric: CallMetric, labels: Labels, known: KnownServices) -> Call | None:
    """The call of a series; None where no end is a service, or both are the same."""
    cluster = _first(labels, CLUSTERS)
    ends = [_end(named, known, cluster) for named in metric.ends(labels)]
    (caller, caller_is), (callee, callee_is) = ends
    if not caller or not callee or ends[0] == ends[1] or End.SERVICE not in (caller_is, callee_is):
        return None
    is_consul = metric.kind == "envoy" and _CONSUL_CLUSTER.fullmatch(labels.get("envoy_cluster_name", ""))
    return Call(caller, callee, "consul" if is_consul else metric.kind, caller_is=caller_is, callee_is=callee_is)


def _end(named: Named, known: KnownServices, cluster: str) -> tuple[str, End]:
    """What an end is called here, and what it is."""
    service = known.find(named.names, cluster) if named.names else None
    if service is not None:
        return service, End.SERVICE
    name = named.outside if is_usable_name(named.outside[:LONGEST_NAME]) else ""
    return name[:LONGEST_NAME], named.is_a
