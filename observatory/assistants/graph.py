"""Graph: who calls whom."""

from __future__ import annotations

from observatory.analysis.call_graph import Edge, call_graph
from observatory.assistants.answers import Answer, Rows
from observatory.assistants.arguments import Graph
from observatory.runtime.reader import Reader


def graph(reader: Reader, asked: Graph) -> Answer:
    """Calls, all or around a service; what is outside of all services has its kind in front, as in database:orders."""
    found = call_graph(reader.store, asked.service or None, asked.hops)
    facts: dict[str, object] = {"calls_in_all": len(found.edges)}
    centre = found.centre
    if centre is not None:
        near = [edge for edge in found.edges if centre in (edge.caller, edge.callee)]
        facts |= {
            "service": centre.name,
            "called_by": [str(edge.caller) for edge in near if edge.callee == centre][: asked.limit],
            "calls": [str(edge.callee) for edge in near if edge.caller == centre][: asked.limit],
        }
    if not found.edges:
        facts["note"] = "no calls are known here: that does not say that there are none"
    narrow = "name a service, take fewer hops, or raise limit"
    return Answer(facts, Rows("edges", [_row(edge) for edge in found.edges[: asked.limit]], len(found.edges), narrow))


def _row(edge: Edge) -> dict[str, object]:
    return {
        "caller": str(edge.caller),
        "callee": str(edge.callee),
        "known_by": ", ".join(edge.kinds),
        "last_seen_at": edge.last_seen,
    }
