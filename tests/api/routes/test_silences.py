"""Silences are made, seen, extended and ended by programs; what one would hide is told before."""

from __future__ import annotations

import pytest
from api.conftest import NOW, OPEN_INCIDENT, SILENCE
from support.api import problem, strict

from observatory.access import Role, authenticator_of

pytestmark = pytest.mark.slow


def silence(client, *services, status=201, **more):
    known = {"services": list(services), "reason": "new disks", "lasts": "2h"}
    response = client.post("/api/silences", json=known | more)
    assert response.status_code == status, response.get_data(as_text=True)
    return response


def test_a_silence_is_made_listed_extended_and_ended(client, runtime):
    response = silence(client, "shop/*")
    made = strict(response)
    assert response.headers["Location"] == f"/api/silences/{made['id']}"
    assert (made["state"], made["start"], made["end"]) == ("active", "2026-03-02T09:15:00Z", "2026-03-02T11:15:00Z")
    assert (made["created_by"], made["reason"], made["effect"]) == ("open:anybody", "new disks", "tell_nobody")
    assert strict(client.get(f"/api/silences/{made['id']}")) == made
    assert [one["id"] for one in strict(client.get("/api/silences"))["silences"]] == [made["id"], SILENCE.id]
    assert [one["id"] for one in strict(client.get("/api/silences?state=active"))["silences"]] == [made["id"]]
    longer = strict(client.patch(f"/api/silences/{made['id']}", json={"end": "+4h"}))
    assert longer["end"] == "2026-03-02T13:15:00Z"
    ended = strict(client.delete(f"/api/silences/{made['id']}"))
    assert (ended["state"], ended["ended_by"]) == ("ended", "open:anybody")
    assert [one["id"] for one in strict(client.get("/api/silences?state=ended"))["silences"]] == [made["id"]]
    assert "was over at" in problem(client.delete(f"/api/silences/{made['id']}"), 409)["detail"]
    assert runtime.store.silences.get(made["id"]).ends_at == NOW


def test_one_that_comes_again_says_when_next(client):
    again = {"cron": "0 2 * * *", "duration": "90m", "timezone": "Europe/Berlin", "lasts": "30d"}
    made = strict(silence(client, "shop/*", **again))
    assert (made["state"], made["duration"]) == ("pending", 5400)
    assert (made["next_start"], made["next_end"]) == ("2026-03-03T01:00:00Z", "2026-03-03T02:30:00Z")


def test_what_it_hides_says_so(client, runtime):
    made = strict(silence(client, "*", effect="do_not_judge"))
    services = strict(client.get("/api/health/summary"))["services"]
    assert all(one["silences"] == [made["id"]] for one in services)
    assert {one["band"] for one in services} == {"unknown"}
    assert "not judged, silenced until 2026-03-02 11:15 UTC" in {one["reason"] for one in services}
    shown = strict(client.get(f"/api/incidents/{OPEN_INCIDENT}"))
    assert (shown["silenced_by"], shown["silenced_until"]) == (made["id"], "2026-03-02T11:15:00Z")
    client.delete(f"/api/silences/{made['id']}")
    assert strict(client.get(f"/api/incidents/{OPEN_INCIDENT}"))["silenced_by"] is None


def test_a_preview_tells_what_it_would_have_hidden_and_keeps_nothing(client, runtime):
    asked = {"services": ["shop/*"], "reason": "?", "lasts": "2h"}
    found = strict(client.post("/api/silences/preview", json=asked))
    assert found["incidents"] >= len(found["hidden"])
    assert OPEN_INCIDENT in [one["id"] for one in found["hidden"]]
    assert found["summary"].startswith("It covers ")
    nothing = strict(client.post("/api/silences/preview", json=asked | {"services": ["no/*"]}))
    assert (nothing["services"], nothing["hidden"], nothing["messages"]) == ([], [], 0)
    assert runtime.store.silences.read() == [SILENCE]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"services": []}, "services"),
        ({"reason": ""}, "reason"),
        ({"lasts": ""}, "a silence always has an end"),
        ({"lasts": "soon"}, "lasts = 'soon'"),
        ({"end": "2026-03-02T09:00:00Z", "lasts": ""}, "is over already"),
        ({"effect": "sleep"}, "effect"),
        ({"metrics": ["cpu"]}, "metrics"),
        ({"effect": "do_not_learn", "severities": ["low"]}, "goes for all of a service"),
        ({"cron": "0 2 * * *"}, "cron and duration go together"),
        ({"lasts": "9w", "start": "-200d"}, "more than 90 days ago"),
        ({"until": "+2h"}, "until"),
    ],
)
def test_what_cannot_be_is_refused_and_keeps_nothing(client, runtime, more, said):
    body = {"services": ["shop/*"], "reason": "new disks", "lasts": "2h"} | more
    for path in ("/api/silences", "/api/silences/preview"):
        response = client.post(path, json=body)
        assert said in response.get_data(as_text=True)
        assert response.status_code == 400
    assert runtime.store.silences.read() == [SILENCE]


def test_who_sees_some_services_silences_those_and_learns_of_no_other(client, runtime):
    secret = authenticator_of(runtime).keys.create("team", Role.OPERATOR, ["shop/cart"])[1]
    admin = authenticator_of(runtime).keys.create("all", Role.ADMIN, ["*"])[1]
    team, everything = ({"Authorization": f"Bearer {one}"} for one in (secret, admin))
    body = {"services": ["*"], "reason": "for shop/checkout", "lasts": "2h"}
    assert "what you may see only" in problem(client.post("/api/silences", json=body, headers=team), 403)["detail"]
    mine = client.post("/api/silences", json=body | {"services": ["shop/cart"]}, headers=team)
    assert mine.status_code == 201
    of_all = strict(client.post("/api/silences", json=body, headers=everything))["id"]
    others = client.post("/api/silences", json=body | {"services": ["shop/checkout"]}, headers=everything)
    seen = {one["id"]: one for one in strict(client.get("/api/silences", headers=team))["silences"]}
    assert strict(others)["id"] not in seen
    assert (seen[of_all]["services"], "checkout" in seen[of_all]["reason"]) == (["shop/cart"], False)
    problem(client.delete(f"/api/silences/{of_all}", headers=team), 403)
    problem(client.delete(f"/api/silences/{strict(others)['id']}", headers=team), 404)
    assert client.delete(f"/api/silences/{strict(mine)['id']}", headers=team).status_code == 200
