"""The figure of calls tells services, their health and what is outside apart, and follows what it is shown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from observatory.analysis.call_graph import CallGraph, Node, graph_of
from observatory.model import Band, Call, End
from observatory.views.charts.calls import FEW, CallFigure, drawing
from observatory.views.components.theme import palette

COLOURS = palette(dark=False)
SEEN = datetime(2026, 3, 4, 12, tzinfo=UTC)
GRAPH = graph_of(
    [
        Call("shop/web", "shop/cart", "istio", "eu", SEEN, SEEN),
        Call("shop/cart", "shop/web", "istio", "eu"),
        Call("user", "shop/web", caller_is=End.USER),
        Call("shop/cart", "carts", callee_is=End.DATABASE),
    ]
)
BANDS = {"shop/web": Band.CRITICAL, "shop/cart": Band.HEALTHY}


def column(name: str, graph: CallGraph = GRAPH) -> dict[str, object]:
    found = drawing(graph, BANDS, COLOURS).nodes
    return dict(zip(found["name"], found[name], strict=True))


def test_services_have_the_colour_of_their_health_and_what_is_outside_is_a_grey_square() -> None:
    assert column("fill") == {
        "shop/web": COLOURS["critical"],
        "shop/cart": COLOURS["healthy"],
        "user": COLOURS["faint"],
        "carts": COLOURS["faint"],
    }
    assert column("marker") == {"shop/web": "circle", "shop/cart": "circle", "user": "square", "carts": "square"}
    assert column("what") == {"shop/web": "critical", "shop/cart": "healthy", "user": "users", "carts": "a database"}


def test_names_are_short_where_all_services_share_their_front() -> None:
    assert set(column("label").values()) == {"web", "cart", "user", "carts"}
    two = graph_of([Call("shop/web", "bank/pay")])
    assert set(column("label", two).values()) == {"shop/web", "bank/pay"}
    long = graph_of([Call("shop/" + "x" * 80, "bank/pay")])
    assert max(len(str(label)) for label in column("label", long).values()) == 30


def test_the_service_that_is_looked_at_stands_out() -> None:
    found = GRAPH.around(Node("shop/cart"))
    sizes = column("size", found)
    assert sizes["shop/cart"] == max(sizes.values())
    assert [name for name, weight in column("weight", found).items() if weight == "bold"] == ["shop/cart"]


def test_lines_begin_and_end_at_their_nodes_and_say_how_they_are_known() -> None:
    drawn = drawing(GRAPH, BANDS, COLOURS)
    places = list(zip(drawn.nodes["x"], drawn.nodes["y"], strict=True))
    lines = drawn.lines
    for start, end, xs, ys in zip(*(lines[name] for name in ("start", "end", "xs", "ys")), strict=True):
        assert (xs[0], ys[0]) == pytest.approx(places[start], abs=0.001)
        assert (xs[-1], ys[-1]) == pytest.approx(places[end], abs=0.001)
    assert "shop/web → shop/cart" in lines["name"]
    assert "known by istio; last seen 2026-03-04 12:00 UTC" in lines["what"]


def test_many_rows_have_their_names_beside_the_nodes_and_the_figure_grows() -> None:
    few, many = (drawing(graph_of([Call("hub", f"s{n}") for n in range(count)]), {}, COLOURS) for count in (3, 100))
    assert not few.dense
    assert many.dense
    assert many.rows > FEW
    assert few.height < 400 < many.height


def test_a_click_on_a_service_opens_it_and_one_on_a_database_opens_nothing() -> None:
    opened: list[str] = []
    figure = CallFigure(COLOURS, opened.append)
    figure.show(drawing(GRAPH, BANDS, COLOURS))
    for name in ("carts", "shop/cart"):
        figure.nodes.selected.indices = [figure.nodes.data["name"].index(name)]
    assert opened == ["shop/cart"]


def test_another_graph_takes_the_place_of_the_one_before() -> None:
    figure = CallFigure(COLOURS)
    figure.show(drawing(GRAPH, BANDS, COLOURS))
    figure.show(drawing(CallGraph(), {}, COLOURS))
    assert (figure.nodes.data["name"], figure.lines.data["xs"], figure.labels.data["label"]) == ([], [], [])


def test_it_takes_the_colours_of_the_page() -> None:
    figure = CallFigure(COLOURS)
    figure.restyle(palette(dark=True))
    assert figure._names.text_color == palette(dark=True)["ink"]
