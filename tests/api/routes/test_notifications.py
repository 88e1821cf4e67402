"""Administrators see who is told and what was sent, try a destination, and have what was given up sent again."""

from __future__ import annotations

import pytest
from api.conftest import NOW, OPEN_INCIDENT
from support.api import problem, strict

from observatory.errors import DeliveryError
from observatory.model import Delivery, DeliveryState

pytestmark = pytest.mark.slow


def failed(runtime) -> None:
    gone = Delivery("log", OPEN_INCIDENT, 1, "opened", NOW, DeliveryState.FAILED, NOW, NOW, 3, "it is <b>gone</b>")
    runtime.store.notifications.settle([gone])


def test_destinations_and_deliveries_are_listed(client, runtime):
    failed(runtime)
    answer = strict(client.get("/api/notifications"))
    (destination,) = answer["destinations"]
    assert (destination["name"], destination["kind"], destination["failed"]) == ("log", "log", 1)
    (delivery,) = answer["deliveries"]
    assert (delivery["incident"], delivery["key"]) == (OPEN_INCIDENT, f"{OPEN_INCIDENT}-1")
    assert (delivery["state"], delivery["attempts"], delivery["reason"]) == ("failed", 3, "it is <b>gone</b>")
    for query, count in (
        ("state=failed", 1),
        ("state=sent", 0),
        ("destination=x", 0),
        (f"incident={OPEN_INCIDENT}", 1),
    ):
        assert len(strict(client.get(f"/api/notifications?{query}"))["deliveries"]) == count
    problem(client.get("/api/notifications?state=nonsense"), 400)


def test_what_was_given_up_is_sent_again(client, runtime):
    failed(runtime)
    assert strict(client.post("/api/notifications/retry", json={"destination": "log"})) == {
        "destination": "log",
        "count": 1,
    }
    assert strict(client.post("/api/notifications/retry", json={"destination": "log"}))["count"] == 0
    problem(client.post("/api/notifications/retry", json={"destination": "nope"}), 404)


def test_a_destination_is_tried_and_what_is_wrong_is_said(client, runtime, monkeypatch):
    answer = strict(client.post("/api/notifications/test", json={"destination": "log"}))
    assert answer == {"destination": "log", "goes_to": "the server's log"}

    def refuse(message):
        raise DeliveryError("https://x.example answered 403")

    monkeypatch.setattr(runtime.notifier.told["log"].destination, "send", refuse)
    assert problem(client.post("/api/notifications/test", json={"destination": "log"}), 502)["detail"] == (
        "https://x.example answered 403"
    )


def test_metrics_tell_what_waits(client, runtime):
    failed(runtime)
    text = client.get("/metrics").get_data(as_text=True)
    assert 'observatory_deliveries{destination="log",state="failed"} 1.0' in text
    assert "observatory_oldest_untold_timestamp_seconds" in text  # what the fixture's incidents did is in the outbox


def test_why_a_destination_cannot_be_told_is_said(client, runtime):
    assert strict(client.get("/api/notifications"))["destinations"][0]["error"] == ""
    runtime.silence_syncs.errors["log"] = "silences are not in step"
    assert strict(client.get("/api/notifications"))["destinations"][0]["error"] == "silences are not in step"
    runtime.notifier.lanes["log"].error = "it answered 503"
    assert strict(client.get("/api/notifications"))["destinations"][0]["error"] == "it answered 503"
