"""What each tool answers: short, with units and times, and what is not known said to be so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support.assistants import Ask, asking, fill
from support.incidents import NOON
from support.shop import shop
from support.silences import a_silence

from observatory.runtime import Runtime

NOW = "2026-03-01T12:00:20Z"


def open_incident(runtime: Runtime) -> str:
    (found,) = [one for one in runtime.store.incidents.read() if one.is_active]
    return found.id


# -- health ------------------------------------------------------------------------------------


def test_health_lists_the_worst_first_and_says_how_many_it_left_out(ask: Ask) -> None:
    answer = ask("health", limit=2)
    services = answer["services"]
    assert (answer["at"], answer["services_in_all"], len(services)) == (NOW, 12, 2)
    assert services[0]["open_anomalies"] == 1
    assert answer["left_out"] == "services: 2 of 12 shown: name a service, a pattern or a band, or raise limit"
    assert answer["collecting_failed"] == ["collect: refused"]


def test_health_of_one_service_has_the_arithmetic_and_values_with_units(ask: Ask) -> None:
    answer = ask("health", service="shop/payments")
    assert {part["name"] for part in answer["parts"]} >= {"availability", "latency", "anomaly"}
    assert answer["metrics"]["latency_p95"].endswith("s")
    assert [one["severity"] for one in answer["anomalies"]] == ["critical"]
    assert answer["anomalies"][0]["evidence"] == [
        {"metric": "latency_p95", "value": "2 s", "typical": "200 ms", "band": "not known to 400 ms"}
    ]


def test_what_is_not_known_is_said_to_be_so(ask: Ask) -> None:
    assert ask("health", service="shop/email")["metrics"]["latency_p95"] == "not known"


def test_health_takes_patterns_and_bands(ask: Ask) -> None:
    assert {one["service"] for one in ask("health", service="shop/c*")["services"]} == {
        "shop/cart",
        "shop/catalog",
        "shop/checkout",
    }
    every = ask("health", limit=50)["services"]
    band = every[0]["band"]
    assert [one["service"] for one in ask("health", band=band, limit=50)["services"]] == [
        one["service"] for one in every if one["band"] == band
    ]


# -- incidents ---------------------------------------------------------------------------------


def test_incidents_of_a_time_have_state_severity_and_title(ask: Ask, runtime: Runtime) -> None:
    (found,) = ask("incidents", start="-2h", service="shop/checkout")["incidents"]
    assert found["id"] == open_incident(runtime)
    assert (found["state"], found["severity"]) == ("open", "critical")
    assert found["services"] == ["shop/payments", "shop/checkout"]
    assert found["title"].startswith("shop/payments: p95 2 s")
    assert found["started_at"] == "2026-03-01T11:30:20Z"


def test_incidents_are_narrowed_by_state_and_severity(ask: Ask) -> None:
    assert {one["state"] for one in ask("incidents", start="-60d", state="resolved")["incidents"]} == {"resolved"}
    assert {one["state"] for one in ask("incidents", start="-60d", state="active")["incidents"]} == {"open"}
    assert ask("incidents", start="-60d", severity="medium")["incidents"] == []
    more = ask("incidents", start="-60d", limit=1)
    assert len(more["incidents"]) == 1
    assert more["left_out"].startswith("incidents: 1 shown, there are more: ")


def test_one_incident_has_symptoms_and_a_timeline(ask: Ask, runtime: Runtime) -> None:
    answer = ask("incident", id=open_incident(runtime))
    assert [one["service"] for one in answer["symptoms"]] == ["shop/payments", "shop/checkout"]
    assert answer["timeline"][0]["kind"] == "opened"
    assert answer["timeline"][0]["who"] == "the workbench"
    assert answer["about_causes"]


def test_similar_incidents_come_with_what_people_noted(ask: Ask, runtime: Runtime) -> None:
    answer = ask("similar", id=open_incident(runtime))
    (found,) = answer["similar"]
    assert found["noted"] == ["the pool was too small"]
    assert 0 < found["likeness"] <= 1
    nothing = ask("similar", id=found["id"])
    assert (nothing["similar"], nothing["note"]) == ([], "nothing like it is known of the year before")


@pytest.mark.slow
def test_what_a_silence_keeps_from_people_is_shown_with_who_said_so_and_why() -> None:
    runtime = shop()
    fill(runtime)
    runtime.store.silences.write([a_silence("shop/*", ends_at=NOON + timedelta(hours=1))])
    said = "silenced until 2026-03-01 13:00 UTC by key:ann: maintenance"
    every, ours = asking(runtime), asking(runtime, "shop/payments", "shop/checkout")
    try:
        assert every("health", service="shop/payments")["silenced"] == [said]
        assert every("incident", id=open_incident(runtime))["silenced"] == said
        assert "maintenance" not in str(ours("incident", id=open_incident(runtime))["silenced"])
    finally:
        runtime.close()


# -- the others --------------------------------------------------------------------------------


def test_anomalies_are_narrowed_by_service_severity_and_whether_they_go_on(ask: Ask) -> None:
    def names(**arguments: Any) -> set[str]:
        return {one["service"] for one in ask("anomalies", **arguments)["anomalies"]}

    assert names() == {"shop/payments", "shop/checkout", "shop/email"}
    assert names(open=True) == {"shop/payments", "shop/checkout"}
    assert names(severity="low") == {"shop/email"}
    assert names(service="shop/ch*") == {"shop/checkout"}
    assert names(start="-10m") == {"shop/payments", "shop/checkout"}


def test_history_is_thinned_and_has_its_unit_and_extremes(ask: Ask) -> None:
    answer = ask("history", service="shop/cart", metric="latency_p95", start="-2h", points=4)
    assert (answer["unit"], answer["columns"]) == ("s", ["at", "latency_p95"])
    assert 3 <= len(answer["rows"]) <= 5
    assert answer["seconds_between_rows"] == 1800
    assert answer["each_row_is"] == "avg over that time"
    assert answer["rows"][0][0].endswith("Z")
    assert all(isinstance(value, float) for _, value in answer["rows"])
    assert answer["largest"].endswith("ms")


def test_history_of_what_is_not_known_is_null_and_says_that_this_is_not_zero(ask: Ask) -> None:
    answer = ask("history", service="shop/email", metric="latency_p95", start="-1h", points=4)
    assert answer["note"] == "no value of this metric is known in this time: that is not zero"
    assert {value for _, value in answer["rows"]} == {None}
    assert answer["rows_not_known"] == len(answer["rows"])


def test_history_before_the_first_sample_is_empty(ask: Ask) -> None:
    answer = ask("history", service="shop/cart", metric="cpu_usage", start="-9d", end="-8d")
    assert (answer["rows"], "note" in answer) == ([], True)


def test_history_says_what_was_expected_or_that_it_is_not_known(ask: Ask) -> None:
    answer = ask("history", service="shop/cart", metric="latency_p95", start="-10m", expected=True)
    known = answer["columns"] == ["at", "latency_p95", "typical", "lower", "upper"]
    assert known or answer["expected"] == "not known: too little was learned of this service"


def test_graph_around_a_service_says_who_calls_it_and_whom_it_calls(ask: Ask) -> None:
    answer = ask("graph", service="shop/payments")
    assert (answer["called_by"], answer["calls"]) == (["shop/checkout"], ["database:payments"])
    assert ask("graph", service="shop/payments", hops=2)["calls_in_all"] == 3
    whole = ask("graph", limit=1)
    assert (whole["calls_in_all"], len(whole["edges"])) == (3, 1)
    assert whole["left_out"].startswith("edges: 1 of 3 shown")
    assert (
        ask("graph", service="shop/email")["note"] == "no calls are known here: that does not say that there are none"
    )


def test_changes_come_with_the_newest_first(ask: Ask) -> None:
    assert [one["service"] for one in ask("changes")["changes"]] == ["shop/email", "shop/payments"]
    (found,) = ask("changes", kind="deployment")["changes"]
    assert found["version"] == "1.4.2"
    assert found["at"] == "2026-03-01T11:29:20Z"


# -- what cannot be answered -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("health", {"service": "shop/paymnts"}, "unknown service 'shop/paymnts': did you mean shop/payments"),
        ("history", {"service": "cart", "metric": "cpu_usage"}, "unknown service 'cart': did you mean shop/cart"),
        ("anomalies", {"service": "mart/*"}, "service = 'mart/*': the pattern covers none of the 12 services"),
        ("history", {"service": "shop/cart", "metric": "latency"}, "unknown metric, did you mean latency_p"),
        ("history", {"service": "shop/cart"}, "metric: is needed"),
        ("anomalies", {"sevrity": "high"}, "sevrity: unknown argument, did you mean severity?"),
        ("anomalies", {"severity": "urgent"}, "severity = 'urgent': Input should be 'any', 'critical'"),
        ("anomalies", {"limit": 1000}, "limit = 1000: Input should be less than or equal to 50"),
        ("changes", {"start": "yesterday"}, "start = 'yesterday': give RFC 3339 with its zone"),
        ("changes", {"start": "2026-03-01T08:00:00"}, "start = '2026-03-01T08:00:00': give RFC 3339 with its zone"),
        ("changes", {"start": "now", "end": "-1h"}, "start = 'now': must be before end"),
        ("changes", {"start": "-9000d"}, "is more than 400 days before end: ask for less at a time"),
        ("incident", {"id": "nothing"}, "'nothing'"),
        ("similar", {"id": "nothing"}, "'nothing'"),
        ("helth", {}, "unknown tool 'helth': did you mean health?"),
    ],
    ids=str,
)
def test_an_error_names_the_thing_the_value_and_the_way_out(
    ask: Ask, tool: str, arguments: dict[str, Any], says: str
) -> None:
    assert says in ask(tool, is_error=True, **arguments)["error"]


def test_clients_that_send_null_and_numbers_as_text_are_understood(ask: Ask) -> None:
    assert len(ask("health", service=None, band=None, limit="3")["services"]) == 3


def test_a_fault_of_ours_says_where_the_details_are_and_keeps_them(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from observatory.assistants.answering import ANSWERING

    def broken(*_: object) -> None:
        raise KeyError("inner workings")

    monkeypatch.setitem(ANSWERING, "graph", broken)
    error = ask("graph", is_error=True)["error"]
    assert error.startswith("unexpected KeyError: the log of the server has the details under ")
    assert "inner workings" not in error
    assert "inner workings" in caplog.text
    assert error.rpartition(" ")[2] in caplog.text
