"""Service meshes and proxies between services: what they saw of each service, whether it can tell itself or not."""

from __future__ import annotations

from observatory.sources.prometheus.inventory import Inventory
from observatory.sources.prometheus.presets.preset import Family, Preset, Queries
from observatory.sources.prometheus.presets.templates import mean, quantiles, rate, ratio
from observatory.sources.prometheus.selectors import match, select
from observatory.sources.prometheus.statuses import FAILED_RPC

# No services: what Istio and Envoy call requests that lead nowhere they know, and their own administration.
NOWHERE = (
    "unknown|PassthroughCluster|BlackHoleCluster|InboundPassthroughCluster.*|InboundPassthroughClusterIpv4"
    "|local_agent|self_admin|prometheus_stats|xds-grpc|zipkin|agent|sds-grpc|admin|.*(?:_admin|passthrough.*)"
)
_SEEN = match("reporter", "=~", "destination|waypoint|source")
_THERE = match("reporter", "=~", "destination|waypoint")


def _istio(inventory: Inventory) -> list[Family]:
    if not inventory.has("istio_requests_total"):
        return []
    known = match("destination_service_name", "!~", NOWHERE)
    seen, there = (_SEEN, known), (_THERE, known)
    name = "istio_requests_total"
    failed = [select(name, *seen, 'response_code=~"5..|0"')]
    if inventory.names is None or "grpc_response_status" in inventory.labels(name):
        failed.append(select(name, *seen, 'response_code!~"5..|0"', match("grpc_response_status", "=~", FAILED_RPC)))
    # A request is reported by who sent it and by who answered it. Who sent it also knows of those nobody answered.
    every = rate(select(name, *seen), observer="reporter")
    found: Queries = {"request_rate": every, "error_rate": ratio(rate(*failed, observer="reporter"), every)}
    base = "istio_request_duration_milliseconds"
    near = quantiles(select(f"{base}_bucket", *there), 1e3, "reporter")
    far = quantiles(select(f"{base}_bucket", match("reporter", "=", "source"), known), 1e3)
    found |= {metric: f"{query} or {far[metric]}" for metric, query in near.items()}
    found["latency_mean"] = f"{mean(base, there, 1e3)} or {mean(base, (match('reporter', '=', 'source'), known), 1e3)}"
    return [Family(name, found, buckets=select(f"{base}_bucket", *seen), unit=1e3)]


def _linkerd(inventory: Inventory) -> list[Family]:
    if not inventory.has("response_total"):
        return []
    inbound = 'direction="inbound"'
    every = rate(select("response_total", inbound))
    failed = rate(select("response_total", inbound, 'classification="failure"'))
    found = {"request_rate": every, "error_rate": ratio(failed, every)}
    buckets = select("response_latency_ms_bucket", inbound)
    found |= quantiles(buckets, 1e3)
    found["latency_mean"] = mean("response_latency_ms", [inbound], 1e3)
    return [Family("response_total", found, buckets=buckets, unit=1e3)]


def _envoy(inventory: Inventory) -> list[Family]:
    if not inventory.has("envoy_cluster_upstream_rq_total"):
        return []
    known = match("envoy_cluster_name", "!~", NOWHERE + "|local_app")
    every = rate(select("envoy_cluster_upstream_rq_total", known))
    failed = rate(select("envoy_cluster_upstream_rq_xx", known, 'envoy_response_code_class="5"'))
    buckets = select("envoy_cluster_upstream_rq_time_bucket", known)
    found = {"request_rate": every, "error_rate": ratio(failed, every), **quantiles(buckets, 1e3)}
    found["latency_mean"] = mean("envoy_cluster_upstream_rq_time", [known], 1e3)
    return [Family("envoy_cluster_upstream_rq_total", found, buckets=buckets, unit=1e3)]


def _sidecars(inventory: Inventory) -> list[Family]:
    """The application behind a sidecar of Consul, which every sidecar calls local_app."""
    name = "envoy_cluster_upstream_rq_total"
    if not inventory.has(name) or "local_app" not in inventory.values(name, "envoy_cluster_name"):
        return []
    mine = 'envoy_cluster_name="local_app"'
    every = rate(select(name, mine))
    failed = rate(select("envoy_cluster_upstream_rq_xx", mine, 'envoy_response_code_class="5"'))
    buckets = select("envoy_cluster_upstream_rq_time_bucket", mine)
    found = {"request_rate": every, "error_rate": ratio(failed, every), **quantiles(buckets, 1e3)}
    return [Family(name, found, buckets=buckets, unit=1e3)]


PRESETS = (
    Preset(
        "istio",
        "Istio, sidecars and waypoints (istio_requests_total)",
        ("destination_service_namespace", "destination_service_name"),
        _istio,
    ),
    Preset(
        "linkerd",
        "Linkerd proxies (response_total)",
        ("namespace", "deployment|statefulset|daemonset"),
        _linkerd,
    ),
    Preset(
        "envoy",
        "Envoy's upstream clusters (envoy_cluster_upstream_rq_total)",
        ("envoy_cluster_name",),
        _envoy,
        (("(?:out|in)bound\\|[0-9]*\\|[^|]*\\|([^.]+)\\.([^.]+)\\.svc\\..*", "$2/$1"),),  # as Istio names clusters
    ),
    Preset("consul", "Consul's sidecars (envoy_cluster_upstream_rq_total of local_app)", ("local_cluster",), _sidecars),
)
