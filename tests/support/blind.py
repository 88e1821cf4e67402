"""A server that answers queries and nothing else: it has no index, and everything may be there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from support.servers import FaultyServer, Reply, Request, refusal, success

from observatory.sources.prometheus.about import Build
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.inventory import Inventory
from observatory.sources.prometheus.plan import FAMILY, batches, make_plan, marked
from observatory.sources.prometheus.presets import PRESETS, chosen
from observatory.sources.prometheus.presets.preset import Preset
from observatory.sources.prometheus.transport import LONGEST_POSTED

Choose = Callable[[Request], Reply]


def blind(reply: Reply | Choose) -> Choose:
    """Answers queries of families by `reply`; of what the server has it knows nothing."""

    def choose(request: Request) -> Reply:
        if request.path not in ("/api/v1/query", "/api/v1/query_range"):
            return refusal(404, "no such endpoint")
        if FAMILY not in request.fields["query"]:
            return refusal(422, "not understood") if "label_set" in request.fields["query"] else success([])
        return reply if isinstance(reply, Reply) else reply(request)

    return choose


def parts(
    presets: Sequence[str] = (), available: Mapping[str, Preset] = PRESETS, *, live: bool = False
) -> dict[str, dict[str, str]]:
    """What is asked of such a server, for many times or `live`, by metric and family, as the source words it."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    inventory = Inventory(cast(PrometheusClient, None), now, now, Build(), None)
    plan = make_plan(inventory, chosen(presets, available), window=300)
    asked = plan.now if live else plan.over_time
    return {metric: {key: marked(q, key) for key, q in queries.items()} for metric, queries in asked.items()}


def queries(presets: Sequence[str] = ()) -> int:
    """How many queries a cycle takes there."""
    return sum(len(list(batches(of, LONGEST_POSTED))) for of in parts(presets, live=True).values())


def by_metric(answer: Callable[[str], Reply], **asked: Any) -> Choose:
    """Answers by the metric, or what stands for some, that is asked for live, of all families or of one."""
    known = parts(**asked, live=True)

    def choose(request: Request) -> Reply:
        query = request.fields["query"]
        return answer(
            next(metric for metric, queries in known.items() if any(one in query for one in queries.values()))
        )

    return blind(choose)


def asked_of(server: FaultyServer) -> list[Request]:
    """The requests for values of families."""
    return [one for one in server.requests if FAMILY in one.fields.get("query", "")]
