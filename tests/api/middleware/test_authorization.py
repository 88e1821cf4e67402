"""Every route against everybody who may ask, and what each team sees."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from api.conftest import NOW, SILENCE, make_runtime
from api.test_routes import ROUTES, request
from support.api import problem, strict

from observatory.access import Role, authenticator_of
from observatory.access.gate import Access, Arrival
from observatory.access.sessions import hash_of
from observatory.api.app import create_app
from observatory.api.middleware.authorization import ARRIVAL
from observatory.model import IncidentChanges, Service

WHO = ["nobody", "viewer", "operator", "admin", "team", "team admin", "expired", "revoked", "unknown", "malformed"]
ROLES = {
    "viewer": Role.VIEWER,
    "operator": Role.OPERATOR,
    "admin": Role.ADMIN,
    "team": Role.OPERATOR,
    "team admin": Role.ADMIN,
}
CHANGES_NAMES = [rule for rule in ROUTES if rule.startswith("/api/services/<name:service>")]
OF_INCIDENT = [rule for rule in ROUTES if rule.startswith("/api/incidents/")]
SECRET = "shop/nothing-to-see"


@pytest.fixture(scope="module")
def guarded():
    """A runtime with a key of each kind, and the headers of each."""
    runtime = make_runtime()
    runtime.store.register([Service("theirs/one"), Service(SECRET)])
    keys = authenticator_of(runtime).keys
    texts = {
        who: keys.create(who, role, ["theirs/*"] if who.startswith("team") else ["*"])[1] for who, role in ROLES.items()
    }
    texts["revoked"] = keys.create("revoked", Role.ADMIN, ["*"])[1]
    keys.revoke("revoked")
    texts["expired"] = keys.create("expired", Role.ADMIN, ["*"], timedelta(seconds=1))[1]
    now = runtime.clock()
    runtime.clock = lambda: now + timedelta(seconds=1)
    keys._clock = runtime.clock
    headers = {who: {"Authorization": f"Bearer {text}"} for who, text in texts.items()}
    headers["unknown"] = {"Authorization": "Bearer obs_0123456789ab_" + "x" * 43}
    headers["malformed"] = {"Authorization": "Basic YTpi"}
    headers["nobody"] = {}
    yield runtime, headers
    runtime.close()


@pytest.fixture(scope="module")
def client(guarded):
    return create_app(guarded[0]).test_client()


def expected(rule, who):
    """The status that `who` must get."""
    level = ROUTES[rule][1]
    if level is Access.PUBLIC:
        return (200,)
    if who not in ROLES:
        return (401,)
    if not ROLES[who].includes(level.role) or (level is Access.ADMIN and who == "team admin"):
        return (403,)
    if rule == "/api/runs/<run_id>/report":  # there is none; of those that may know
        return (403,) if who.startswith("team") else (404,)
    if who.startswith("team"):  # the services the table asks for are another team's
        return {
            "/api/services/register": (403,),
            "/api/feedback": (404,),
            "/api/changes/<change_id>": (404,),
            "POST /api/changes": (404,),
            "POST /api/silences": (200, 201, 403),
            "/api/silences/preview": (200,),
            "/api/silences/<silence_id>": (404,),
            "PATCH /api/silences/<silence_id>": (404,),
            "DELETE /api/silences/<silence_id>": (404,),
            "/api/collect/<name:service>": (404,),
            "/api/metrics/history": (404,),
            "/api/links": (404,),
            **dict.fromkeys(CHANGES_NAMES, (403,)),
            **dict.fromkeys(OF_INCIDENT, (404,)),
        }.get(rule, (200,))
    return (200, 201)


@pytest.mark.slow
@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("rule", ROUTES)
def test_every_route_answers_each_caller_as_its_access_says(client, guarded, names, rule, who):
    runtime, headers = guarded
    body = None
    if rule in CHANGES_NAMES:  # each caller asks for a service of its own, as there is one less afterwards
        names = [f"shop/spare-{CHANGES_NAMES.index(rule)}-{WHO.index(who)}"]
        runtime.store.register([Service(names[0])])
        body = {"new_name": f"{names[0]}-renamed"} if rule.endswith("/rename") else None
    incidents = runtime.store.incidents.read()
    response = request(client, rule, names, body=body, headers=headers[who])
    runtime.store.silences.write([SILENCE])
    if rule in OF_INCIDENT:  # as it was, for the next caller
        runtime.store.incidents.update(NOW, lambda _: IncidentChanges(tuple(incidents)))
    assert response.status_code in expected(rule, who), response.get_data(as_text=True)
    if response.status_code >= 400:
        problem(response, response.status_code)
    if response.status_code == 401:
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="observatory"'


@pytest.mark.parametrize("who", ["nobody", "expired", "unknown"])
@pytest.mark.parametrize("path", ["/api/nope", "/api/", "/api/services/x"])
def test_who_may_not_enter_does_not_learn_what_there_is(client, guarded, path, who):
    problem(client.get(path, headers=guarded[1][who]), 401)


def test_a_team_sees_its_services_and_nothing_else(client, guarded, names):
    headers = guarded[1]["team"]
    for rule, (method, level) in ROUTES.items():
        if method == "GET" and level is Access.READ:
            text = request(client, rule, names, headers=headers).get_data(as_text=True)
            leaked = [name for name in [*names[1:], SECRET] if name in text and rule != "/api/openapi.json"]
            assert leaked == [], rule
    services = strict(client.get("/api/services", headers=headers))
    assert [service["service_name"] for service in services["services"]] == ["theirs/one"]
    assert services["total"] == 1
    summary = strict(client.get("/api/health/summary", headers=headers))
    assert sum(summary["counts"].values()) == summary["total"] == 1
    assert (summary["open_anomalies"], summary["anomalies_24h"]) == (0, 0)
    assert strict(client.get("/api/health/anomalies", headers=headers))["anomalies"] == []


@pytest.mark.parametrize(
    "path",
    ["/api/metrics/history?service={}", "/api/health/anomalies?service={}", "/api/services/graph?service={}"],
)
def test_a_service_out_of_scope_and_one_that_is_not_are_told_alike(client, guarded, path):
    def answer(name):
        body = problem(client.get(path.format(name), headers=guarded[1]["team"]), 404)
        return str(body).replace(name, "NAME")

    assert answer(SECRET) == answer("shop/nothing-to-find")


def test_a_team_registers_its_own_services(client, guarded):
    response = client.post("/api/services/register", json={"service_name": "theirs/two"}, headers=guarded[1]["team"])
    assert response.status_code == 201
    body = problem(
        client.post("/api/services/register", json={"service_name": SECRET}, headers=guarded[1]["team"]), 403
    )
    assert "theirs/*" in body["detail"]


def with_cookie(session):
    """The environment of a request whose cookie holds a session's id, as the server leaves it."""
    return {ARRIVAL: Arrival("GET", "localhost", "127.0.0.1", session=session and hash_of(session))}


