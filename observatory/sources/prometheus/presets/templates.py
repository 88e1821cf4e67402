"""Query templates that presets share: rates, ratios and quantiles.

Three rules shape them: no series of errors must read as 0 errors only where requests say how they ended, an idle
service has no ratio at all, and what two observers report is counted once.
"""

from __future__ import annotations

from collections.abc import Sequence

from observatory.sources.prometheus.inventory import Inventory
from observatory.sources.prometheus.presets.preset import Family, Queries
from observatory.sources.prometheus.selectors import match, select
from observatory.sources.prometheus.statuses import FAILED, LABELS, SOUNDS_LIKE_ONE, StatusLabel, status_labels

QUANTILES = {"latency_p50": 0.5, "latency_p95": 0.95, "latency_p99": 0.99}
RATIOS = frozenset({"error_rate", "latency_mean", *QUANTILES})
"""Metrics in which rates are only divided by each other."""

PATH_LABELS = (
    "path",
    "handler",
    "uri",
    "url",
    "route",
    "http_route",
    "http.route",
    "http_target",
    "http.target",
    "url_path",
    "url.path",
    "endpoint",
    "view",
    "page",
)
COMMON = ("code", "status_code", "http_response_status_code", "status", "outcome")

PROBES = (
    "(?i:/?((actuator|-|_|api|internal|manage(ment)?|q|probes?|system|status)/)?"
    "(metrics|prometheus|health([zy]|[-_]?check)?|read(yz?|iness)|live(z|ness)?|startupz?|ping)"
    "(/(live(ness)?|read(y|iness)|startup|metrics|prometheus))?/?)"
)
"""Paths that probes and scrapes ask for: they are no traffic."""


def rate(*selectors: str, le: bool = False, observer: str = "") -> str:
    """Increase a second by service; `observer` is a label of who reports: the one who saw most is believed."""
    by = "le, $by" if le else "$by"
    rates = " or ".join(f"rate({selector}[$window])" for selector in selectors)
    if observer:
        return f"max by ({by}) (sum by ({observer}, {by}) ({rates}))"
    return f"sum by ({by}) ({rates})"


def ratio(errors: str, requests: str) -> str:
    """Errors per request: 0 without any error series, nothing while idle."""
    return f"(({errors} or 0 * {requests}) / ({requests} > 0))"


def scaled(query: str, unit: float) -> str:
    return query if unit == 1 else f"{query} / {unit:g}"


def quantiles(buckets: str, unit: float = 1.0, observer: str = "") -> Queries:
    """Quantiles [s] of a classic histogram's buckets."""
    every = rate(buckets, le=True, observer=observer)
    return {name: scaled(f"histogram_quantile({q}, {every})", unit) for name, q in QUANTILES.items()}


def mean(base: str, matchers: Sequence[str] = (), unit: float = 1.0) -> str:
    """Mean [s] of a histogram or summary."""
    total, count = rate(select(f"{base}_sum", *matchers)), rate(select(f"{base}_count", *matchers))
    return scaled(f"{total} / ({count} > 0)", unit)


def no_probes(inventory: Inventory, name: str) -> list[str]:
    """Matchers that leave out what probes and scrapes ask for."""
    return [match(one, "!~", PROBES) for one in PATH_LABELS if one in inventory.labels(name)]


def statuses(inventory: Inventory, name: str) -> list[StatusLabel]:
    """The labels of a metric that say how a request ended; those that are common where a server has no index."""
    if inventory.names is None:
        return [StatusLabel(one, FAILED) for one in COMMON]
    sounding = [one for one in inventory.labels(name) if one in LABELS or SOUNDS_LIKE_ONE.search(one)]
    return status_labels({one: inventory.values(name, one) for one in sounding})


def told_apart(name: str, matchers: Sequence[str], labels: Sequence[StatusLabel]) -> tuple[list[str], list[str]]:
    """Selectors of the requests that failed, and of all that say how they ended; no series is in two of them."""
    failed, every, before = [], [], list(matchers)
    for one in labels:
        failed.append(select(name, *before, match(one.name, "=~", one.failed)))
        every.append(select(name, *before, match(one.name, "!=", "")))
        before.append(match(one.name, "=", ""))
    return failed, every


def requests(inventory: Inventory, counter: str, matchers: Sequence[str] = ()) -> tuple[Queries, bool]:
    """Request rate, and the error rate where a label tells it; and whether one does."""
    matchers = [*matchers, *no_probes(inventory, counter)]
    found = {"request_rate": rate(select(counter, *matchers))}
    labels = statuses(inventory, counter)
    if labels:
        failed, every = told_apart(counter, matchers, labels)
        found["error_rate"] = ratio(rate(*failed), rate(*every))
    return found, bool(labels)


def histogram(inventory: Inventory, base: str, unit: float = 1.0, matchers: Sequence[str] = ()) -> Family:
    """Golden signals of a classic histogram or a summary."""
    counter = f"{base}_count"
    found, tells = requests(inventory, counter, matchers)
    real = [*matchers, *no_probes(inventory, counter)]
    buckets = select(f"{base}_bucket", *real) if inventory.has(f"{base}_bucket") else ""
    if buckets:
        found |= quantiles(buckets, unit)
    if "quantile" in inventory.labels(base):  # published by each process: the slowest counts
        for name, q in QUANTILES.items():
            published = f"max by ($by) ({select(base, *real, match('quantile', '=', str(q)))})"
            found[name] = " or ".join(filter(None, (found.get(name), scaled(published, unit))))
    found["latency_mean"] = mean(base, real, unit)
    return Family(counter, found, tells, buckets, unit)


def _counted(what: str, *selectors: str) -> str:
    """Count or sum of native histograms a second, by service."""
    rates = " or ".join(f"histogram_{what}(rate({selector}[$window]))" for selector in selectors)
    return f"sum by ($by) ({rates})"


def native(inventory: Inventory, name: str, unit: float = 1.0) -> Family:
    """Golden signals of a native histogram."""
    matchers, labels = no_probes(inventory, name), statuses(inventory, name)
    every = select(name, *matchers)
    count = _counted("count", every)
    found = {"request_rate": count, "latency_mean": scaled(f"{_counted('sum', every)} / ({count} > 0)", unit)}
    for metric, q in QUANTILES.items():
        found[metric] = scaled(f"histogram_quantile({q}, {rate(every)})", unit)
    if labels:
        failed, known = told_apart(name, matchers, labels)
        found["error_rate"] = ratio(_counted("count", *failed), _counted("count", *known))
    return Family(name, found, bool(labels), unit=unit)
