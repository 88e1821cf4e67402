"""Who calls whom, as a table, in the language of Graphviz, and as plain values."""

from __future__ import annotations

from typing import Any

import pandas as pd

from observatory.analysis.call_graph import CallGraph, Edge, Node
from observatory.times import TIME, rfc3339

COLUMNS = ["caller", "callee", "known by", "source", "first seen", "last seen"]


def call_table(graph: CallGraph) -> pd.DataFrame:
    """A row a call; what is outside has its kind in front, as in ``database:orders``."""
    rows = [
        (
            str(edge.caller),
            str(edge.callee),
            ", ".join(edge.kinds),
            ", ".join(edge.sources),
            f"{edge.first_seen:{TIME}}" if edge.first_seen else "",
            f"{edge.last_seen:{TIME}}" if edge.last_seen else "",
        )
        for edge in graph.edges
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def to_dot(graph: CallGraph) -> str:
    """The graph for ``dot``: services are rounded boxes, what is outside grey squares, the centre is bold."""
    lines = [
        "digraph calls {",
        "  rankdir=LR;",
        '  node [shape=box, style=rounded, fontname="sans-serif"];',
    ]
    for node in graph.nodes:
        facts = []
        if not node.is_service:
            facts = [f"label={_quoted(node.name)}", "style=filled", "fillcolor=lightgrey"]
        elif node == graph.centre:
            facts = ['style="rounded,bold"']
        lines.append(f"  {_quoted(str(node))}{' [' + ', '.join(facts) + ']' if facts else ''};")
    lines += [
        f"  {_quoted(str(edge.caller))} -> {_quoted(str(edge.callee))} [tooltip={_quoted(', '.join(edge.kinds))}];"
        for edge in graph.edges
    ]
    return "\n".join([*lines, "}"])


def to_plain(graph: CallGraph) -> dict[str, Any]:
    """The graph as the REST API has it."""
    return {
        "service": graph.centre.name if graph.centre else None,
        "nodes": [_node(node) for node in graph.nodes],
        "calls": [_call(edge) for edge in graph.edges],
    }


def _node(node: Node) -> dict[str, str]:
    return {"name": node.name, "type": str(node.is_a)}


def _call(edge: Edge) -> dict[str, Any]:
    return {
        "caller": edge.caller.name,
        "caller_type": str(edge.caller.is_a),
        "callee": edge.callee.name,
        "callee_type": str(edge.callee.is_a),
        "kinds": list(edge.kinds),
        "sources": list(edge.sources),
        "first_seen": rfc3339(edge.first_seen) if edge.first_seen else None,
        "last_seen": rfc3339(edge.last_seen) if edge.last_seen else None,
    }


def _quoted(text: str) -> str:
    """A text in the language of Graphviz, where a backslash has a meaning."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
