"""What a server has that no preset reads, and the settings that would read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from observatory.errors import QueryRefusedError
from observatory.sources.prometheus.inventory import Inventory
from observatory.sources.prometheus.plan import Plan
from observatory.sources.prometheus.selectors import any_of, match, select

_LIKELY = re.compile(
    r"(?:.*[_.:])?(?:requests?|responses?|queries|jobs?|tasks?|messages?|transactions?|calls?|operations?|commands?|errors?|failures?)"
    r"(?:_[a-z]+)?_total|.*_(?:duration|latency|time|lag)(?:_[a-z]+)?(?:_count)?|.*_(?:lag|queue_(?:length|size|depth)|backlog)"
)
_OWN_BUSINESS = re.compile(
    r"(?:go|process|python|jvm|nodejs|dotnet|ruby|promhttp|scrape|net_conntrack|prometheus|alertmanager|node|kube"
    r"|container|machine|up|probe|cadvisor|tomcat|hikaricp|logback|blackbox|redis_exporter|rest_client|workqueue)_.*"
    r"|.*_(?:start|uptime|last|modification|expiry|expiration)_(?:[a-z]+_)*time(?:_[a-z]+)?|.*_uptime(?:_[a-z]+)?"
)
_ENDINGS = re.compile(r"_(?:count|bucket|sum)$")
MOST, MOST_NAMES = 10, 300
"""So many are told, of so many that are asked for."""
ALL = "ALL_REQUESTS"
"""In a suggestion what only the user can know."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A metric that no preset reads: how many series it has, and lines of ``observatory.toml`` that would read it."""

    name: str
    series: int
    job: str
    settings: str


def unread(inventory: Inventory, plan: Plan) -> Iterator[Unread]:
    """Metrics that look as if they told something of a service, those with most series in front."""
    if inventory.names is None:
        return
    asked = " ".join(query for one in plan.asked for query in one.queries.values())
    read = set(re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", asked)) | {one.family.name for one in plan.asked}
    bases = {_ENDINGS.sub("", name) for name in read}
    names = [
        name
        for name in sorted(inventory.names)
        if _LIKELY.fullmatch(name)
        and not _OWN_BUSINESS.fullmatch(name)
        and name not in read
        and _ENDINGS.sub("", name) not in bases
        and not name.endswith(("_created", "_bucket", "_sum"))
    ]
    if not names:
        return
    query = f"topk({MOST}, count by (__name__, job) ({{{match('__name__', '=~', any_of(names[:MOST_NAMES]))}}}))"
    try:
        series = inventory.client.instant(query, inventory.at).series
    except QueryRefusedError:
        return
    for one in sorted(series, key=lambda one: -one.values[0]):
        name, job = one.labels.get("__name__", ""), one.labels.get("job", "")
        yield Unread(name, int(one.values[0]), job, _settings(name))


def _settings(name: str) -> str:
    """Lines of TOML; a query is between single quotes, as names of Prometheus 3 have double ones."""
    metric, query = _reading(name)
    word = [f"# {ALL}: the counter of everything that may fail like this"] if ALL in query else []
    preset = re.sub(r"\W+", "-", re.sub(r"_(?:total|count|seconds|milliseconds)", "", name)).replace("_", "-")
    return "\n".join([*word, f"[preset.{preset}]", 'labels = ["job"]', f"queries = {{ {metric} = '{query}' }}"])


def _reading(name: str) -> tuple[str, str]:
    """The metric that it most likely is, and a query of it."""
    selector = select(name)
    if re.search(r"(?:errors?|failures?)(?:_[a-z]+)?_total$", name):
        return "error_rate", f"sum by ($by) (rate({selector}[$window])) / sum by ($by) (rate({ALL}[$window]))"
    if name.endswith(("_total", "_count")):
        return "request_rate", f"sum by ($by) (rate({selector}[$window]))"
    unit = " / 1000" if name.endswith(("_milliseconds", "_ms")) else ""
    if re.search(r"_(?:duration|latency|time)(?:_[a-z]+)?$", name):
        return "latency_mean", f"avg by ($by) ({selector}){unit}"
    if re.search(r"_lag_(?:milli)?seconds$", name):
        return "replica_lag", f"max by ($by) ({selector}){unit}"
    return "queue_lag", f"sum by ($by) ({selector})"
