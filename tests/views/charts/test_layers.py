"""Nodes of a graph get places from left to right, apart from each other, also with circles and thousands of edges."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from observatory.views.charts.layers import MOST_LAYERS, arrange

GRAPHS = st.integers(1, 12).flatmap(
    lambda count: st.tuples(
        st.just(count), st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=40)
    )
)


def crossings(places: list[tuple[float, float]], edges: list[tuple[int, int]]) -> int:
    """Pairs of edges between the same two layers that cross."""
    lines = [(places[a], places[b]) for a, b in edges]
    return sum(
        (one[0][0], one[1][0]) == (other[0][0], other[1][0])
        and (one[0][1] - other[0][1]) * (one[1][1] - other[1][1]) < 0
        for number, one in enumerate(lines)
        for other in lines[:number]
    )


@pytest.mark.slow
@settings(deadline=None)
@given(GRAPHS)
def test_nodes_of_a_layer_are_a_row_apart_and_the_same_graph_gets_the_same_places(graph) -> None:
    count, edges = graph
    places, routes = arrange(count, edges)
    assert (places, routes) == arrange(count, edges)
    assert len(places) == count
    for number, (column, row) in enumerate(places):
        assert row > -1e-9
        assert all(abs(row - other) > 1 - 1e-6 for place, other in places[:number] if place == column)


@pytest.mark.slow
@settings(deadline=None)
@given(GRAPHS)
def test_without_circles_every_call_leads_to_the_right(graph) -> None:
    count, edges = graph
    places, _ = arrange(count, [(a, b) for a, b in edges if a < b])
    assert all(places[a][0] < places[b][0] for a, b in edges if a < b)


def test_a_circle_is_opened_where_it_was_entered() -> None:
    places, _ = arrange(4, [(0, 1), (1, 2), (2, 3), (3, 1), (2, 2)])
    assert [column for column, _ in places] == [0, 1, 2, 3]


def test_edges_do_not_cross_where_they_need_not() -> None:
    edges = [(0, 5), (1, 4), (2, 3), (3, 8), (4, 7), (5, 6)]
    places, _ = arrange(9, edges)
    assert crossings(places, edges) == 0


def test_who_calls_late_stands_beside_what_it_calls() -> None:
    places, _ = arrange(5, [(0, 1), (1, 2), (2, 3), (4, 3)])
    assert places[4][0] == 2


def test_an_edge_over_other_layers_passes_between_their_nodes() -> None:
    places, routes = arrange(4, [(0, 1), (1, 2), (0, 2), (2, 3)])
    ((bend,),) = routes.values()
    assert routes.keys() == {(0, 2)}
    assert bend[0] == places[1][0]
    assert abs(bend[1] - places[1][1]) > 0.5


def test_five_thousand_edges_in_circles_are_a_few_layers() -> None:
    places, _ = arrange(500, [(i % 500, (i * 7 + i // 500 + 1) % 500) for i in range(5000)])
    assert max(column for column, _ in places) <= MOST_LAYERS


def test_a_long_circle_is_not_a_long_line() -> None:
    places, _ = arrange(300, [(number, (number + 1) % 300) for number in range(300)])
    assert max(column for column, _ in places) <= MOST_LAYERS


def test_no_nodes_need_no_places() -> None:
    assert arrange(0, []) == ([], {})
