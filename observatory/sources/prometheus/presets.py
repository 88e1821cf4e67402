"""Presets: how exporters name things, and the one query a metric that asks for all services at once.

The catalogue holds a query template by preset; here it gets the preset's labels and the window, and is made to answer
with a single label ``service_name``. The presets of a metric are joined by ``or``, so that a service has the value of
the first preset that knows it: golden signals from a mesh, resources from Kubernetes, under one name.
"""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from observatory.catalog import METRICS, Metric
from observatory.config.sources import PresetSettings
from observatory.errors import ConfigError
from observatory.model import SERVICE
from observatory.sources.prometheus.promql import POD_OWNERS, QUERIES

Renames = tuple[tuple[str, str], ...]
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Preset:
    """One way of naming services and metrics.

    Parameters
    ----------
    name
        As in the catalogue's queries.
    description
        Where such metrics come from.
    labels
        Labels that together name a service, joined by ``/``.
    probe
        A query that has a series for each service of this preset; empty: what its own queries answer.
    rename
        Pairs of a pattern (RE2, the whole name) and a replacement, applied to names in order.
    queries
        Query templates by metric, before those of the catalogue.
    is_own
        Whether the settings made or changed it.
    """

    name: str
    description: str
    labels: tuple[str, ...]
    probe: str = ""
    rename: Renames = ()
    queries: Mapping[str, str] = field(default_factory=dict)
    is_own: bool = False


# A job is shop/web where targets have a label namespace, as in Kubernetes, and the same as its workload then.
_JOB = ("namespace", "job")
_JOB_NAMES: Renames = (("[^/]*/([^/]+/.+)", "$1"), ("/(.+)", "$1"))

_ROWS = (
    Preset(
        "istio",
        "Istio, sidecars and waypoints (istio_requests_total)",
        ("destination_service_namespace", "destination_service_name"),
        'istio_requests_total{reporter=~"destination|waypoint"}',
    ),
    Preset(
        "linkerd",
        "Linkerd proxies (response_total)",
        ("namespace", "deployment", "statefulset", "daemonset"),
        'response_total{direction="inbound"}',
        (("([^/]+)/+([^/]+)/*", "$1/$2"),),
    ),
    Preset(
        "otel",
        "OpenTelemetry HTTP servers (http_server_request_duration_seconds)",
        _JOB,
        "http_server_request_duration_seconds_count",
        _JOB_NAMES,
    ),
    Preset(
        "native",
        "OpenTelemetry HTTP servers with native histograms",
        _JOB,
        "http_server_request_duration_seconds",
        _JOB_NAMES,
    ),
    Preset(
        "micrometer",
        "Micrometer and Spring Boot with the tag application (http_server_requests_seconds)",
        ("namespace", "application"),
        'http_server_requests_seconds_count{application!=""}',
        _JOB_NAMES,
    ),
    Preset(
        "micrometer_job",
        "Micrometer and Spring Boot without that tag",
        _JOB,
        'http_server_requests_seconds_count{application=""}',
        _JOB_NAMES,
    ),
    Preset(
        "go",
        "Go and other client libraries (http_request_duration_seconds)",
        _JOB,
        "http_request_duration_seconds_count",
        _JOB_NAMES,
    ),
    Preset(
        "envoy",
        "Envoy's upstream clusters (envoy_cluster_upstream_rq_total)",
        ("envoy_cluster_name",),
        "envoy_cluster_upstream_rq_total",
        (("(?:out|in)bound\\|[0-9]*\\|[^|]*\\|([^.]+)\\.([^.]+)\\.svc\\..*", "$2/$1"),),  # as Istio names clusters
    ),
    Preset(
        "prometheus",
        "Prometheus, Alertmanager, and exporters built with promhttp",
        _JOB,
        '{__name__=~"prometheus_http_requests_total|alertmanager_http_request_duration_seconds_count'
        '|promhttp_metric_handler_requests_total"}',
        _JOB_NAMES,
    ),
    Preset(
        "kubernetes",
        "cAdvisor and kube-state-metrics: workloads as namespace/name",
        ("namespace", "service"),
        f"max by (namespace, service) ({POD_OWNERS})",
    ),
    Preset(
        "node", "machines, by node_exporter (node_cpu_seconds_total)", _JOB, "node_memory_MemTotal_bytes", _JOB_NAMES
    ),
    Preset("process", "any target's own process (process_*, up)", _JOB, "up", _JOB_NAMES),
)

PRESETS: dict[str, Preset] = {preset.name: preset for preset in _ROWS}
"""By name, the one that is asked first in front."""


