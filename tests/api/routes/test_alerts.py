"""Alerts of others come in by the REST API, once each."""

from __future__ import annotations

import pytest
from api.conftest import NOW
from support.api import problem, strict

from observatory.access import Role, authenticator_of

pytestmark = pytest.mark.slow


def message(*services, **facts):
    alerts = [
        {"status": "firing", "labels": {"alertname": "Slow", "service": one}, "startsAt": NOW.isoformat()} | facts
        for one in services
    ]
    return {"version": "4", "alerts": alerts}


def test_alerts_are_taken_once_listed_and_written_down(client, runtime):
    for _ in range(2):
        answer = strict(client.post("/api/alerts", json=message("cart", "nobody")))
    assert (answer["taken"], answer["ours"], answer["left_out"]) == (2, 0, 0)
    assert answer["unmatched"] == [{"name": "Slow", "labels": {"alertname": "Slow", "service": "nobody"}}]
    listed = strict(client.get("/api/alerts"))["alerts"]
    assert sorted(one["service_name"] for one in listed) == ["", "shop/cart"]
    (cart,) = strict(client.get("/api/alerts?service=shop/cart&firing=true"))["alerts"]
    assert (cart["severity"], cart["is_firing"], cart["sender"]) == ("medium", True, "open:anybody")
    client.post("/api/alerts", json=message("cart", status="resolved"))
    assert strict(client.get("/api/alerts?service=shop/cart&firing=true"))["alerts"] == []
    authenticator_of(runtime).audit.flush()
    assert "2 alerts, 1 of no service here" in [one.detail for one in runtime.store.audit.read(NOW.replace(year=2000))]


def test_labels_of_ones_own_are_in_the_address(client):
    body = {"alerts": [{"labels": {"alertname": "A", "component": "shop/cart"}}]}
    assert strict(client.post("/api/alerts", json=body))["unmatched"] != []
    assert strict(client.post("/api/alerts?label=component,other", json=body))["unmatched"] == []


@pytest.mark.parametrize("body", [{}, [1], {"alerts": [{}]}, {"alerts": "x"}, [], "x", 7])
def test_what_is_none_is_refused_and_keeps_nothing(client, runtime, body):
    response = client.post("/api/alerts", json=body)
    if body == []:
        assert strict(response)["taken"] == 0
    else:
        problem(response, 400)
    assert runtime.store.alerts.read() == []


def test_a_key_for_some_services_sends_and_sees_those_only(client, runtime):
    secret = authenticator_of(runtime).keys.create("team", Role.OPERATOR, ["shop/cart"])[1]
    headers = {"Authorization": f"Bearer {secret}"}
    answer = strict(client.post("/api/alerts", json=message("cart", "checkout"), headers=headers))
    assert [one["labels"]["service"] for one in answer["unmatched"]] == ["checkout"]
    assert [one["service_name"] for one in strict(client.get("/api/alerts", headers=headers))["alerts"]] == [
        "shop/cart"
    ]
    assert client.post("/api/alerts", json=message("cart")).status_code == 401
