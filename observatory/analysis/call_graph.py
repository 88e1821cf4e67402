"""Who calls whom, as a graph: whole, or around one service.

>>> from observatory.model import Call
>>> graph = graph_of([Call("web", "cart"), Call("cart", "carts", callee_is=End.DATABASE), Call("pay", "bank")])
>>> [str(node) for node in graph.around(Node("web"), hops=2).nodes]
['cart', 'database:carts', 'web']
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from observatory.errors import InvalidInputError
from observatory.model import UNKNOWN_KIND, Call, End
from observatory.store.reader import StoreReader

MOST_HOPS = 20


@dataclass(frozen=True, slots=True)
class Node:
    """One end of calls: a service, or something outside that may have the name of one."""

    name: str
    is_a: End = End.SERVICE

    @property
    def is_service(self) -> bool:
        """Whether it is a service."""
        return self.is_a is End.SERVICE

    def __str__(self) -> str:
        return self.name if self.is_service else f"{self.is_a}:{self.name}"


@dataclass(frozen=True, slots=True)
class Edge:
    """That `caller` calls `callee`: all ways in which that is known, since when, and until when (UTC, or None)."""

    caller: Node
    callee: Node
    kinds: tuple[str, ...]
    sources: tuple[str, ...]
    first_seen: datetime | None
    last_seen: datetime | None


@dataclass(frozen=True)
class CallGraph:
    """Calls, sorted by their ends."""

    edges: tuple[Edge, ...] = ()
    centre: Node | None = None
    """The service whose surroundings these are."""

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """Everything that calls or is called, and the centre, by name."""
        found = {node for edge in self.edges for node in (edge.caller, edge.callee)}
        if self.centre is not None:
            found.add(self.centre)
        return tuple(sorted(found, key=lambda node: (node.name, node.is_a)))

    @cached_property
    def neighbours(self) -> Mapping[Node, frozenset[Node]]:
        """By node, whom it calls and who calls it."""
        found: dict[Node, set[Node]] = defaultdict(set)
        for edge in self.edges:
            found[edge.caller].add(edge.callee)
            found[edge.callee].add(edge.caller)
        return {node: frozenset(others) for node, others in found.items()}

    def around(self, centre: Node, hops: int = 1) -> CallGraph:
        """What is within some calls of a service, in either direction, with all calls between these.

        Nothing is reached through what is outside: many services have the same users, and nothing else in common.

        Raises
        ------
        InvalidInputError
            `hops` is negative, or more than `MOST_HOPS`.
        """
        if not 0 <= hops <= MOST_HOPS:
            raise InvalidInputError(f"hops = {hops}: give 0 to {MOST_HOPS}")
        inside, edge_of = {centre}, [centre]
        for _ in range(hops):
            reached = {other for node in edge_of if node.is_service for other in self.neighbours.get(node, ())}
            edge_of = list(reached - inside)
            inside |= reached
        kept = [edge for edge in self.edges if edge.caller in inside and edge.callee in inside]
        return CallGraph(tuple(kept), centre)


def call_graph(store: StoreReader, service: str | None = None, hops: int = 1, everything: bool = False) -> CallGraph:
    """The calls that a store knows: all of them, or those around a service; see `CallGraph.around`.

    `everything` has also what was not seen for a week.

    Raises
    ------
    UnknownServiceError, InvalidInputError
        There is no such service; `hops` cannot be.
    """
    whole = graph_of(store.graph(everything))
    return whole if service is None else whole.around(Node(store.service(service).name), hops)


def graph_of(calls: Iterable[Call]) -> CallGraph:
    """The graph of some calls.

    A call of a service to itself is none. A name that nobody knew for a while is left out where the service it turned
    out to be is at the same place.
    """
    by_ends: dict[tuple[Node, Node], list[Call]] = defaultdict(list)
    for call in calls:
        ends = Node(call.caller, call.caller_is), Node(call.callee, call.callee_is)
        if ends[0] != ends[1]:
            by_ends[ends].append(call)
    known = {ends for ends in by_ends if all(node.is_service for node in ends)}
    short = {(a.name, end) for a, b in known for end in _ends_of(b.name)}
    short_back = {(end, b.name) for a, b in known for end in _ends_of(a.name)}
    edges = []
    for (caller, callee), found in sorted(by_ends.items(), key=lambda item: tuple(map(str, item[0]))):
        if callee.is_a is End.UNKNOWN and (caller.name, callee.name) in short:
            continue
        if caller.is_a is End.UNKNOWN and (caller.name, callee.name) in short_back:
            continue
        edges.append(_edge(caller, callee, found))
    return CallGraph(tuple(edges))


def _ends_of(name: str) -> list[str]:
    """What a service may be called without its front: all of ``eu/shop/cart``, ``shop/cart`` and ``cart``."""
    parts = name.split("/")
    return ["/".join(parts[number:]) for number in range(len(parts))]


def _edge(caller: Node, callee: Node, calls: Iterable[Call]) -> Edge:
    found = list(calls)
    kinds = sorted({call.kind for call in found} - {UNKNOWN_KIND}) or [UNKNOWN_KIND]
    first = [call.first_seen for call in found if call.first_seen is not None]
    last = [call.last_seen for call in found if call.last_seen is not None]
    return Edge(
        caller,
        callee,
        tuple(kinds),
        tuple(sorted({call.source for call in found if call.source})),
        min(first, default=None),
        max(last, default=None),
    )
