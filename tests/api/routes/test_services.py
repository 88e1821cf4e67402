"""Services can be listed page by page, and registered again and again."""

from __future__ import annotations

import pytest
from support.api import problem, strict

from observatory.health.overview import targets


def test_pages_hold_every_service_once_in_order(reader, names):
    seen, path = [], "/api/services?limit=2"
    while path:
        page = strict(reader.get(path))
        assert page["total"] == len(names)
        assert len(page["services"]) <= 2
        seen += [service["service_name"] for service in page["services"]]
        path = page["next"]
    assert seen == names


def test_a_service_says_what_it_is_held_against_and_what_is_known(reader, shared):
    service = strict(reader.get("/api/services?limit=1"))["services"][0]
    held = targets(shared.store.service(service["service_name"]), shared.settings)
    assert (service["objective"], service["latency_target"]) == (held.objective, held.latency)
    assert service["samples"] == 361
    assert service["last_sample_at"] == "2026-03-02T09:15:00Z"
    assert service["state"] == "judged"
    assert service["learning"] is None


def test_a_registered_service_waits_for_its_first_sample(client, runtime):
    response = client.post("/api/services/register", json={"service_name": "new/one", "objective": 0.95})
    body = strict(response)
    assert response.status_code == 201
    assert body["service_name"] == "new/one"
    assert body["objective"] == 0.95
    assert body["source"] == runtime.sources[0].name
    assert (body["state"], body["samples"], body["last_sample_at"]) == ("waiting", 0, None)
    assert runtime.store.service("new/one").objective == 0.95


def test_a_service_can_be_registered_where_nothing_is_collected(client, runtime):
    runtime.store.write_note("source", "import")
    response = client.post("/api/services/register", json={"service_name": "new/one"})
    assert (response.status_code, strict(response)["source"]) == (201, "import")


def test_registering_again_adds_facts_and_keeps_the_others(client, runtime):
    facts = {"team": "buying", "tier": "1", "latency_target": 0.4, "cpu_limit": 2, "memory_limit": 1e9}
    assert client.post("/api/services/register", json={"service_name": "a", **facts}).status_code == 201
    response = client.post("/api/services/register", json={"service_name": "a", "desired_pods": 3, "tier": None})
    assert response.status_code == 200
    body = strict(response)
    assert {name: body[name] for name in facts} == facts
    assert body["desired_pods"] == 3
    before = len(runtime.store.services())
    assert client.post("/api/services/register", json={"service_name": "a"}).status_code == 200
    assert len(runtime.store.services()) == before


def test_registering_a_known_service_keeps_its_source_and_samples(client, runtime, names):
    before = runtime.store.service(names[0])
    body = strict(client.post("/api/services/register", json={"service_name": names[0], "team": "t"}))
    assert body["source"] == before.source
    assert body["samples"] == 361
    assert runtime.store.service(names[0]).team == "t"


@pytest.mark.parametrize(
    "name", ["a", "ns/name", "a" * 200, "'; DROP TABLE services; --", 'x"y', "Zürich/größe", "a//b"]
)
def test_any_printable_name_is_fine_and_harmless(client, runtime, name):
    assert client.post("/api/services/register", json={"service_name": name}).status_code == 201
    assert runtime.store.service(name).name == name


@pytest.mark.parametrize(
    "name", ["", " a", "a ", "a\n", "a\x00b", "\u202eabc", "\ud800", "a" * 201, None, 7, ["a"], {}]
)
def test_names_nobody_can_read_are_refused(client, runtime, name):
    before = runtime.store.services()
    body = problem(client.post("/api/services/register", json={"service_name": name}), 400)
    assert [fault["name"] for fault in body["errors"]] == ["service_name"]
    assert runtime.store.services() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("objective", 1),
        ("objective", 0),
        ("objective", "0.9"),
        ("objective", True),
        ("latency_target", -1),
        ("cpu_limit", 0),
        ("memory_limit", 1e300),
        ("desired_pods", 10**400),
        ("team", ""),
        ("team", "a\tb"),
        ("tier", "x" * 201),
        ("source", "prometheus"),
    ],
)
def test_facts_out_of_bounds_or_unknown_are_refused_by_name(client, field, value):
    body = problem(client.post("/api/services/register", json={"service_name": "a", field: value}), 400)
    assert [fault["name"] for fault in body["errors"]] == [field]


def test_a_service_whose_samples_ended_is_stale_and_a_young_one_learns(client, runtime):
    from datetime import timedelta

    source, now = runtime.sources[0], runtime.clock()
    name = runtime.store.services()[0].name
    young = source.history(now - timedelta(minutes=10), now, 60, [name]).frame.assign(service_name="young")
    old = source.history(now - timedelta(hours=5), now - timedelta(hours=1), 60, [name]).frame.assign(
        service_name="old"
    )
    for service, frame in (("young", young), ("old", old)):
        client.post("/api/services/register", json={"service_name": service})
        runtime.store.write_samples(frame)
    states = {s["service_name"]: s for s in strict(client.get("/api/services"))["services"]}
    assert states["young"]["state"] == "learning"
    assert states["young"]["learning"]["needed"] == runtime.settings.minimum_samples
    assert states["old"]["state"] == "stale"
