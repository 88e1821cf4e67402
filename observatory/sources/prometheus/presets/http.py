"""Services that report their requests themselves, found by the shape of the names of their metrics.

A counter ``…requests_total`` or a histogram ``…request_duration_seconds`` with whatever in front is read, whichever
library it is of. Presets with a name of their own take the shapes that are theirs, and ``http`` takes the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from observatory.sources.prometheus.inventory import Inventory
from observatory.sources.prometheus.presets.preset import JOB, Family, Finder, Preset
from observatory.sources.prometheus.presets.templates import histogram, native, requests

OTEL, GO, MICROMETER = (
    "http_server_request_duration_seconds",
    "http_request_duration_seconds",
    "http_server_requests_seconds",
)

# Requests that a service sends, or that are answered by something else that has a preset of its own.
_NOT_SERVED = re.compile(
    r"client|outbound|outgoing|egress|upstream|dial|remote_(?:storage|write|read)|_sd_|promhttp|scrap|sidecar"
    r"|external|third_?party|cloudprovider|_k8s_|cache_requests?"
    r"|^(?:envoy|istio|linkerd|traefik|caddy|haproxy|nginx_ingress|django|container|kube|blackbox|probe|prober|redis|mysql|pg|rq)_"
    r"|^(?:inbound_|outbound_)?(?:request|response)_total$|^response_latency|exceptions|webhook|watch_requests"
    r"|_by_(?:method|view|transport)|_size|_bytes"
)
_COUNTER = re.compile(
    r"(?:.*_)?requests?(?:_(?:received|handled|completed|processed|served))?_total|grpc_server_handled_total"
)
_OF_REQUESTS = re.compile(r"(?:^|_)(?:requests?|responses?|http_server|rpc_server|grpc_server)(?:_|$)")
_HISTOGRAM = re.compile(
    r"(?:.*_)?(?:(?:duration|latency|latencies|time|handling|processing)(?:_highr)?(?:_(?P<unit>seconds|second|s"
    r"|milliseconds|millis|ms|microseconds|us))?|requests_(?P<units>seconds|milliseconds))"
)
_UNITS = {"milliseconds": 1e3, "millis": 1e3, "ms": 1e3, "microseconds": 1e6, "us": 1e6}
_SAYS_WHAT = re.compile(r"http|grpc|rpc")
"""A counter that does not say how requests ended has to say what they are: disks have requests, too."""
_MILLISECONDS_FROM = 200.0
"""A histogram of no unit whose buckets reach so far is one of milliseconds."""


def _plain(name: str) -> str:
    """A name as shapes are written: Prometheus 3 has dots in those of OpenTelemetry."""
    return name.replace(".", "_")


def is_counter(name: str) -> bool:
    """Whether it counts requests that are answered.

    >>> is_counter("shop_http_requests_total"), is_counter("rest_client_requests_total")
    (True, False)
    """
    plain = _plain(name)
    return bool(_COUNTER.fullmatch(plain)) and not _NOT_SERVED.search(plain)


def is_histogram(base: str) -> bool:
    """Whether it measures how long answers take, by its name without ``_bucket`` or ``_count``.

    >>> is_histogram("http.server.request.duration"), is_histogram("http_request_size_bytes")
    (True, False)
    """
    plain = _plain(base)
    return bool(_OF_REQUESTS.search(plain) and _HISTOGRAM.fullmatch(plain)) and not _NOT_SERVED.search(plain)


def unit_of(base: str, inventory: Inventory) -> float:
    """How many of a histogram's units are a second."""
    found = _HISTOGRAM.fullmatch(_plain(base))
    name = (found["unit"] or found["units"] or "") if found else ""
    if name:
        return _UNITS.get(name, 1.0)
    ends = [float(end) for end in inventory.values(f"{base}_bucket", "le") if end not in ("+Inf", "Inf")]
    return 1e3 if ends and max(ends) > _MILLISECONDS_FROM else 1.0


def _families(inventory: Inventory, is_mine: Callable[[str], bool]) -> list[Family]:
    names = inventory.names
    if names is None:
        names = frozenset(f"{base}{end}" for base in (OTEL, GO, MICROMETER) for end in ("_count", "_bucket"))
    found = []
    for name in sorted(names):
        base = name.removesuffix("_count")
        if base != name and is_histogram(base) and is_mine(base):
            found.append(histogram(inventory, base, unit_of(base, inventory), _not_named(inventory, name)))
        elif is_counter(name) and is_mine(name):
            queries, tells = requests(inventory, name)
            if tells or _SAYS_WHAT.search(name):
                found.append(Family(name, queries, tells))
        elif is_histogram(name) and is_mine(name) and f"{name}_bucket" not in names and inventory.is_native(name):
            found.append(native(inventory, name, unit_of(name, inventory)))
    return sorted(found, key=_order)


def _not_named(inventory: Inventory, name: str) -> list[str]:
    """A matcher that leaves out what preset `micrometer` names by its own label."""
    is_tagged = name == f"{MICROMETER}_count" and (inventory.names is None or "application" in inventory.labels(name))
    return ['application=""'] if is_tagged else []


def _order(family: Family) -> tuple[bool, bool, int, str]:
    """Who says how requests ended comes first, then what is plainly about HTTP or gRPC, then the shortest name."""
    return not family.tells_errors, not re.search("http|grpc|rpc", family.name), len(family.name), family.name


_NAMED: dict[str, tuple[str, Callable[[str], bool]]] = {
    "otel": ("OpenTelemetry HTTP servers (http_server_request_duration_seconds)", lambda name: name == OTEL),
    "micrometer_job": (
        "Micrometer, Spring Boot and Micronaut (http_server_requests_seconds)",
        lambda name: name == MICROMETER,
    ),
    "go": ("Go and other client libraries (http_request_duration_seconds)", lambda name: name == GO),
    "grpc": (
        "gRPC servers (grpc_server_handled_total, rpc_server_duration)",
        lambda name: bool(re.match(r"(?:grpc|rpc)[._]server", name)),
    ),
    "prometheus": (
        "Prometheus, Alertmanager and their like (prometheus_http_requests_total)",
        lambda name: name.startswith(("prometheus_http_", "alertmanager_http_")),
    ),
}


def _finder(is_mine: Callable[[str], bool]) -> Finder:
    return lambda inventory: _families(inventory, is_mine)


def _is_of_no_other(name: str) -> bool:
    return not any(is_mine(name) for _, is_mine in _NAMED.values())


def _micrometer(inventory: Inventory) -> list[Family]:
    if inventory.names is not None and f"{MICROMETER}_count" not in inventory.names:
        return []
    if inventory.names is not None and "application" not in inventory.labels(f"{MICROMETER}_count"):
        return []
    return [histogram(inventory, MICROMETER, 1.0, ['application!=""'])]


PRESETS = (
    Preset(
        "micrometer",
        "Micrometer and Spring Boot with the tag application (http_server_requests_seconds)",
        ("namespace", "application"),
        _micrometer,
    ),
    *(Preset(name, description, JOB, _finder(is_mine)) for name, (description, is_mine) in _NAMED.items()),
    Preset("http", "any counter or histogram of requests, by the shape of its name", JOB, _finder(_is_of_no_other)),
)
