"""Cards say where each service stands, and why; filters and empty pages explain themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from views.conftest import HOSTILE, NOW, anomaly

from observatory.health.overview import TREND_POINTS, ServiceStatus
from observatory.model import Band, Cycle, Evidence, Failure, Learning
from observatory.runtime import Runtime
from observatory.views.components.cards import card, empty, shown, toolbar
from observatory.views.session.state import State


def status_of(runtime: Runtime, name: str) -> ServiceStatus:
    return next(status for status in runtime.overview().services if status.name == name)


def drawn(status: ServiceStatus, trend: str = "latency_p95") -> dict[str, object]:
    return card(status, trend, NOW.timestamp())


@pytest.mark.slow
def test_a_card_says_how_the_service_is(shop: Runtime) -> None:
    made = drawn(status_of(shop, "shop/search"))
    assert made["name"] == "search"
    assert made["facts"].startswith("shop · discovery · ")
    assert isinstance(made["score"], int)
    assert [(tile["label"], tile["unit"]) for tile in made["values"]] == [
        ("req/s", ""),
        ("errors", "%"),
        ("p95", "ms"),
        ("CPU", ""),
    ]
    assert made["values"][3]["title"].endswith(" cores")
    assert len(made["trend"]["values"]) == TREND_POINTS
    assert made["trend"]["peak"].endswith(" ms")
    assert (made["note"], made["recent"]) == ("", "1 anomaly in 24 h")


def test_the_worst_open_anomaly_is_on_the_card(shop: Runtime) -> None:
    made = drawn(status_of(shop, "shop/cart"))
    assert made["worst"] == {"severity": "critical", "message": "p95 latency 2 s, typically 100–400 ms"}
    assert made["open"] == 2
    assert "2 open anomalies: p95 latency 2 s" in made["label"]
    affected = {tile["label"]: tile["severity"] for tile in made["values"]}
    assert affected == {"req/s": None, "errors": "critical", "p95": "critical", "CPU": None}
    assert made["recent"] == ""
    assert 0 < made["trend"]["marks"][0]["from"] < 1


def test_a_drop_is_marked_as_one(shop: Runtime) -> None:
    fallen = Evidence("request_rate", 1.0, 9.0, 8.0, 10.0, 1.0, "down")
    status = replace(
        status_of(shop, "shop/cart"),
        open_anomalies=(replace(anomaly("shop/cart", 5, is_open=True), evidence=(fallen,)),),
    )
    rate = drawn(status)["values"][0]
    assert rate["direction"] == "down"
    assert rate["title"].endswith(", typically 9 req/s")


def test_a_service_nobody_can_judge_says_why(shop: Runtime) -> None:
    made = drawn(status_of(shop, HOSTILE))
    assert (made["score"], made["band"]) == (None, "unknown")
    assert made["note"] == "no samples yet"
    assert made["trend"]["peak"] == ""
    assert [tile["value"] for tile in made["values"]] == ["–"] * 4
    assert "unknown, no samples yet" in made["label"]


def test_learning_is_shown_with_how_far_it_is(shop: Runtime) -> None:
    status = replace(status_of(shop, "shop/email"), learning=Learning(30, 120, None))
    assert drawn(status)["note"] == "learning: 30 of 120 samples"


@pytest.mark.parametrize(
    ("state", "names"),
    [
        ({"search": "CART"}, ["shop/cart"]),
        ({"search": "discovery tier-1"}, ["shop/catalog"]),
        ({"search": "nothing of the kind"}, []),
        ({"show": "anomalous"}, ["shop/cart"]),
        ({"show": "unknown"}, [HOSTILE]),
        ({"show": "anomalous", "search": "search"}, []),
    ],
)
def test_filters_keep_what_matches_all_of_them(shop: Runtime, state: dict[str, str], names: list[str]) -> None:
    assert shown(State(**state), shop.overview().services) == names


def test_without_filters_all_are_shown_the_worst_first(shop: Runtime) -> None:
    overview = shop.overview()
    assert shown(State(), overview.services) == [status.name for status in overview.services]


def test_chips_count_what_they_would_show(shop: Runtime) -> None:
    overview = shop.overview()
    bar = toolbar(State(), overview.services)
    assert [chip["key"] for chip in bar["chips"]] == ["all", "unhealthy", "anomalous"]
    assert [chip["key"] for chip in toolbar(State(show="poor"), ())["chips"]][3:] == ["poor"]
    for chip in bar["chips"]:
        assert chip["count"] == len(shown(State(show=chip["key"]), overview.services))
    assert overview.counts[Band.UNKNOWN] == 1


def test_an_empty_store_explains_what_to_do(bare: Runtime) -> None:
    said = empty(bare.overview(), 0, State())
    assert said["title"] == "No services yet"
    assert "demo" in said["lines"][0]


@pytest.mark.parametrize(
    ("failures", "said"),
    [
        ((), "Prometheus answered, but no preset found a service"),
        ((Failure("collect", "Prometheus at x cannot be reached"),), "Prometheus at x cannot be reached"),
    ],
)
def test_no_services_and_no_answer_are_two_things(bare: Runtime, failures: tuple[Failure, ...], said: str) -> None:
    overview = replace(bare.overview(), source="prometheus", last_cycle=Cycle(NOW, 0.1, 0, 0, 0, failures))
    assert said in empty(overview, 0, State())["lines"][0]
    asked = empty(replace(overview, last_cycle=None), 0, State())
    assert asked["lines"] == ["Prometheus is being asked what it watches."]


def test_filters_that_hide_everything_can_be_taken_away(shop: Runtime) -> None:
    said = empty(shop.overview(), 0, State(search="zzz", show="poor"))
    assert said == {"title": "No service matches", "lines": ["“zzz” and poor hides all 13 services."], "reset": True}


def test_cards_need_no_words_beside_them(shop: Runtime) -> None:
    assert empty(shop.overview(), 3, State()) is None
