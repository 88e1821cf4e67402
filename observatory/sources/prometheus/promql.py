"""QUERIES: what is asked for each metric in each preset, as templates that the product fills.

``$by`` stands for the labels that name a service in that preset (see `.presets`) and ``$window`` for the rate
window, at least four scrape intervals. Three rules shape the queries: no 5xx series must read as 0 errors, an idle
service as no ratio at all, and what two observers report is counted once.
"""

from __future__ import annotations

from collections.abc import Mapping

Queries = dict[str, str]
"""Query templates by metric."""

LATENCIES = {"latency_p50": 0.5, "latency_p95": 0.95, "latency_p99": 0.99}


def rate(counter: str, *, le: bool = False, observer: str = "") -> str:
    """Increase a second by service; `observer` is a label of who reports: the one who saw most is believed."""
    by = "le, $by" if le else "$by"
    if observer:
        return f"max by ({by}) (sum by ({observer}, {by}) (rate({counter}[$window])))"
    return f"sum by ({by}) (rate({counter}[$window]))"


def ratio(errors: str, requests: str) -> str:
    """Errors per request: 0 without any error series, nothing while idle."""
    return f"(({errors} or 0 * {requests}) / ({requests} > 0))"


def either(*queries: str) -> str:
    """The first query that has the service."""
    return " or ".join(f"({query})" for query in queries)


def http(requests: str, errors: str, buckets: str, *, milliseconds: bool = False, observer: str = "") -> Queries:
    """Golden signals from a counter of requests, the same of errors, and a histogram's buckets."""
    every, failed = rate(requests, observer=observer), rate(errors, observer=observer)
    by_bucket = rate(buckets, le=True, observer=observer)
    unit = " / 1000" if milliseconds else ""
    quantiles = {name: f"histogram_quantile({q}, {by_bucket}){unit}" for name, q in LATENCIES.items()}
    return {"request_rate": every, "error_rate": ratio(failed, every), **quantiles}


def timer(name: str, match: str, failed: str) -> Queries:
    """Golden signals of a timer [s]: from its histogram, else from the percentiles it publishes, else from its mean.

    `match` and `failed` are label matchers, of all requests and of those that failed.
    """

    def of(suffix: str, *more: str) -> str:
        return f"{name}{suffix}{{{','.join(filter(None, (match, *more)))}}}"

    found = http(of("_count"), of("_count", failed), of("_bucket"))
    mean = f"{rate(of('_sum'))} / ({rate(of('_count'))} > 0)"
    for metric, q in LATENCIES.items():
        published = "max by ($by) (" + of("", f'quantile="{q}"') + ")"
        found[metric] = either(found[metric], published, *([mean] if metric == "latency_p50" else []))
    return found


def native(name: str, failed: str) -> Queries:
    """Golden signals of a native histogram [s]."""
    every = f"sum by ($by) (rate({name}[$window]))"
    count, errors = f"histogram_count({every})", f"histogram_count({every.replace(name, f'{name}{{{failed}}}')})"
    quantiles = {metric: f"histogram_quantile({q}, {every})" for metric, q in LATENCIES.items()}
    return {"request_rate": count, "error_rate": ratio(errors, count), **quantiles}


POD_OWNERS = (
    'label_replace(kube_pod_owner{owner_kind="ReplicaSet"}, "service", "$1", "owner_name", "(.+)-[a-z0-9]{1,10}")'
    ' or label_replace(kube_pod_owner{owner_kind=~"StatefulSet|DaemonSet"}, "service", "$1", "owner_name", "(.+)")'
)
"""Kubernetes: every pod with the workload that owns it as ``service``."""


def workload(per_pod: str) -> str:
    """Sums by workload; two replicas of kube-state-metrics must not count a pod twice, hence the max."""
    owners = f"max by (namespace, pod, service) ({POD_OWNERS})"
    return f"sum by ($by) ({per_pod} * on (namespace, pod) group_left(service) {owners})"


