"""Verdicts can be given over the API, and bad ones are refused field by field."""

from __future__ import annotations

import pytest
from support.api import problem, strict

pytestmark = pytest.mark.slow


def test_a_verdict_on_an_anomaly_is_kept_with_its_span(client, runtime, names):
    body = {
        "service_name": names[0],
        "verdict": "false_alarm",
        "started_at": "2026-03-02T08:50:00Z",
        "note": "load test",
    }
    response = client.post("/api/feedback", json=body)
    assert response.status_code == 201
    answer = strict(response)
    assert answer["started_at"] == "2026-03-02T08:45:00Z"
    assert answer["ended_at"] == "2026-03-02T09:15:00Z"
    assert (answer["verdict"], answer["detector"], answer["note"]) == ("false_alarm", "ensemble", "load test")
    (kept,) = runtime.store.feedback.read()
    assert (kept.service_name, str(kept.verdict)) == (names[0], "false_alarm")


def test_a_missed_span_may_be_told_as_a_time_ago(client, runtime, names):
    body = {"service_name": names[2], "verdict": "missed", "started_at": "-2h", "ended_at": "-90m"}
    answer = strict(client.post("/api/feedback", json=body))
    assert (answer["started_at"], answer["ended_at"]) == ("2026-03-02T07:15:00Z", "2026-03-02T07:45:00Z")
    assert answer["detector"] == ""


@pytest.mark.parametrize(
    ("change", "status", "name"),
    [
        ({"verdict": "maybe"}, 400, "verdict"),
        ({"verdict": None}, 400, "verdict"),
        ({"started_at": "yesterday"}, 400, "started_at"),
        ({"started_at": 1}, 400, "started_at"),
        ({"ended_at": "soon", "verdict": "missed"}, 400, "ended_at"),
        ({"note": "x" * 1001}, 400, "note"),
        ({"service_name": ""}, 400, "service_name"),
        ({"votes": 3}, 400, "votes"),
        ({"verdict": "missed"}, 400, None),
        ({"service_name": "shop/none"}, 404, None),
        ({"started_at": "2026-03-02T05:00:00Z"}, 404, None),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_is_kept(client, runtime, names, change, status, name):
    body = {"service_name": names[0], "verdict": "right", "started_at": "2026-03-02T08:50:00Z"} | change
    answer = problem(client.post("/api/feedback", json=body), status)
    assert [fault["name"] for fault in answer.get("errors", [])] == ([name] if name else [])
    assert runtime.store.feedback.read() == []