@pytest.mark.parametrize("header", ["X-Forwarded-User", "Remote-User", "X-Remote-User", "observatory.user", ARRIVAL])
def test_no_header_of_a_client_says_who_it_is(client, header):
    problem(client.get("/api/services", headers={header: "admin"}), 401)


def test_a_session_of_a_login_opens_the_api_as_its_key_does(client, guarded):
    runtime, headers = guarded
    authenticator = authenticator_of(runtime)
    key = headers["team"]["Authorization"].removeprefix("Bearer ")
    session, _ = authenticator.sign_in(authenticator.keys.session(key))
    found = strict(client.get("/api/services", environ_overrides=with_cookie(session)))
    assert next(service["service_name"] for service in found["services"]) == "theirs/one"
    problem(client.get("/api/services", environ_overrides=with_cookie(session + "x")), 401)
    problem(client.get("/api/services", environ_overrides=with_cookie(hash_of(session))), 401)


@pytest.mark.slow
def test_the_login_of_panel_grants_what_the_settings_say(runtime):
    client, authenticator = create_app(runtime).test_client(), authenticator_of(runtime)
    assert client.get("/api/services").status_code == 200
    authenticator.asks_panel = True
    problem(client.get("/api/services"), 401)
    given = with_cookie(authenticator.sign_in_at_panel("ann"))
    problem(client.get("/api/services", environ_overrides=given), 403)
    authenticator.settings = authenticator.settings.model_copy(update={"login_role": "viewer"})
    problem(client.get("/api/services", environ_overrides=given), 401)  # what she may do has changed
    given = with_cookie(authenticator.sign_in_at_panel("ann"))
    assert client.get("/api/services", environ_overrides=given).status_code == 200
    given = {ARRIVAL: replace(given[ARRIVAL], method="POST")}
    problem(client.post("/api/services/register", json={"service_name": "a"}, environ_overrides=given), 403)


@pytest.mark.slow
def test_where_nobody_signs_in_only_this_machine_may_ask(reader):
    for address in ("10.0.0.7", "::ffff:10.0.0.7", "192.168.1.1"):
        problem(reader.get("/api/services", environ_overrides={"REMOTE_ADDR": address}), 401)
    for address in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"):
        assert reader.get("/api/services", environ_overrides={"REMOTE_ADDR": address}).status_code == 200


@pytest.mark.slow
def test_the_door_closes_with_the_first_key_and_stays_closed_when_it_is_revoked(client, runtime):
    open_client = create_app(runtime).test_client()
    assert open_client.get("/api/services").status_code == 200
    keys = authenticator_of(runtime).keys
    _, text = keys.create("first", Role.VIEWER, ["*"])
    problem(open_client.get("/api/services"), 401)
    assert open_client.get("/api/services", headers={"Authorization": f"Bearer {text}"}).status_code == 200
    keys.revoke("first")
    problem(open_client.get("/api/services"), 401)
