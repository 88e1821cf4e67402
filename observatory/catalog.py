"""METRICS: the one place where a metric is declared.

A row here is collected, stored in a column of its own, detected on, served and shown; nothing else
needs to change. Values are in Prometheus base units everywhere (seconds, bytes, ratios, cores);
only views rescale them through `Metric.show`.

Queries are templates over ``$by`` (the labels that name a service in that preset, see
`observatory.sources.presets`) and ``$window`` (the rate window, at least four scrape intervals).
Two rules shape them: no 5xx series must read as 0 errors, and an idle service as no ratio at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Direction = Literal["up", "down", "both"]
Transform = Literal["log", "sqrt", "identity"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One golden-signal or resource metric of a service.

    Parameters
    ----------
    name
        Column name, and name in the API.
    label
        What people call it.
    unit
        Base unit: ``"req/s"``, ``"ratio"``, ``"s"``, ``"cores"``, ``"bytes"``, ``""`` (a count).
    worse
        The direction in which the metric gets worse.
    transform
        Scale on which its deviations are about symmetric.
    min_absolute, min_relative
        Smallest deviation worth a word [unit, share of typical]; both must be exceeded.
    aggregate
        How samples of several series or of a longer step are summarised.
    needs_traffic
        Whether the metric means nothing while hardly any request arrives.
    promql
        Query template by preset.
    """

    name: str
    label: str
    unit: str
    worse: Direction
    transform: Transform
    min_absolute: float
    min_relative: float
    aggregate: Literal["avg", "max", "sum"] = "avg"
    needs_traffic: bool = False
    promql: Mapping[str, str] = field(default_factory=dict)

    def apply(self, values: FloatArray) -> FloatArray:
        """`values` on the scale of `transform`; shape is kept, NaN stays NaN."""
        if self.transform == "log":
            return np.asarray(np.log(np.maximum(values, 0) + self.min_absolute))
        if self.transform == "sqrt":
            return np.asarray(np.sqrt(np.maximum(values, 0)))
        return np.asarray(values, dtype=float)

    def invert(self, values: FloatArray) -> FloatArray:
        """The inverse of `apply`."""
        if self.transform == "log":
            return np.asarray(np.maximum(np.exp(np.minimum(values, 700.0)) - self.min_absolute, 0))
        if self.transform == "sqrt":
            return np.asarray(np.square(np.maximum(values, 0)))
        return np.asarray(values, dtype=float)

    def show(self, value: float | None) -> str:
        """`value` for people, with its unit: ``"4.1 s"``, ``"12 %"``, ``"512 MB"``."""
        if value is None or not np.isfinite(value):
            return "–"
        return _SHOW.get(self.unit, _show_number)(float(value), self.unit)


def _three_digits(value: float) -> str:
    """Three significant digits; what is too small to matter is 0."""
    if abs(value) < 1e-4:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _show_number(value: float, unit: str) -> str:
    return f"{_three_digits(value)} {unit}".rstrip()


def _show_seconds(value: float, unit: str) -> str:
    if abs(value) < 1:
        return f"{_three_digits(value * 1000)} ms"
    return f"{_three_digits(value)} s"


def _show_ratio(value: float, unit: str) -> str:
    return f"{_three_digits(value * 100)} %"


def _show_bytes(value: float, unit: str) -> str:
    for name, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if abs(value) >= size:
            return f"{_three_digits(value / size)} {name}"
    return f"{_three_digits(value)} B"


_SHOW = {"s": _show_seconds, "ratio": _show_ratio, "bytes": _show_bytes}


def _rate(counter: str) -> str:
    return f"sum by ($by) (rate({counter}[$window]))"


def _ratio(errors: str, requests: str) -> str:
    """Errors per request: 0 without any error series, nothing while idle."""
    return f"(({_rate(errors)} or 0 * {_rate(requests)}) / ({_rate(requests)} > 0))"


def _quantile(q: float, buckets: str) -> str:
    return f"histogram_quantile({q}, sum by (le, $by) (rate({buckets}[$window])))"


def _either(*queries: str) -> str:
    """The first query that has the service."""
    return " or ".join(f"({query})" for query in queries)


POD_OWNERS = (
    'label_replace(kube_pod_owner{owner_kind="ReplicaSet"}, "service", "$1", "owner_name", "(.+)-[a-z0-9]{1,10}")'
    ' or label_replace(kube_pod_owner{owner_kind=~"StatefulSet|DaemonSet"}, "service", "$1", "owner_name", "(.+)")'
)
"""Kubernetes: every pod with the workload that owns it as ``service``."""

# Two replicas of kube-state-metrics must not count a pod twice, hence the max.
_WORKLOAD = f"* on (namespace, pod) group_left(service) max by (namespace, pod, service) ({POD_OWNERS})"


