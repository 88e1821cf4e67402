"""The graph of calls: whole and around a service, with circles, loops and thousands of calls."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from observatory.analysis.call_graph import CallGraph, Node, call_graph, graph_of
from observatory.display.calls import call_table, to_dot, to_plain
from observatory.errors import InvalidInputError, UnknownServiceError
from observatory.model import Call, End, Service
from observatory.store import open_store

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
CHAIN = [Call("a", "b"), Call("b", "c"), Call("c", "d")]


def names(graph: CallGraph) -> list[str]:
    return [str(node) for node in graph.nodes]


def pairs(graph: CallGraph) -> list[tuple[str, str]]:
    return [(str(edge.caller), str(edge.callee)) for edge in graph.edges]


def test_all_ways_in_which_a_call_is_known_are_one_edge_with_the_times_of_all() -> None:
    hour = timedelta(hours=1)
    graph = graph_of(
        [
            Call("a", "b", "spans", "eu", NOW, NOW + hour),
            Call("a", "b", "istio", "us", NOW - hour, NOW),
            Call("a", "b", last_seen=NOW + 2 * hour),
        ]
    )
    (edge,) = graph.edges
    assert (edge.kinds, edge.sources) == (("istio", "spans"), ("eu", "us"))
    assert (edge.first_seen, edge.last_seen) == (NOW - hour, NOW + 2 * hour)


def test_a_neighbourhood_has_callers_callees_and_the_calls_between_them() -> None:
    graph = graph_of([*CHAIN, Call("a", "c"), Call("x", "y")])
    assert names(graph.around(Node("b"))) == ["a", "b", "c"]
    assert pairs(graph.around(Node("b"))) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert names(graph.around(Node("b"), 2)) == ["a", "b", "c", "d"]
    assert names(graph.around(Node("b"), 0)) == ["b"]


def test_nothing_is_reached_through_what_is_outside() -> None:
    user = [Call("user", name, caller_is=End.USER) for name in ("web", "shop")]
    assert names(graph_of(user).around(Node("web"), 5)) == ["user:user", "web"]


def test_a_service_without_calls_is_alone() -> None:
    graph = graph_of(CHAIN).around(Node("z"))
    assert (names(graph), graph.edges) == (["z"], ())


def test_circles_and_calls_to_itself_do_no_harm() -> None:
    graph = graph_of([Call("a", "b"), Call("b", "a"), Call("a", "a"), Call("b", "c"), Call("c", "a")])
    assert pairs(graph) == [("a", "b"), ("b", "a"), ("b", "c"), ("c", "a")]
    assert names(graph.around(Node("a"), 9)) == ["a", "b", "c"]


def test_a_database_with_the_name_of_a_service_is_another_node() -> None:
    graph = graph_of([Call("orders", "orders", callee_is=End.DATABASE), Call("web", "orders")])
    assert names(graph) == ["database:orders", "orders", "web"]


def test_a_name_that_turned_out_to_be_a_service_is_there_once() -> None:
    calls = [
        Call("shop/web", "cart", callee_is=End.UNKNOWN),
        Call("shop/web", "eu/shop/cart"),
        Call("web", "eu/shop/cart", caller_is=End.UNKNOWN),
        Call("shop/web", "other", callee_is=End.UNKNOWN),
    ]
    assert pairs(graph_of(calls)) == [("shop/web", "eu/shop/cart"), ("shop/web", "unknown:other")]


@pytest.mark.parametrize("hops", [-1, 21])
def test_hops_beyond_what_makes_sense_are_refused(hops: int) -> None:
    with pytest.raises(InvalidInputError, match=f"hops = {hops}: give 0 to 20"):
        graph_of(CHAIN).around(Node("a"), hops)


def test_a_service_is_found_by_a_name_of_before_and_a_wrong_one_is_refused() -> None:
    with open_store(":memory:") as store:
        store.register([Service("a"), Service("b")])
        store.write_calls(CHAIN, NOW)
        store.names.rename("b", "better", NOW)
        assert names(call_graph(store, "b")) == ["a", "better", "c"]
        with pytest.raises(UnknownServiceError, match="'bettr': did you mean better"):
            call_graph(store, "bettr")


def test_calls_unseen_for_a_week_are_there_when_asked_for() -> None:
    with open_store(":memory:") as store:
        store.write_calls([CHAIN[0]], NOW - timedelta(days=8))
        store.write_calls([CHAIN[1]], NOW)
        assert pairs(call_graph(store)) == [("b", "c")]
        assert pairs(call_graph(store, everything=True)) == [("a", "b"), ("b", "c")]


def test_five_thousand_calls_are_one_graph() -> None:
    calls = [Call(f"s{i % 500}", f"s{(i * 7 + i // 500 + 1) % 500}") for i in range(5000)]
    graph = graph_of(calls)
    assert len(graph.nodes) == 500
    assert len(graph.around(Node("s0"), 3).nodes) > 100


# -- as text ----------------------------------------------------------------------------------

HOSTILE = 'a"b\\n<&>'
SHOWN = graph_of([Call("web", HOSTILE, "istio", "eu", NOW, NOW), Call("user", "web", caller_is=End.USER)])


def test_a_table_has_the_kind_of_what_is_outside_in_front() -> None:
    table = call_table(SHOWN)
    assert list(table["caller"]) == ["user:user", "web"]
    assert list(table.iloc[1]) == ["web", HOSTILE, "istio", "eu", "2026-03-04 12:00", "2026-03-04 12:00"]


def test_dot_quotes_what_names_hold() -> None:
    text = to_dot(SHOWN)
    assert '"web" -> "a\\"b\\\\n<&>" [tooltip="istio"];' in text
    assert '"user:user" [label="user", style=filled, fillcolor=lightgrey];' in text
    if dot := shutil.which("dot"):
        subprocess.run([dot, "-Tsvg"], input=text.encode(), check=True, capture_output=True)


def test_no_graph_is_a_graph_too() -> None:
    assert to_dot(CallGraph()).endswith("}")
    assert len(call_table(CallGraph())) == 0
    assert json.dumps(to_plain(CallGraph())) == '{"service": null, "nodes": [], "calls": []}'
