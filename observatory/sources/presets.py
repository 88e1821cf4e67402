"""Presets: how exporters name things, and the one query a metric that asks for all services at once.

The catalogue holds a query template by preset; here it gets the preset's labels and the window, and is made to answer
with a single label ``service_name``. The presets of a metric are joined by ``or``, so that a service has the value of
the first preset that knows it.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from observatory.catalog import POD_OWNERS, Metric
from observatory.errors import ConfigError
from observatory.model import SERVICE


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
        A query that has a series for each service of this preset.
    """

    name: str
    description: str
    labels: tuple[str, ...]
    probe: str


_ROWS = (
    Preset(
        "otel",
        "OpenTelemetry HTTP servers (http_server_request_duration_seconds)",
        ("job",),
        "http_server_request_duration_seconds_count",
    ),
    Preset(
        "go",
        "Go and other client libraries (http_request_duration_seconds)",
        ("job",),
        "http_request_duration_seconds_count",
    ),
    Preset(
        "prometheus",
        "Prometheus, Alertmanager, and exporters built with promhttp",
        ("job",),
        '{__name__=~"prometheus_http_requests_total|alertmanager_http_request_duration_seconds_count'
        '|promhttp_metric_handler_requests_total"}',
    ),
    Preset(
        "kubernetes",
        "cAdvisor and kube-state-metrics: workloads as namespace/name",
        ("namespace", "service"),
        f"max by (namespace, service) ({POD_OWNERS})",
    ),
    Preset("process", "any target's own process (process_*, up)", ("job",), "up"),
)

PRESETS: dict[str, Preset] = {preset.name: preset for preset in _ROWS}
"""By name, the one that is asked first in front."""


def chosen(names: Sequence[str]) -> list[Preset]:
    """The presets called `names`, or all of them.

    Raises
    ------
    ConfigError
        A preset of that name does not exist.
    """
    for name in names:
        if name not in PRESETS:
            raise ConfigError(f"unknown preset {name!r} in setting presets: choose from {', '.join(PRESETS)}")
    return [PRESETS[name] for name in names] if names else list(PRESETS.values())


def build_queries(catalog: Mapping[str, Metric], window: float, names: Sequence[str] = ()) -> dict[str, str]:
    """One query a metric, for all services; metrics that no chosen preset knows are left out."""
    queries = {}
    for metric in catalog.values():
        parts = [
            _named(preset, _filled(metric.promql[preset.name], preset, window))
            for preset in chosen(names)
            if preset.name in metric.promql
        ]
        if parts:
            queries[metric.name] = " or ".join(parts)
    return queries


def discovery_query(window: float, names: Sequence[str] = ()) -> str:
    """One query with a series for every service of the chosen presets."""
    parts = [_named(preset, f"count by ({', '.join(preset.labels)}) ({preset.probe})") for preset in chosen(names)]
    return " or ".join(parts)


def _filled(template: str, preset: Preset, window: float) -> str:
    """The template with labels and window; ``$1`` of a label_replace stays as it is."""
    seconds = f"{window * 1000:.0f}ms" if window % 1 else f"{window:.0f}s"
    return string.Template(template).safe_substitute(by=", ".join(preset.labels), window=seconds)


def _named(preset: Preset, query: str) -> str:
    """`query` by ``service_name`` alone; series that lack one of the labels name no service and are dropped."""
    labels = ", ".join(f'"{label}"' for label in preset.labels)
    empty = "|".join(["", "/.*", ".*/"] if len(preset.labels) > 1 else [""])
    joined = f'label_join({query}, "{SERVICE}", "/", {labels})'
    nameless = f'label_replace({joined}, "{SERVICE}", "", "{SERVICE}", "{empty}")'
    return f"max by ({SERVICE}) ({nameless if len(preset.labels) > 1 else joined})"
