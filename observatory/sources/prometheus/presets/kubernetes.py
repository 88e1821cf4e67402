"""Kubernetes: workloads as namespace/name, from cAdvisor and kube-state-metrics."""

from __future__ import annotations

from observatory.sources.prometheus.inventory import Inventory
from observatory.sources.prometheus.presets.preset import Family, Preset
from observatory.sources.prometheus.selectors import any_of, label, quoted, select

_MOST_NODES = 500
_HASH = "[bcdfghjklmnpqrstvwxz2456789]{5,10}"
"""A hash that Kubernetes puts into a name: it has no vowels, so that it is no word."""
_DESIRED = {
    "deployment": "kube_deployment_spec_replicas",
    "statefulset": "kube_statefulset_replicas",
    "daemonset": "kube_daemonset_status_desired_number_scheduled",
}


def _replaced(query: str, target: str, value: str, source: str, pattern: str = "(.+)") -> str:
    return f'label_replace({query}, "{target}", {quoted(value)}, "{source}", {quoted(pattern)})'


def of_state(inventory: Inventory, name: str, *matchers: str) -> str:
    """A metric of kube-state-metrics; scraped without honor_labels, what it says is under exported_…"""
    query = select(name, *matchers)
    for one in ("namespace", "pod", "container", "deployment", "statefulset", "daemonset", "job_name"):
        if f"exported_{one}" in inventory.labels(name):
            query = _replaced(query, one, "$1", f"exported_{one}")
    return query


def owners(inventory: Inventory) -> str:
    """Every pod with the workload that owns it as ``service``, once."""

    def owned(kinds: str, operator: str = "=~") -> str:
        return of_state(inventory, "kube_pod_owner", f"owner_kind{operator}{quoted(kinds)}")

    def through(owner: str, own: str, query: str, fallback: str) -> str:
        """By the owner of the owner, where that is told, else by what its name looks like."""
        known = of_state(inventory, owner, 'owner_kind!~"<none>|"')
        labelled = _replaced(query, own, "$1", "owner_name")
        if not inventory.has(owner):
            return fallback
        by = f"max by (namespace, {own}, service) ({_replaced(known, 'service', '$1', 'owner_name')})"
        told = f"({labelled}) * on (namespace, {own}) group_left() {_once(known, own)}"
        return (
            f"(({labelled}) * on (namespace, {own}) group_left(service) {by})"
            f" or (({fallback}) unless on (namespace, pod) ({told}))"
        )

    def plain(query: str) -> str:
        return _replaced(query, "service", "$1", "owner_name")

    sets = owned("ReplicaSet")
    jobs = owned("Job")
    controllers = owned("ReplicationController")
    parts = [
        through(
            "kube_replicaset_owner",
            "replicaset",
            sets,
            _replaced(plain(sets), "service", "$1", "owner_name", f"(.+)-{_HASH}"),
        ),
        through(
            "kube_job_owner",
            "job_name",
            jobs,
            _replaced(plain(jobs), "service", "$1", "owner_name", "(.+)-[0-9]{8,10}"),
        ),
        through(
            "kube_replicationcontroller_owner",
            "replicationcontroller",
            controllers,
            _replaced(plain(controllers), "service", "$1", "owner_name", "(.+)-[0-9]+"),
        ),
        _replaced(owned("<none>|"), "service", "$1", "pod"),
        _static(inventory, owned("Node")),
        plain(owned("ReplicaSet|Job|ReplicationController|<none>|Node|", "!~")),
    ]
    return f"max by ({cluster_labels(inventory)}namespace, pod, service) ({' or '.join(parts)})"


def _once(query: str, own: str) -> str:
    return f"max by (namespace, {own}) ({_replaced(query, own, '$1', own)})"


def _static(inventory: Inventory, pods: str) -> str:
    """Static pods have the name of their node at the end."""
    named = _replaced(pods, "service", "$1", "pod")
    nodes = inventory.values("kube_pod_owner", "owner_name") and inventory.values("kube_node_info", "node")
    if not nodes or len(nodes) > _MOST_NODES:
        return named
    return _replaced(named, "service", "$1", "pod", f"(.+)-(?:{any_of(nodes)})")


def cluster_labels(inventory: Inventory) -> str:
    clusters = [name for name in inventory.clusters if name in inventory.labels("kube_pod_owner")]
    return "".join(f"{label(name)}, " for name in clusters)


def _families(inventory: Inventory) -> list[Family]:
    if not inventory.has("kube_pod_owner"):
        return []
    by, owned = cluster_labels(inventory), owners(inventory)

    def workload(per_pod: str) -> str:
        return f"sum by ($by) ({per_pod} * on ({by}namespace, pod) group_left(service) {owned})"

    def per_pod(value: str) -> str:
        """A container that two of them report, and one that was scraped twice, counts once."""
        return f"sum by ({by}namespace, pod) (max by ({by}namespace, pod, container) ({value}))"

    containers = ('container!=""', 'container!="POD"')
    phase = of_state(inventory, "kube_pod_status_phase", 'phase="Running"')
    running = f"max by ({by}namespace, pod) ({phase})"
    nothing = [
        f"(0 * sum by ($by) ({_replaced(of_state(inventory, name), 'service', '$1', kind)} > 0))"
        for kind, name in _DESIRED.items()
        if inventory.names is not None and inventory.has(name)
    ]
    restarts = of_state(inventory, "kube_pod_container_status_restarts_total")
    found = {
        "cpu_usage": workload(per_pod(f"rate({select('container_cpu_usage_seconds_total', *containers)}[$window])")),
        "memory_usage": workload(per_pod(select("container_memory_working_set_bytes", *containers))),
        "restart_count": workload(per_pod(_changes(restarts))),
        "pod_count": " or ".join([workload(running), *nothing]),
    }
    return [Family("kube_pod_owner", found)]


def _changes(selected: str) -> str:
    """How often a container was started again; a range is of the series themselves, so that it is named after."""
    name = "kube_pod_container_status_restarts_total"
    return selected.replace(name, f"changes({name}[$window])", 1)


PRESETS = (
    Preset(
        "kubernetes",
        "cAdvisor and kube-state-metrics: workloads as namespace/name",
        ("namespace", "service"),
        _families,
    ),
)
