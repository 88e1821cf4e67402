"""Changes can be reported by programs, once each, and read by whoever may see the service."""

from __future__ import annotations

from datetime import timedelta

import pytest
from api.conftest import CHANGE, NOW
from support.api import problem, strict

from observatory.access import Role, authenticator_of

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)


def report(client, service, **more):
    return client.post("/api/changes", json={"service_name": service, **more})


def test_a_reported_change_is_kept_with_who_told_it_and_listed(client, runtime, names):
    response = report(client, names[0], version="1.4.2", at="-10m", summary="Faster\ncarts", url="https://ci.example/1")
    assert response.status_code == 201
    answer = strict(response)
    assert answer["at"] == "2026-03-02T09:05:00Z"
    assert (answer["kind"], answer["version"], answer["summary"]) == ("deployment", "1.4.2", "Faster carts")
    assert (answer["url"], answer["source"]) == ("https://ci.example/1", "open:anybody")
    assert strict(client.get("/api/changes?start=-1h"))["changes"] == [answer]
    (kept,) = runtime.store.changes.read(NOW - HOUR)
    assert (kept.id, kept.service_name) == (answer["id"], names[0])


def test_a_report_that_is_sent_again_is_one_change(client, names):
    first, again = (strict(report(client, names[0], version="2", at="-10m")) for _ in range(2))
    assert first == again
    assert strict(client.get("/api/changes?start=-1h"))["changes"] == [first]


def test_changes_are_found_by_service_kind_and_time_page_by_page(client, names):
    for place in range(5):
        report(client, names[0], version=str(place), at=f"-{place * 10 + 1}m")
    report(client, names[1], kind="flag", summary="new carts on")
    flags = strict(client.get(f"/api/changes?service={names[1]}&kind=flag,config"))["changes"]
    assert [one["summary"] for one in flags] == ["new carts on"]
    assert strict(client.get("/api/changes?end=-3h&start=-4h"))["changes"] == []
    path, versions = f"/api/changes?service={names[0]}&kind=deployment&start=-1h&limit=2", []
    while path:
        page = strict(client.get(path))
        versions += [one["version"] for one in page["changes"]]
        path = page["next"]
    assert versions == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("change", "status", "name"),
    [
        ({"kind": "party"}, 400, "kind"),
        ({"at": "soon"}, 400, "at"),
        ({"at": 1}, 400, "at"),
        ({"at": "2026-03-02T09:30:00Z"}, 400, None),
        ({"version": "x" * 201}, 400, "version"),
        ({"summary": "x" * 1001}, 400, "summary"),
        ({"url": "javascript:alert(1)"}, 400, None),
        ({"services": ["a"]}, 400, "services"),
        ({"service_name": "shop/none"}, 404, None),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_is_kept(refused, shared, names, change, status, name):
    answer = problem(refused.post("/api/changes", json={"service_name": names[0], "version": "2"} | change), status)
    assert [fault["name"] for fault in answer.get("errors", [])] == ([name] if name else [])
    assert shared.store.changes.read() == [CHANGE]


def test_a_team_reports_and_sees_its_own(client, runtime, names):
    _, text = authenticator_of(runtime).keys.create("ci", Role.OPERATOR, [names[0]])
    _, all_text = authenticator_of(runtime).keys.create("all", Role.OPERATOR, ["*"])
    ours, everyone = ({"Authorization": f"Bearer {one}"} for one in (text, all_text))
    bodies = [{"service_name": name, "version": "2"} for name in names[:2]]
    assert client.post("/api/changes", json=bodies[1], headers=everyone).status_code == 201
    problem(client.post("/api/changes", json=bodies[1], headers=ours), 404)
    told = strict(client.post("/api/changes", json=bodies[0], headers=ours))
    assert told["source"] == "key:ci"
    assert strict(client.get("/api/changes?start=-1h", headers=ours))["changes"] == [told]
    problem(client.get(f"/api/changes?service={names[1]}", headers=ours), 404)


def test_a_change_is_told_with_each_metric_before_and_after_it(reader):
    told = strict(reader.get(f"/api/changes/{CHANGE.id}"))
    assert (told["version"], told["start"], told["end"]) == ("1.4.1", "2026-03-02T06:45:00Z", "2026-03-02T07:45:00Z")
    rate = next(one for one in told["differences"] if one["metric"] == "request_rate")
    assert rate["before"] > 0
    assert (rate["expected"], rate["more_than_noise"]) == (None, None), "four hours are too little to know the noise"


def test_an_unknown_change_and_that_of_others_are_told_alike(client, runtime, names):
    _, text = authenticator_of(runtime).keys.create("ci", Role.VIEWER, [names[1]])
    headers = {"Authorization": f"Bearer {text}"}
    answers = [problem(client.get(f"/api/changes/{one}", headers=headers), 404) for one in (CHANGE.id, "c1")]
    assert answers[0]["detail"].replace(CHANGE.id, "c1") == answers[1]["detail"]
    assert answers[1]["detail"].startswith("no change 'c1'")