def _workload(per_pod: str) -> str:
    return f"sum by ($by) ({per_pod} {_WORKLOAD})"


_CONTAINER = '{container!="",image!=""}'
_OTEL = "http_server_request_duration_seconds"
_GO = "http_request_duration_seconds"
_ALERTMANAGER = "alertmanager_http_request_duration_seconds"
_PROMHTTP = "promhttp_metric_handler_requests_total"


def _latency(q: float) -> Mapping[str, str]:
    return {
        "otel": _quantile(q, f"{_OTEL}_bucket"),
        "go": _quantile(q, f"{_GO}_bucket"),
        "prometheus": _either(
            _quantile(q, "prometheus_http_request_duration_seconds_bucket"),
            _quantile(q, f"{_ALERTMANAGER}_bucket"),
        ),
    }


_ROWS = (
    Metric(
        "request_rate",
        "request rate",
        "req/s",
        worse="down",
        transform="sqrt",
        min_absolute=1.0,
        min_relative=0.3,
        promql={
            "otel": _rate(f"{_OTEL}_count"),
            "go": _rate(f"{_GO}_count"),
            "prometheus": _either(
                _rate("prometheus_http_requests_total"), _rate(f"{_ALERTMANAGER}_count"), _rate(_PROMHTTP)
            ),
        },
    ),
    Metric(
        "error_rate",
        "errors",
        "ratio",
        worse="up",
        transform="sqrt",
        min_absolute=0.01,
        min_relative=0.5,
        needs_traffic=True,
        promql={
            "otel": _ratio(f'{_OTEL}_count{{http_response_status_code=~"5.."}}', f"{_OTEL}_count"),
            "go": _ratio(f'{_GO}_count{{code=~"5.."}}', f"{_GO}_count"),
            "prometheus": _either(
                _ratio('prometheus_http_requests_total{code=~"5.."}', "prometheus_http_requests_total"),
                _ratio(f'{_ALERTMANAGER}_count{{code=~"5.."}}', f'{_ALERTMANAGER}_count{{code!=""}}'),
                _ratio(f'{_PROMHTTP}{{code=~"5.."}}', _PROMHTTP),
            ),
        },
    ),
    Metric(
        "latency_p50",
        "p50 latency",
        "s",
        worse="up",
        transform="log",
        min_absolute=0.02,
        min_relative=0.3,
        needs_traffic=True,
        promql=_latency(0.5),
    ),
    Metric(
        "latency_p95",
        "p95 latency",
        "s",
        worse="up",
        transform="log",
        min_absolute=0.03,
        min_relative=0.3,
        needs_traffic=True,
        promql=_latency(0.95),
    ),
    Metric(
        "latency_p99",
        "p99 latency",
        "s",
        worse="up",
        transform="log",
        min_absolute=0.05,
        min_relative=0.3,
        needs_traffic=True,
        promql=_latency(0.99),
    ),
    Metric(
        "cpu_usage",
        "CPU",
        "cores",
        worse="up",
        transform="log",
        min_absolute=0.05,
        min_relative=0.3,
        promql={
            "kubernetes": _workload(
                f"sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{_CONTAINER}[$window]))"
            ),
            "process": _rate("process_cpu_seconds_total"),
        },
    ),
    Metric(
        "memory_usage",
        "memory",
        "bytes",
        worse="up",
        transform="log",
        min_absolute=32e6,
        min_relative=0.2,
        promql={
            "kubernetes": _workload(f"sum by (namespace, pod) (container_memory_working_set_bytes{_CONTAINER})"),
            "process": "sum by ($by) (process_resident_memory_bytes)",
        },
    ),
    Metric(
        "restart_count",
        "restarts",
        "",
        worse="up",
        transform="identity",
        min_absolute=1.5,
        min_relative=0.0,
        aggregate="max",
        promql={
            "kubernetes": _workload(
                "sum by (namespace, pod) (max by (namespace, pod, container)"
                " (increase(kube_pod_container_status_restarts_total[$window])))"
            ),
            "process": "sum by ($by) (changes(process_start_time_seconds[$window]))",
        },
    ),
    Metric(
        "pod_count",
        "running pods",
        "",
        worse="down",
        transform="identity",
        min_absolute=1.5,
        min_relative=0.36,
        promql={
            "kubernetes": _workload('max by (namespace, pod) (kube_pod_status_phase{phase="Running"})'),
            "process": "sum by ($by) (up)",
        },
    ),
)

METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _ROWS})
"""Every metric by name, in the order in which people read them."""


def metric(name: str) -> Metric:
    """The metric called `name`; a column nobody declared is taken to get worse both ways."""
    return METRICS.get(name) or Metric(name, name, "", "both", "identity", 0.0, 0.0)
