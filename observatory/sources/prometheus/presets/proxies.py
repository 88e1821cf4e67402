"""Ingresses, load balancers and spans: what is in front of services tells of those behind it."""

from __future__ import annotations

from observatory.sources.prometheus.inventory import Inventory
from observatory.sources.prometheus.presets.preset import JOB, Family, Preset
from observatory.sources.prometheus.presets.templates import (
    histogram,
    mean,
    quantiles,
    requests,
)
from observatory.sources.prometheus.selectors import match, select

_SERVERS = 'span_kind=~"SPAN_KIND_SERVER|SPAN_KIND_CONSUMER|server|consumer|Server|Consumer"'


def _ingress_nginx(inventory: Inventory) -> list[Family]:
    name, base = "nginx_ingress_controller_requests", "nginx_ingress_controller_request_duration_seconds"
    if not inventory.has(name):
        return []
    behind = [match(one, "!~", "|-|_") for one in ("service", "exported_service") if one in inventory.labels(name)]
    behind = behind[-1:]
    found, tells = requests(inventory, name, behind)
    buckets = ""
    if inventory.has(f"{base}_bucket"):
        buckets = select(f"{base}_bucket", *behind)
        found |= quantiles(buckets) | {"latency_mean": mean(base, behind)}
    return [Family(name, found, tells, buckets)]


def _traefik(inventory: Inventory) -> list[Family]:
    name, base = "traefik_service_requests_total", "traefik_service_request_duration_seconds"
    if not inventory.has(name):
        return []
    found, tells = requests(inventory, name)
    buckets = select(f"{base}_bucket") if inventory.has(f"{base}_bucket") else ""
    if buckets:
        found |= quantiles(buckets) | {"latency_mean": mean(base)}
    return [Family(name, found, tells, buckets)]


_HAPROXY = "haproxy_backend_http_responses_total"
_HAPROXY_SECONDS = (
    "haproxy_backend_response_time_average_seconds",
    "haproxy_backend_http_response_time_average_seconds",  # of the exporter that is a program of its own
)


def _of_haproxy(inventory: Inventory, *matchers: str) -> list[Family]:
    found, tells = requests(inventory, _HAPROXY, matchers)
    seconds = [select(name, *matchers) for name in _HAPROXY_SECONDS if inventory.has(name)]
    if seconds:
        found["latency_mean"] = f"avg by ($by) ({' or '.join(seconds)})"
    return [Family(_HAPROXY, found, tells)]


def _haproxy(inventory: Inventory) -> list[Family]:
    there = inventory.labels(_HAPROXY)
    names = [name for name in ("proxy", "backend") if name in there] or ["proxy"]
    if not inventory.has(_HAPROXY) or ("route" in there and names == ["backend"]):
        return []
    unnamed = "|" if len(names) == 1 else ""
    matchers = [match(name, "!~", f"stats|prometheus.*{unnamed}") for name in names]
    return _of_haproxy(inventory, *matchers, *([match("route", "=", "")] if "route" in there else []))


def _openshift(inventory: Inventory) -> list[Family]:
    if "route" not in inventory.labels(_HAPROXY):
        return []
    return _of_haproxy(inventory, match("route", "!=", ""))


def _spans(inventory: Inventory) -> list[Family]:
    """Metrics of spans, as the collector's connectors and Tempo name them."""
    found = []
    for prefix in ("traces_span_metrics_", "traces_spanmetrics_", "span_metrics_", ""):
        calls = f"{prefix}calls_total"
        if inventory.names is None or not inventory.has(calls) or "span_kind" not in inventory.labels(calls):
            continue
        queries, tells = requests(inventory, calls, [_SERVERS])
        buckets, unit = "", 1.0
        for base, units in (
            ("duration_milliseconds", 1e3),
            ("duration_seconds", 1.0),
            ("latency", 0.0),
            ("duration", 0.0),
        ):
            if inventory.has(f"{prefix}{base}_bucket"):
                ends = [float(end) for end in inventory.values(f"{prefix}{base}_bucket", "le") if "Inf" not in end]
                unit = units or (1e3 if max(ends, default=0) > 100 else 1.0)
                buckets = select(f"{prefix}{base}_bucket", _SERVERS)
                queries |= quantiles(buckets, unit) | {"latency_mean": mean(f"{prefix}{base}", [_SERVERS], unit)}
                break
        found.append(Family(calls, queries, tells, buckets, unit))
    return found


def _django(inventory: Inventory) -> list[Family]:
    name, base = "django_http_responses_total_by_status_total", "django_http_requests_latency_seconds_by_view_method"
    found = []
    if inventory.has(name):
        queries, tells = requests(inventory, name)
        found.append(Family(name, queries, tells))
    if inventory.names is not None and inventory.has(f"{base}_count"):
        found.append(histogram(inventory, base))
    return found


def _caddy(inventory: Inventory) -> list[Family]:
    """Caddy counts a request in every handler that it passes: only its histogram tells codes, of one handler."""
    base = "caddy_http_request_duration_seconds"
    if inventory.names is None or not inventory.has(f"{base}_count"):
        return []
    handlers = [
        one
        for one in ("reverse_proxy", "subroute", "file_server")
        if one in inventory.values(f"{base}_count", "handler")
    ]
    return [histogram(inventory, base, 1.0, [match("handler", "=", handlers[0])])] if handlers else []


PRESETS = (
    Preset(
        "spanmetrics",
        "metrics of spans: the collector's connector, and Tempo (traces_span_metrics_calls_total, calls_total)",
        ("service_name",),
        _spans,
    ),
    Preset("django", "django-prometheus (django_http_responses_total_by_status_total)", JOB, _django),
    Preset(
        "ingress-nginx",
        "what the ingress controller of nginx saw (nginx_ingress_controller_requests)",
        ("namespace", "service"),
        _ingress_nginx,
    ),
    Preset(
        "traefik",
        "what Traefik saw (traefik_service_requests_total)",
        ("service",),
        _traefik,
        # shop-cart-80@kubernetes is namespace, service and port; anything else is a name of its own
        (("([^-@]+)-(.+)-[0-9a-z]+@kubernetes(?:crd|gateway)?", "$1/$2"), ("(.+)@.+", "$1")),
    ),
    Preset("haproxy", f"HAProxy's backends ({_HAPROXY})", ("proxy|backend",), _haproxy),
    # The router has a namespace of its own, so that of the route is under exported_namespace.
    Preset(
        "openshift", f"OpenShift's router ({_HAPROXY} by route)", ("namespace|exported_namespace", "route"), _openshift
    ),
    Preset("caddy", "what Caddy saw (caddy_http_request_duration_seconds)", JOB, _caddy),
)