_ISTIO = 'reporter=~"destination|waypoint"'
_OTEL = "http_server_request_duration_seconds"
_ALERTMANAGER = "alertmanager_http_request_duration_seconds"
_PROMHTTP = "promhttp_metric_handler_requests_total"
_MICROMETER = "http_server_requests_seconds"
_CONTAINER = '{container!="",image!=""}'


def _prometheus() -> Queries:
    """Three of its kind: the server, its Alertmanager, and whatever serves metrics with promhttp."""
    server = http(
        "prometheus_http_requests_total",
        'prometheus_http_requests_total{code=~"5.."}',
        "prometheus_http_request_duration_seconds_bucket",
    )
    alerts = http(f"{_ALERTMANAGER}_count", f'{_ALERTMANAGER}_count{{code=~"5.."}}', f"{_ALERTMANAGER}_bucket")
    # Before version 0.28 an Alertmanager does not tell codes: no code is no error rate, not one of 0.
    alerts["error_rate"] = ratio(
        rate(f'{_ALERTMANAGER}_count{{code=~"5.."}}'), rate(f'{_ALERTMANAGER}_count{{code!=""}}')
    )
    scraped = {
        "request_rate": rate(_PROMHTTP),
        "error_rate": ratio(rate(f'{_PROMHTTP}{{code=~"5.."}}'), rate(_PROMHTTP)),
    }
    return {name: either(*(group[name] for group in (server, alerts, scraped) if name in group)) for name in server}


QUERIES: Mapping[str, Queries] = {
    "istio": http(
        f"istio_requests_total{{{_ISTIO}}}",
        f'istio_requests_total{{{_ISTIO},response_code=~"5.."}}',
        f"istio_request_duration_milliseconds_bucket{{{_ISTIO}}}",
        milliseconds=True,
        observer="reporter",  # a waypoint and a sidecar may both report a request
    ),
    "linkerd": http(
        'response_total{direction="inbound"}',
        'response_total{direction="inbound",classification="failure"}',
        'response_latency_ms_bucket{direction="inbound"}',
        milliseconds=True,
    ),
    "otel": http(f"{_OTEL}_count", f'{_OTEL}_count{{http_response_status_code=~"5.."}}', f"{_OTEL}_bucket"),
    "native": native(_OTEL, 'http_response_status_code=~"5.."'),
    "micrometer": timer(_MICROMETER, 'application!=""', 'outcome="SERVER_ERROR"'),
    "micrometer_job": timer(_MICROMETER, 'application=""', 'outcome="SERVER_ERROR"'),
    "go": timer("http_request_duration_seconds", "", 'code=~"5.."'),
    "envoy": http(
        "envoy_cluster_upstream_rq_total",
        'envoy_cluster_upstream_rq_xx{envoy_response_code_class="5"}',
        "envoy_cluster_upstream_rq_time_bucket",
        milliseconds=True,
    ),
    "prometheus": _prometheus(),
    "kubernetes": {
        "cpu_usage": workload(
            f"sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{_CONTAINER}[$window]))"
        ),
        "memory_usage": workload(f"sum by (namespace, pod) (container_memory_working_set_bytes{_CONTAINER})"),
        "restart_count": workload(
            "sum by (namespace, pod) (max by (namespace, pod, container)"
            " (increase(kube_pod_container_status_restarts_total[$window])))"
        ),
        "pod_count": workload('max by (namespace, pod) (kube_pod_status_phase{phase="Running"})'),
    },
    "node": {
        "cpu_usage": rate('node_cpu_seconds_total{mode!="idle"}'),
        "memory_usage": "sum by ($by) (node_memory_MemTotal_bytes) - sum by ($by) (node_memory_MemAvailable_bytes)",
    },
    "process": {
        "cpu_usage": rate("process_cpu_seconds_total"),
        "memory_usage": "sum by ($by) (process_resident_memory_bytes)",
        "restart_count": "sum by ($by) (changes(process_start_time_seconds[$window]))",
        "pod_count": "sum by ($by) (up)",
    },
}
"""Query templates by preset and metric; the presets in the order of `.presets.PRESETS`."""
