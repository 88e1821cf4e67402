"""Incidents are listed, told in full and worked on; and what Prometheus scrapes agrees with the summary."""

from __future__ import annotations

from datetime import timedelta

import pytest
from api.conftest import ENDED_INCIDENT, NOW, OPEN_INCIDENT, anomaly
from prometheus_client.parser import text_string_to_metric_families
from support.api import problem, strict

from observatory.access import authenticator_of
from observatory.model import Severity
from observatory.runtime.incidents import IncidentTracker

pytestmark = pytest.mark.slow

HOSTILE = "<script>alert(1)</script> \U0001f525 $x^2$\n=1+1"


def incidents(client, query=""):
    return strict(client.get(f"/api/incidents{query}"))


def act(client, incident, what, **body):
    return client.post(f"/api/incidents/{incident}/{what}", json=body)


def test_services_that_call_each_other_are_one_incident(client, runtime, names):
    runtime.store.write_calls([(names[1], names[0])])
    joining = anomaly(names[1], 29, Severity.MEDIUM, is_open=True)
    runtime.store.write_anomalies([joining])
    IncidentTracker(runtime.store).follow(NOW, {})
    (joined,) = incidents(client, "?open=true")["incidents"]
    assert (joined["id"], joined["services"]) == (OPEN_INCIDENT, [names[0], names[1]])
    assert (joined["severity"], joined["anomalies"], joined["state"]) == ("critical", 2, "open")


def test_incidents_can_be_filtered_and_paged(client, names):
    assert [i["services"] for i in incidents(client, "?open=true")["incidents"]] == [[names[0]]]
    assert [i["state"] for i in incidents(client, "?state=resolved&severity=medium")["incidents"]] == ["resolved"]
    assert all(names[1] in i["services"] for i in incidents(client, f"?start=-7d&service={names[1]}")["incidents"])
    problem(client.get("/api/incidents?service=nobody"), 404)
    everything = incidents(client, "?start=-7d")["incidents"]
    started = [incident["started_at"] for incident in everything]
    assert started == sorted(started, reverse=True)
    seen, path = [], "/api/incidents?start=-7d&limit=1"
    while path:
        page = strict(client.get(path))
        seen += page["incidents"]
        path = page["next"]
    assert seen == everything
    assert len(seen) == 4


def test_pages_fit_together_while_new_incidents_come_in(client, runtime, names):
    first = incidents(client, "?start=-7d&limit=2")
    runtime.store.write_anomalies([anomaly(names[2], 1, Severity.CRITICAL, is_open=True)])
    IncidentTracker(runtime.store).follow(NOW, {})
    second = strict(client.get(first["next"]))
    ids = [incident["id"] for incident in first["incidents"] + second["incidents"]]
    assert len(ids) == len(set(ids)) == 4


def test_one_is_told_in_full(client, names):
    told = strict(client.get(f"/api/incidents/{OPEN_INCIDENT}"))
    assert told["title"] == f"{names[0]}: p95 2 s, typically 200 ms"
    (symptom,) = told["symptoms"]
    assert (symptom["service_name"], symptom["detector"], symptom["is_open"]) == (names[0], "ensemble", True)
    assert [line["kind"] for line in told["timeline"]] == ["opened"]
    body = problem(client.get("/api/incidents/000000000000"), 404)
    assert "there is no incident '000000000000'" in body["detail"]


def test_it_is_worked_on_from_first_look_to_end_and_all_of_it_is_written_down(client, runtime):
    assert strict(act(client, OPEN_INCIDENT, "acknowledge", note="looking"))["state"] == "acknowledged"
    assert strict(act(client, OPEN_INCIDENT, "assign", assignee="ann"))["assignee"] == "ann"
    assert act(client, OPEN_INCIDENT, "note", text=HOSTILE).status_code == 201
    over = strict(act(client, OPEN_INCIDENT, "resolve", note="rolled back"))
    assert (over["state"], over["resolved_by"], over["is_open"]) == ("resolved", "open:anybody", False)
    again = strict(act(client, OPEN_INCIDENT, "reopen"))
    assert [(line["kind"], line["text"]) for line in again["timeline"][1:]] == [
        ("acknowledged", "looking"),
        ("assigned", "to ann"),
        ("note", HOSTILE),
        ("resolved", "rolled back"),
        ("reopened", ""),
    ]
    assert {line["who"] for line in again["timeline"][1:]} == {"open:anybody"}
    authenticator_of(runtime).audit.flush()
    written = [entry.action for entry in runtime.store.audit.read(NOW - timedelta(days=1))]
    assert len([action for action in written if OPEN_INCIDENT in action or "incident" in action]) == 5


@pytest.mark.parametrize(
    ("incident", "what", "body", "status", "says"),
    [
        (ENDED_INCIDENT, "acknowledge", {}, 409, "reopen it first if it is not over"),
        (ENDED_INCIDENT, "resolve", {}, 409, "cannot be resolved"),
        (OPEN_INCIDENT, "reopen", {}, 409, "only one that is resolved can be reopened"),
        (OPEN_INCIDENT, "note", {"text": "x" * 10_001}, 400, "10000"),
        (OPEN_INCIDENT, "note", {"text": "  "}, 400, "the note is empty"),
        (OPEN_INCIDENT, "note", {}, 400, "text"),
        (OPEN_INCIDENT, "assign", {"assignee": "a\nb"}, 400, "printable"),
        (OPEN_INCIDENT, "assign", {"assignee": 7}, 400, "assignee"),
        ("nonsense", "note", {"text": "x"}, 404, "there is no incident 'nonsense'"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(refused, incident, what, body, status, says):
    assert says in str(problem(act(refused, incident, what, **body), status))


def test_metrics_are_those_of_the_summary(client, names):
    summary = strict(client.get("/api/health/summary"))
    text = client.get("/metrics").get_data(as_text=True)
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    for service in summary["services"]:
        assert found.get(("observatory_health_score", service["service_name"])) == service["score"]
    for band, count in summary["counts"].items():
        assert found["observatory_services", band] == count
    assert found["observatory_open_anomalies", names[0], "critical"] == 1
    assert found["observatory_http_requests_total", "GET", "/api/health/summary", "200"] == 1
    assert found["observatory_last_cycle_failures",] == 1