def configured(changes: Mapping[str, PresetSettings], catalog: Mapping[str, Metric] = METRICS) -> dict[str, Preset]:
    """The presets there are with the settings' own in front, and those they change in their place.

    Raises
    ------
    ConfigError
        Naming the table and what cannot be used.
    """
    own, known = {}, dict(PRESETS)
    for name, change in changes.items():
        where = f"[preset.{name}]"
        if not re.fullmatch(r"[\w-]+", name):
            raise ConfigError(f"{where}: a preset's name has letters, digits, - and _ only")
        for metric in change.queries:
            if metric not in catalog:
                raise ConfigError(
                    f"{where} has a query for unknown metric {metric!r}: choose from {', '.join(catalog)}"
                )
        for label in change.labels or ():
            if not LABEL.fullmatch(label):
                raise ConfigError(f"{where}: labels = {label!r}, which is no name of a label")
        facts = {key: value for key, value in change.model_dump(exclude={"queries"}).items() if value is not None}
        old = known.get(name)
        if old:
            if change.labels is None:  # its own renames are about its own labels
                facts["rename"] = (*old.rename, *(change.rename or ()))
            known[name] = replace(old, **facts, queries=dict(change.queries), is_own=True)
        elif not change.labels or not change.queries:
            raise ConfigError(f"{where} is new (there is none of that name to change): give it labels and queries")
        else:
            facts = {"description": "from the settings", **facts}
            own[name] = Preset(name, queries=dict(change.queries), is_own=True, **facts)
    return {**own, **known}


def chosen(names: Sequence[str], presets: Mapping[str, Preset] = PRESETS) -> list[Preset]:
    """The presets called `names`, or all of them.

    Raises
    ------
    ConfigError
        A preset of that name does not exist.
    """
    for name in names:
        if name not in presets:
            raise ConfigError(f"unknown preset {name!r} in setting presets: choose from {', '.join(presets)}")
    return [presets[name] for name in names] if names else list(presets.values())


def build_parts(
    catalog: Mapping[str, Metric], window: float, names: Sequence[str] = (), presets: Mapping[str, Preset] = PRESETS
) -> dict[str, dict[str, str]]:
    """By metric and preset a query for all services; metrics that no chosen preset knows are left out."""
    parts = {}
    for metric in catalog.values():
        templates = {
            preset.name: _named(preset, filled(template, preset, window))
            for preset in chosen(names, presets)
            if (
                template := preset.queries.get(metric.name)
                or metric.queries.get(preset.name)
                or QUERIES.get(preset.name, {}).get(metric.name)
            )
        }
        if templates:
            parts[metric.name] = templates
    return parts


def _template(metric: Metric, preset: Preset) -> str | None:
    """What the settings say, else what the row of the catalogue says, else the built-in query."""
    built_in = QUERIES.get(preset.name, {})
    return preset.queries.get(metric.name) or metric.queries.get(preset.name) or built_in.get(metric.name)


def build_queries(
    catalog: Mapping[str, Metric], window: float, names: Sequence[str] = (), presets: Mapping[str, Preset] = PRESETS
) -> dict[str, str]:
    """One query a metric, for all services."""
    return {metric: joined(parts.values()) for metric, parts in build_parts(catalog, window, names, presets).items()}


def build_probes(window: float, names: Sequence[str] = (), presets: Mapping[str, Preset] = PRESETS) -> dict[str, str]:
    """By preset a query with a series for every service of it."""
    probes = {}
    for preset in chosen(names, presets):
        own = [f"({filled(query, preset, window)})" for query in preset.queries.values()]
        probe = preset.probe or " or ".join(own)
        probes[preset.name] = _named(preset, f"count by ({', '.join(preset.labels)}) ({probe})")
    return probes


def discovery_query(window: float, names: Sequence[str] = ()) -> str:
    """One query with a series for every service of the chosen presets."""
    return joined(build_probes(window, names).values())


def joined(parts: Iterable[str]) -> str:
    """One query out of those of several presets: a service has the value of the first that knows it."""
    return " or ".join(parts)


def filled(template: str, preset: Preset, window: float) -> str:
    """The template with labels and window; ``$1`` of a label_replace stays as it is."""
    seconds = f"{window * 1000:.0f}ms" if window % 1 else f"{window:.0f}s"
    return string.Template(template).safe_substitute(by=", ".join(preset.labels), window=seconds)


def _named(preset: Preset, query: str) -> str:
    """`query` by ``service_name`` alone; series that lack a label they need name no service and are dropped."""
    labels = ", ".join(f'"{label}"' for label in preset.labels)
    named = f'label_join({query}, "{SERVICE}", "/", {labels})'
    lacking: Renames = (("/.*|.*/", ""),) if len(preset.labels) > 1 else ()
    for pattern, name in (*preset.rename, *lacking):
        named = f'label_replace({named}, "{SERVICE}", {_quoted(name)}, "{SERVICE}", {_quoted(pattern)})'
    return f"max by ({SERVICE}) ({named})"


def _quoted(text: str) -> str:
    """A string of PromQL, whose escapes are those of JSON."""
    return json.dumps(text, ensure_ascii=False)
