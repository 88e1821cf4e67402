"""Every registered view can be shown, whatever is in the store, and asks nobody outside for anything."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pandas as pd
import pytest
import support.shop
from bokeh.document import Document
from bokeh.models import Model
from views.conftest import HOSTILE, anomaly

from observatory.catalog import METRICS
from observatory.model import Service
from observatory.runtime import Runtime
from observatory.store import Store
from observatory.views import VIEWS, radar, view_names
from observatory.views import service as drilldown
from observatory.views.charts.charts import milliseconds
from observatory.views.components.anomalies import AnomalyList
from observatory.views.components.base import ASSETS, Component
from observatory.views.components.browser import Browser
from observatory.views.components.score import score_table
from observatory.views.page import Page, first_view, query_of, wants_dark
from observatory.views.radar import AnomalyRadar, filters, passes
from observatory.views.session.state import State

NAMES = view_names()


def models(view: object) -> Iterator[Model]:
    """Everything a browser would be sent."""
    document = Document()
    root = view.__panel__().get_root(document)
    document.add_root(root)
    document.validate()
    document.to_json(deferred=False)
    yield from root.references()


def data_of(view: object, kind: str) -> list[dict[str, object]]:
    return [model.data.data for model in models(view) if getattr(model, "class_name", "") == kind]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("runtime", ["bare", "shop"])
def test_a_view_can_be_shown(name: str, runtime: str, request: pytest.FixtureRequest) -> None:
    view = VIEWS.get(name)(request.getfixturevalue(runtime), State(view=name))
    assert list(models(view))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_view_follows_its_state(name: str, shop: Runtime) -> None:
    state = State(view=name)
    view = VIEWS.get(name)(shop, state)
    for change in ({"service": "shop/cart"}, {"span": "1h"}, {"dark": False}, {"service": HOSTILE}, {"service": ""}):
        state.param.update(**change)
        assert list(models(view))


@pytest.mark.parametrize("name", NAMES)
def test_a_view_has_a_title_of_its_own(name: str) -> None:
    assert VIEWS.get(name).title
    assert len({VIEWS.get(other).title for other in NAMES}) == len(NAMES)


SENT = [path for path in sorted(ASSETS.iterdir()) if path.suffix in (".css", ".html", ".js")]


@pytest.mark.parametrize("path", SENT, ids=lambda path: path.name)
def test_what_is_sent_names_no_other_address(path) -> None:
    addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+", path.read_text()))
    assert addresses <= {"http://www.w3.org"}
    assert "@import" not in path.read_text()


@pytest.mark.slow
def test_the_drilldown_shows_the_service_that_is_asked_for(shop: Runtime) -> None:
    view = VIEWS.get("health")(shop, State(service="shop/cart"))
    (head,) = data_of(view, "ServiceHead")
    assert (head["name"], head["known"], head["charts"], head["error"]) == ("cart", True, True, "")
    (table,) = data_of(view, "ScoreTable")
    assert [part["name"] for part in table["parts"]] == [
        "availability",
        "latency",
        "saturation",
        "stability",
        "anomaly",
    ]
    (found,) = data_of(view, "AnomalyList")
    assert [item["severity"] for item in found["items"]] == ["critical", "low"]
    assert found["items"][0]["evidence"][0]["expected"] == "100–400 ms"


@pytest.mark.slow
def test_an_unknown_service_is_refused_with_names_that_are_close(shop: Runtime) -> None:
    (head,) = data_of(VIEWS.get("health")(shop, State(service="shop/crat")), "ServiceHead")
    assert "did you mean shop/cart" in head["error"]
    assert not head["known"]


@pytest.mark.slow
def test_zooming_reads_the_part_in_more_detail(shop: Runtime) -> None:
    state = State(service="shop/cart")
    view = VIEWS.get("health")(shop, state)
    end = shop.clock()
    state.window = (end.replace(hour=6), end.replace(hour=7))
    (head,) = data_of(view, "ServiceHead")
    assert head["zoomed"] == "Mar 2, 06:15 – 07:15 UTC"
    assert head["summarised"] == ""


@pytest.mark.slow
def test_a_refresh_leaves_the_range_that_somebody_is_dragging(shop: Runtime) -> None:
    state = State(service="shop/cart")
    view = drilldown.Drilldown(shop, state)
    list(models(view))
    before = view._time.start, view._time.end
    start, end = milliseconds(shop.clock().replace(hour=6)), milliseconds(shop.clock().replace(hour=7))
    view._time.update(start=start, end=end)  # as the browser does while the mouse moves
    state.param.trigger("overview")
    assert (view._time.start, view._time.end) == (start, end)
    view._dragged()  # and lets go
    assert state.window == (shop.clock().replace(hour=6), shop.clock().replace(hour=7))
    view._on_message({"unzoom": True})
    assert (view._time.start, view._time.end) == before


@pytest.mark.slow
def test_another_service_begins_with_its_whole_range(shop: Runtime) -> None:
    state = State(service="shop/cart")
    view = drilldown.Drilldown(shop, state)
    list(models(view))
    before = view._time.start, view._time.end
    view._time.start += 60_000
    state.service = "shop/search"
    assert (view._time.start, view._time.end) == before


def called(shop: Runtime, **state: object) -> tuple[State, drilldown.Drilldown]:
    """The page of a service of the demo, whose calls have been read."""
    assert shop.read_calls() == []
    chosen = State(**{"service": "shop/payments", "overview": shop.overview()} | state)
    return chosen, drilldown.Drilldown(shop, chosen)


@pytest.mark.slow
def test_the_page_of_a_service_shows_its_calls_and_more_on_demand(shop: Runtime) -> None:
    state, view = called(shop)
    figure = view._calls._figure
    assert figure is not None
    assert sorted(figure.nodes.data["name"]) == [
        "api.acquirer.example",
        "shop/checkout",
        "shop/orders-db",
        "shop/payments",
    ]
    (head,) = data_of(view, "CallHead")
    assert (head["note"], head["choice"], head["drawn"]) == ("3 services, 3 calls, 1 outside", "1", True)
    view._calls._on_message({"calls": "all"})
    figure = view._calls._figure
    assert len(figure.nodes.data["name"]) == 16
    assert state.query().endswith("calls=all")
    view._calls._on_message({"calls": "999"})
    assert state.calls == "all", "what is no choice changes nothing"
    figure.nodes.selected.indices = [figure.nodes.data["name"].index("shop/email")]
    assert state.service == "shop/email"
    figure = view._calls._figure
    weights = dict(zip(figure.labels.data["name"], figure.labels.data["weight"], strict=True))
    assert [name for name, weight in weights.items() if weight == "bold"] == ["shop/email"]


@pytest.mark.slow
def test_calls_are_drawn_again_when_they_change_and_not_with_every_look(
    shop: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, view = called(shop)
    drawn: list[object] = []
    figure = view._calls._figure
    monkeypatch.setattr(
        type(figure), "show", lambda self, content: drawn.extend([content] * bool(content.nodes["index"]))
    )
    state.param.trigger("overview")
    assert drawn == []
    shop.store.write_calls([("shop/new", "shop/payments")], shop.clock())
    state.param.trigger("overview")
    assert len(drawn) == 1
    state.dark = not state.dark
    assert len(drawn) == 2


@pytest.mark.slow
def test_a_service_without_calls_and_one_that_is_not_there_have_no_drawing(shop: Runtime) -> None:
    shop.store.register([Service("lonely")])
    (head,) = data_of(called(shop, service="lonely")[1], "CallHead")
    assert not head["drawn"]
    assert head["note"].startswith("none is known: Help, Services says")
    (head,) = data_of(called(shop, service="shop/crat")[1], "CallHead")
    assert head["away"]


@pytest.mark.slow
def test_more_than_can_be_drawn_is_said(shop: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("observatory.views.calls.MOST_DRAWN", 3)
    (head,) = data_of(called(shop, calls="all")[1], "CallHead")
    assert not head["drawn"]
    assert head["note"].endswith("too many to draw, `observatory services graph` lists them")


def test_points_add_up_to_the_score(shop: Runtime) -> None:
    health = next(s.health for s in shop.overview().services if s.name == "shop/cart")
    table = score_table(health)
    assert sum(float(part["points"]) for part in table["parts"] if part["value"] is not None) == pytest.approx(
        float(table["sum"]), abs=0.3
    )


@pytest.mark.slow
def test_the_radar_lists_open_anomalies_first(shop: Runtime) -> None:
    (found,) = data_of(AnomalyRadar(shop, State(view="radar", radar_span="7d")), "AnomalyList")
    assert [item["open"] for item in found["items"]] == [True, True, False, False, False]


def test_filters_count_what_the_other_filters_leave() -> None:
    anomalies = [anomaly("a", 10), anomaly("b", 20, metrics=("cpu_usage",))]
    drawn = filters(anomalies, State(metric="cpu_usage"))
    assert {entry["name"]: entry["count"] for entry in drawn["services"]} == {"b": 1}
    assert {entry["key"]: entry["count"] for entry in drawn["metrics"]} == {
        "latency_p95": 1,
        "error_rate": 1,
        "cpu_usage": 1,
    }
    assert drawn["summary"] == "1 anomaly in the last 24 hours in 1 service, none open · filters hide 1"


@pytest.mark.parametrize(
    ("state", "through"),
    [({}, True), ({"severities": ["low"]}, False), ({"radar_service": "b"}, False), ({"metric": "error_rate"}, True)],
)
def test_an_anomaly_passes_all_filters_or_none(state: dict[str, object], through: bool) -> None:
    assert passes(anomaly("a", 10), State(**state)) is through


@pytest.mark.slow
@pytest.mark.parametrize(
    ("state", "title", "reset"),
    [({"severities": ["low"], "metric": "pod_count"}, "No anomaly matches", True), ({}, None, None)],
)
def test_a_radar_that_shows_nothing_says_why(
    shop: Runtime, state: dict[str, object], title: str | None, reset: bool | None
) -> None:
    (found,) = data_of(AnomalyRadar(shop, State(view="radar", **state)), "AnomalyList")
    if title:
        assert (found["items"], found["empty"]["title"], found["empty"]["reset"]) == ([], title, reset)
    else:
        assert found["items"]


@pytest.mark.slow
def test_a_radar_can_be_drawn_before_its_anomalies_are_read(shop: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(radar, "when_read", lambda *_: None)
    view = AnomalyRadar(shop, State(view="radar"))
    (drawn,) = data_of(view, "RadarFilters")
    (found,) = data_of(view, "AnomalyList")
    assert (len(drawn["severities"]), drawn["summary"]) == (4, "")
    assert (found["items"], found["empty"]["title"]) == ([], "Reading …")


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["bare", "shop"])
@pytest.mark.parametrize("query", ["", "service=shop/cart", "view=radar", "service=nobody"])
def test_no_component_reaches_a_browser_without_something_to_draw(
    runtime: str, query: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (radar, drilldown):
        monkeypatch.setattr(module, "when_read", lambda *_: None)
    page = Page(request.getfixturevalue(runtime), query)
    parts = [part for part in page.main.select(Component) if not isinstance(part, Browser)]
    assert parts
    assert [type(part).__name__ for part in parts if not part.data] == []


def test_a_quiet_day_is_said(bare: Runtime) -> None:
    (found,) = data_of(AnomalyRadar(bare, State(view="radar")), "AnomalyList")
    assert found["empty"]["title"] == "No anomalies in the last 24 hours"


@pytest.mark.slow
def test_a_store_that_cannot_be_read_is_said(bare: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("disk gone")

    monkeypatch.setattr(Store, "anomalies", fail)
    view = AnomalyRadar(bare, State(view="radar"))
    (found,) = data_of(view, "AnomalyList")
    assert found["empty"] == {
        "title": "The anomalies cannot be read",
        "lines": ["RuntimeError: disk gone"],
        "reset": False,
    }


def test_a_component_hears_only_what_its_owner_takes_over(shop: Runtime) -> None:
    state = State()
    view = VIEWS.get("health")(shop, state)
    cards = next(part for part in view.__panel__().select(Component) if type(part).__name__ == "Cards")
    cards._handle_msg({"search": "cart", "theme": "dark", "overview": None, "service": ["x"]})
    assert (state.search, state.theme, state.service) == ("cart", "auto", "")
    AnomalyList()._handle_msg({"service": "x"})  # nobody listens


def test_a_page_opens_where_its_url_leads(shop: Runtime) -> None:
    page = Page(shop, "view=radar&since=3d&severity=critical")
    assert (page.state.view, page.state.radar_span, page.state.severities) == ("radar", "3d", ["critical"])
    assert [type(part).title for part in page.views] == ["Anomaly Radar"]
    page.state.view = "health"
    assert [type(part).title for part in page.views] == ["Anomaly Radar", "App Health"]


def test_a_page_keeps_what_it_showed_when_reading_fails(shop: Runtime) -> None:
    page = Page(shop, "")
    before = page.state.overview
    page.receive(None, "store x: reading failed")
    assert page.state.overview is before
    assert page.header.data["problems"]["lines"][0]["error"] == "store x: reading failed"
    page.receive(before, "")
    assert page.header.data["problems"]["lines"][0]["what"] == "latency_p95"


@pytest.mark.parametrize(("cookies", "dark"), [({}, True), ({"observatory-dark": "false"}, False)])
def test_a_page_begins_in_the_theme_the_browser_had_last(shop: Runtime, cookies: dict[str, str], dark: bool) -> None:
    assert Page(shop, "", dark=wants_dark(cookies)).state.dark is dark


@pytest.mark.slow
def test_charts_are_kept_back_until_they_show_something(shop: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drilldown, "when_read", lambda *_: None)
    (head,) = data_of(VIEWS.get("health")(shop, State(service="shop/cart")), "ServiceHead")
    assert not head["drawn"]
    monkeypatch.undo()
    (head,) = data_of(VIEWS.get("health")(shop, State(service="shop/cart")), "ServiceHead")
    assert head["drawn"]


def test_a_view_nobody_knows_is_the_first_one(shop: Runtime) -> None:
    assert Page(shop, "view=nope").state.view == "health"


def test_what_is_drawn_first_cannot_leave_its_script(shop: Runtime) -> None:
    page = Page(shop, "")
    drawn = first_view(page.state, page.header.data)["first_data"]
    assert "<" not in drawn
    assert json.loads(drawn)["cards"][0]["service"]
    assert HOSTILE in {entry["service"] for entry in json.loads(drawn)["cards"]}


def test_the_query_of_a_session_is_read_as_it_came() -> None:
    assert query_of({"service": [b"shop/cart"], "q": [b"\xff&="]}) == "service=shop%2Fcart&q=%EF%BF%BD%26%3D"


@pytest.mark.slow
def test_a_link_of_before_a_service_was_renamed_leads_to_it() -> None:
    runtime = support.shop.shop(demo_days=0.05)
    runtime.prepare()
    runtime.store.names.rename("shop/cart", "shop/basket", runtime.clock())
    state = State(service="shop/cart")
    (head,) = data_of(VIEWS.get("health")(runtime, state), "ServiceHead")
    assert (head["known"], head["error"]) == (True, "")
    runtime.close()


def charted(view: drilldown.Drilldown) -> list[str]:
    return [box.object.name.removeprefix("chart-") for box in view._charts.objects[1:]]


@pytest.mark.slow
def test_the_drilldown_has_a_chart_of_each_metric_with_values_and_of_no_other() -> None:
    runtime = support.shop.shop(demo_days=0.05)
    runtime.prepare()
    at = pd.Timestamp(runtime.clock())
    row = {"service_name": ["shop.example"], "timestamp": [at], "probe_success": [1.0], "up": [1.0]}
    runtime.store.register([Service("shop.example"), Service("silent.example")])
    runtime.store.write_samples(pd.DataFrame(row))
    common = [name for name, metric in METRICS.items() if metric.common]
    state = State(service="shop/cart")
    view = drilldown.Drilldown(runtime, state)
    assert charted(view) == common
    state.service = "shop.example"
    assert charted(view) == ["up", "probe_success"]
    state.service = "silent.example"
    assert charted(view) == common, "to say that there are no samples"
    state.service = "shop/cart"
    assert charted(view) == common
    runtime.close()
