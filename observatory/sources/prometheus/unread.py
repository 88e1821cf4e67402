"""What a server has that no preset reads, and the settings that would read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from observatory.errors import QueryRefusedError
from observatory.sources.prometheus.inventory import Inventory
from observatory.sources.prometheus.plan import Plan
from observatory.sources.prometheus.selectors import any_of

_LIKELY = re.compile(
    r"(?:.*_)?(?:requests?|responses?|queries|jobs?|tasks?|messages?|transactions?|calls?|operations?|commands?|errors?|failures?)"
    r"(?:_[a-z]+)?_total|.*_(?:duration|latency|time|lag)(?:_[a-z]+)?(?:_count)?|.*_(?:lag|queue_(?:length|size|depth)|backlog|up)"
)
_OWN_BUSINESS = re.compile(
    r"(?:go|process|python|jvm|nodejs|dotnet|ruby|promhttp|scrape|net_conntrack|prometheus|alertmanager|node|kube"
    r"|container|machine|up|probe|cadvisor|tomcat|hikaricp|logback|blackbox|redis_exporter|rest_client|workqueue)_.*"
)
MOST = 10


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
    bases = {re.sub(r"_(?:count|bucket|sum)$", "", name) for name in read}
    names = [
        name
        for name in sorted(inventory.names)
        if _LIKELY.fullmatch(name)
        and not _OWN_BUSINESS.fullmatch(name)
        and name not in read
        and re.sub(r"_(?:count|bucket|sum)$", "", name) not in bases
        and not name.endswith(("_created", "_bucket", "_sum"))
    ]
    if not names:
        return
    query = f'topk({MOST}, count by (__name__, job) ({{__name__=~"{any_of(names[:300])}"}}))'
    try:
        series = inventory.client.instant(query.replace("\\", "\\\\"), inventory.at).series
    except QueryRefusedError:
        return
    for one in sorted(series, key=lambda one: -one.values[0]):
        name, job = one.labels.get("__name__", ""), one.labels.get("job", "")
        yield Unread(name, int(one.values[0]), job, _settings(name))


def _settings(name: str) -> str:
    metric, query = _reading(name)
    preset = re.sub(r"_(?:total|count|seconds|milliseconds)", "", name).replace("_", "-")
    return f'[preset.{preset}]\nlabels = ["job"]\nqueries = {{ {metric} = "{query}" }}'


def _reading(name: str) -> tuple[str, str]:
    """The metric that it most likely is, and a query of it."""
    if name.endswith("_total"):
        return "request_rate", f"sum by ($by) (rate({name}[$window]))"
    if name.endswith("_count"):
        return "request_rate", f"sum by ($by) (rate({name}[$window]))"
    return ("up", f"min by ($by) ({name})") if name.endswith("_up") else ("queue_lag", f"sum by ($by) ({name})")
