"""Services can be listed page by page, and registered again and again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.api import problem, strict

from observatory.access import Role, authenticator_of
from observatory.analysis.call_graph import call_graph
from observatory.display.calls import to_plain
from observatory.health.overview import targets

pytestmark = pytest.mark.slow


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


def test_a_renamed_service_keeps_its_samples_and_is_found_by_both_names(client, runtime, names):
    body = strict(client.post(f"/api/services/{names[0]}/rename", json={"new_name": "shop/basket"}))
    assert (body["service_name"], body["samples"]) == ("shop/basket", 361)
    for name in ("shop/basket", names[0]):
        history = strict(client.get(f"/api/metrics/history?service={name}&metric=request_rate"))
        assert (history["service_name"], len(history["timestamp"])) == ("shop/basket", 361)
    found = strict(client.get(f"/api/health/anomalies?service={names[0]}"))["anomalies"]
    assert {anomaly["service_name"] for anomaly in found} == {"shop/basket"}
    (rule,) = strict(client.get("/api/services/names"))["rules"]
    assert (rule["kind"], rule["pattern"], rule["becomes"]) == ("rename", names[0], "shop/basket")


def test_what_stands_in_the_way_of_another_name_is_told(client, names):
    def path(service, verb):
        return f"/api/services/{service}/{verb}"

    taken = problem(client.post(path(names[0], "rename"), json={"new_name": names[1]}), 409)
    assert taken["detail"].endswith(f"to join them, merge {names[0]!r} into it")
    assert problem(client.post(path("shop/crat", "rename"), json={"new_name": "x"}), 404)["detail"]
    overlap = problem(client.post(path(names[0], "merge"), json={"into": names[1]}), 409)
    assert "overlap at 361 times" in overlap["detail"]
    itself = problem(client.post(path(names[0], "merge"), json={"into": names[0]}), 400)
    assert "cannot become itself" in itself["detail"]
    for body in ({}, {"new_name": ""}, {"new_name": " a"}, {"new_name": "a" * 201}, {"new_name": "a", "more": 1}):
        problem(client.post(path(names[0], "rename"), json=body), 400)
    problem(client.post(path(names[0], "merge"), json={"into": names[1], "overlap": "guess"}), 400)


def test_services_are_merged_as_far_as_that_is_true(client, runtime, names):
    now = runtime.clock()
    rates = [runtime.store.history(name, now, now)["request_rate"].iloc[0] for name in names[:2]]
    body = strict(client.post(f"/api/services/{names[0]}/merge", json={"into": names[1], "overlap": "combine"}))
    assert (body["service_name"], body["samples"]) == (names[1], 361)
    assert runtime.store.history(names[1], now, now)["request_rate"].iloc[0] == pytest.approx(sum(rates))
    assert [one["service_name"] for one in strict(client.get("/api/services"))["services"]] == names[1:]


def test_a_removed_service_stays_away_until_it_is_registered(client, runtime, names):
    assert strict(client.delete(f"/api/services/{names[0]}")) == {"service_name": names[0], "excluded": True}
    problem(client.delete(f"/api/services/{names[0]}"), 404)
    problem(client.get(f"/api/metrics/history?service={names[0]}"), 404)
    runtime.collect()
    assert names[0] not in [service.name for service in runtime.store.services()]
    assert client.post("/api/services/register", json={"service_name": names[0]}).status_code == 201
    runtime.collect()
    assert len(runtime.store.history(names[0], runtime.clock(), runtime.clock())) == 1
    assert strict(client.delete(f"/api/services/{names[0]}?exclude=false"))["excluded"] is False
    runtime.collect()
    assert names[0] in [service.name for service in runtime.store.services()]


def test_a_service_that_a_pattern_excludes_cannot_be_registered(client, runtime, names):
    runtime.store.names.remove([names[0]], runtime.clock(), ["shop/c*"])
    detail = problem(client.post("/api/services/register", json={"service_name": "shop/cash"}), 409)["detail"]
    assert detail.startswith("'shop/cash' is excluded by 'shop/c*'")


def test_a_service_may_be_called_as_a_route(client, runtime):
    for name in ("a/rename", "names", "register"):
        client.post("/api/services/register", json={"service_name": name})
    assert strict(client.post("/api/services/a/rename/rename", json={"new_name": "b"}))["service_name"] == "b"
    for name in ("names", "register"):
        assert strict(client.delete(f"/api/services/{name}"))["service_name"] == name


# -- who calls whom ---------------------------------------------------------------------------


@pytest.fixture
def called(runtime):
    """The demo's calls, as a cycle reads them."""
    assert runtime.read_calls() == []
    return runtime


def test_the_graph_is_that_of_the_command_line(client, called):
    assert strict(client.get("/api/services/graph")) == to_plain(call_graph(called.store))
    body = strict(client.get("/api/services/graph?service=shop/payments&hops=1"))
    assert body == to_plain(call_graph(called.store, "shop/payments"))
    assert [(call["caller"], call["callee"], call["callee_type"]) for call in body["calls"]] == [
        ("shop/checkout", "shop/payments", "service"),
        ("shop/payments", "api.acquirer.example", "external"),
        ("shop/payments", "shop/orders-db", "service"),
    ]
    assert body["calls"][0]["kinds"] == ["demo"]
    assert body["calls"][0]["last_seen"] == "2026-03-02T09:15:00Z"


def test_calls_unseen_for_a_week_are_in_the_graph_when_asked_for(client, called):
    called.store.write_calls([("shop/old", "shop/cart")], called.clock() - timedelta(days=8))
    callers = [
        {call["caller"] for call in strict(client.get(f"/api/services/graph?all={which}"))["calls"]}
        for which in ("false", "true")
    ]
    assert callers[1] - callers[0] == {"shop/old"}


def test_an_unchanged_graph_is_not_sent_again(client, called):
    tag = client.get("/api/services/graph").headers["ETag"]
    assert client.get("/api/services/graph", headers={"If-None-Match": tag}).status_code == 304
    called.store.write_calls([("shop/email", "shop/cart")], called.clock())
    assert client.get("/api/services/graph", headers={"If-None-Match": tag}).status_code == 200


def test_a_graph_of_what_is_not_there_is_a_problem(reader):
    assert "shop/cart" in problem(reader.get("/api/services/graph?service=shop/crat"), 404)["detail"]
    for query in ("hops=-1", "hops=21", "hops=x", "all=perhaps", "of=shop/cart", "service="):
        problem(reader.get(f"/api/services/graph?{query}"), 400)


def test_who_sees_some_services_sees_calls_among_them_and_what_is_outside_of_all(client, called):
    _, key = authenticator_of(called).keys.create("ours", Role.VIEWER, ["shop/pay*", "shop/checkout"])
    headers = {"Authorization": f"Bearer {key}"}
    body = strict(client.get("/api/services/graph", headers=headers))
    assert [(call["caller"], call["callee"]) for call in body["calls"]] == [
        ("shop/checkout", "shop/payments"),
        ("shop/payments", "api.acquirer.example"),
    ]
    problem(client.get("/api/services/graph?service=shop/cart", headers=headers), 404)
