"""What holds for every route there is, and for everything that is none."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from api.conftest import CHANGE, ENDED_INCIDENT, OPEN_INCIDENT, SILENCE
from apiflask import APIBlueprint
from support.api import problem, strict

from observatory.access.gate import Access
from observatory.api import app as api_app
from observatory.api.context import BODY_LIMIT
from observatory.api.middleware import authorization as access
from observatory.api.routes.events import ACCEPTED
from observatory.catalog import METRICS

ROUTES = {
    "/api/services": ("GET", Access.READ),
    "/api/services/register": ("POST", Access.WRITE),
    "/api/services/names": ("GET", Access.READ),
    "/api/services/graph": ("GET", Access.READ),
    "/api/services/<name:service>/rename": ("POST", Access.WRITE),
    "/api/services/<name:service>/merge": ("POST", Access.WRITE),
    "/api/services/<name:service>": ("DELETE", Access.WRITE),
    "/api/health/summary": ("GET", Access.READ),
    "/api/health/anomalies": ("GET", Access.READ),
    "/api/metrics/history": ("GET", Access.READ),
    "/api/collect/<name:service>": ("POST", Access.WRITE),
    "/api/feedback": ("POST", Access.WRITE),
    "/api/changes": ("GET", Access.READ),
    "/api/changes/<change_id>": ("GET", Access.READ),
    "POST /api/changes": ("POST", Access.WRITE),
    "/api/incidents": ("GET", Access.READ),
    "/api/incidents/<incident_id>": ("GET", Access.READ),
    "/api/incidents/<incident_id>/acknowledge": ("POST", Access.WRITE),
    "/api/incidents/<incident_id>/assign": ("POST", Access.WRITE),
    "/api/incidents/<incident_id>/note": ("POST", Access.WRITE),
    "/api/incidents/<incident_id>/resolve": ("POST", Access.WRITE),
    "/api/incidents/<incident_id>/reopen": ("POST", Access.WRITE),
    "/api/links": ("GET", Access.READ),
    "/api/alerts": ("GET", Access.READ),
    "POST /api/alerts": ("POST", Access.WRITE),
    "/api/silences": ("GET", Access.READ),
    "POST /api/silences": ("POST", Access.WRITE),
    "/api/silences/preview": ("POST", Access.WRITE),
    "/api/silences/<silence_id>": ("GET", Access.READ),
    "PATCH /api/silences/<silence_id>": ("PATCH", Access.WRITE),
    "DELETE /api/silences/<silence_id>": ("DELETE", Access.WRITE),
    "/api/notifications": ("GET", Access.ADMIN),
    "/api/notifications/test": ("POST", Access.ADMIN),
    "/api/notifications/retry": ("POST", Access.ADMIN),
    "/api/events": ("GET", Access.READ),
    "/metrics": ("GET", Access.READ),
    "/api/audit": ("GET", Access.ADMIN),
    "/api/openapi.json": ("GET", Access.PUBLIC),
    "/api/docs": ("GET", Access.PUBLIC),
    "/api/docs/<file>": ("GET", Access.PUBLIC),
    "/api/runs/<run_id>/report": ("GET", Access.READ),
    "/healthz": ("GET", Access.PUBLIC),
    "/readyz": ("GET", Access.PUBLIC),
}
"""Every route with its method and access: a new one is a conscious line here. A path's second method is named."""

SILENCED = {"services": ["shop/cart"], "reason": "new disks", "lasts": "2h"}
BODIES = {
    "POST /api/alerts": {"alerts": [{"labels": {"alertname": "A", "service": "cart"}}]},
    "POST /api/silences": SILENCED,
    "/api/silences/preview": SILENCED,
    "PATCH /api/silences/<silence_id>": {"end": "+3d"},
    "POST /api/changes": {"service_name": "shop/cart", "version": "1.4.2"},
    "/api/services/<name:service>/rename": {"new_name": "shop/basket"},
    "/api/services/<name:service>/merge": {"into": "shop/checkout", "overlap": "keep"},
    "/api/services/register": {"service_name": "new"},
    "/api/feedback": {
        "service_name": "shop/cart",
        "verdict": "missed",
        "started_at": "2026-03-02T09:00:00Z",
        "ended_at": "2026-03-02T09:10:00Z",
    },
    "/api/notifications/test": {"destination": "log"},
    "/api/notifications/retry": {"destination": "log"},
    "/api/incidents/<incident_id>/acknowledge": {"note": "looking"},
    "/api/incidents/<incident_id>/assign": {"assignee": "ann"},
    "/api/incidents/<incident_id>/note": {"text": "it was the pool"},
    "/api/incidents/<incident_id>/resolve": {},
    "/api/incidents/<incident_id>/reopen": {},
}


def plain(rule):
    """The path of a rule, without the method that some are named with."""
    return rule.rpartition(" ")[2]


def methods_of(rule):
    return {method for other, (method, _) in ROUTES.items() if plain(other) == plain(rule)}


def path_of(rule, names):
    incident = ENDED_INCIDENT if rule.endswith("/reopen") else OPEN_INCIDENT
    path = plain(rule).replace("<name:service>", names[0]).replace("<incident_id>", incident)
    path = path.replace("<silence_id>", SILENCE.id)
    return path.replace("<change_id>", CHANGE.id).replace("<file>", "swagger-ui.css")


def request(client, rule, names, query="", body=None, **more):
    needed = f"service={names[0]}&" if rule in ("/api/metrics/history", "/api/links") else ""
    path = f"{path_of(rule, names)}?{needed}{query}"
    if rule == "/api/events":  # as the server does
        more["environ_overrides"] = {"observatory.streams": True, ACCEPTED: []}
    return client.open(path, method=ROUTES[rule][0], json=body or BODIES.get(rule), **more)


def test_the_table_of_routes_is_the_one_declared(reader):
    app = reader.application
    found = sorted(
        (rule.rule, next(iter(rule.methods & {"GET", "POST", "DELETE", "PATCH"})), access.declared(app, rule.endpoint))
        for rule in app.url_map.iter_rules()
    )
    assert found == sorted((plain(rule), *of) for rule, of in ROUTES.items())


@pytest.mark.slow
@pytest.mark.parametrize("rule", [rule for rule in ROUTES if not rule.endswith("/report")])  # see test_runs
def test_every_route_answers_json_without_nan_and_with_safe_headers(client, names, rule):
    response = request(client, rule, names)
    if rule.startswith(("/api/docs", "/api/events", "/metrics")):
        assert response.content_type.startswith("text/")
    else:
        strict(response)
        assert response.content_type == "application/json"
    assert response.status_code in (200, 201)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("rule", [rule for rule in ROUTES if not rule.startswith("/api/docs")])
def test_every_route_is_documented_with_its_errors(reader, rule):
    document = strict(reader.get("/api/openapi.json"))
    operation = document["paths"][plain(rule).replace("<name:", "{").replace("<", "{").replace(">", "}")][
        ROUTES[rule][0].lower()
    ]
    assert operation["operationId"]
    assert operation["summary"]
    assert bool(operation["security"]) == (ROUTES[rule][1] is not Access.PUBLIC)
    assert operation["tags"][0] in [tag["name"] for tag in document["tags"]]
    assert "default" in operation["responses"]
    for status, response in operation["responses"].items():
        if status == "default" or int(status) >= 400:
            assert response["content"].keys() == {"application/problem+json"}


@pytest.mark.parametrize("rule", ROUTES)
def test_other_methods_are_a_405_that_names_the_right_one(refused, names, rule):
    # Any name may be that of a service, which can be removed, and any id that of a silence.
    removes = rule.startswith(("/api/services/", "/api/silences/"))
    changes = rule.startswith("/api/silences/")
    right = methods_of(rule) | ({"DELETE"} if removes else set()) | ({"GET", "PATCH"} if changes else set())
    for method in {"POST", "GET", "DELETE", "PUT", "PATCH"} - right:
        response = refused.open(path_of(rule, names), method=method)
        assert ROUTES[rule][0] in problem(response, 405)["detail"]
        assert ROUTES[rule][0] in response.headers["Allow"]


@pytest.mark.parametrize("rule", [rule for rule, (_, level) in ROUTES.items() if level is not Access.PUBLIC])
def test_unknown_query_parameters_are_refused(refused, names, rule):
    body = problem(request(refused, rule, names, "nope=1"), 400)
    assert [fault["name"] for fault in body["errors"]] == ["nope"]


@pytest.mark.parametrize("rule", [rule for rule, (_, level) in ROUTES.items() if level is not Access.PUBLIC])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:5006", "127.0.0.1.evil.example", "localhost:x", "", "[::2]"]
)
def test_foreign_host_names_are_refused(reader, names, rule, host):
    problem(request(reader, rule, names, headers={"Host": host}), 421)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:5006", "localhost:80", "LocalHost", "[::1]", "[::1]:5006"])
def test_loopback_host_names_are_served(reader, host):
    assert reader.get("/api/services", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("rule", [rule for rule, (_, level) in ROUTES.items() if level is Access.WRITE])
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:8888", "Host": "127.0.0.1:5006"},
        {"Origin": "http://["},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_other_sites_may_not_write(refused, names, rule, headers):
    problem(request(refused, rule, names, headers=headers), 403)


@pytest.mark.slow
@pytest.mark.parametrize("rule", [rule for rule, (_, level) in ROUTES.items() if level is Access.WRITE])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://127.0.0.1:5006", "Host": "127.0.0.1:5006"},
    ],
)
def test_our_own_pages_and_programs_may_write(client, names, rule, headers):
    assert request(client, rule, names, headers=headers).status_code in (200, 201)


def test_reading_with_a_foreign_origin_gets_no_permission_to_share(reader):
    response = reader.get("/api/services", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("path", ["/api/", "/api/nope", "/api/health", "/static/x", "/docs", "/openapi.json", "//"])
def test_what_is_no_route_is_a_404(reader, path):
    problem(reader.get(path), 404)


@pytest.mark.parametrize("size", [BODY_LIMIT + 1, 1 << 40])
@pytest.mark.parametrize("rule", [rule for rule, (_, level) in ROUTES.items() if level is Access.WRITE])
def test_large_bodies_are_refused_before_they_are_read(refused, names, rule, size):
    response = refused.post(path_of(rule, names), content_type="application/json", content_length=size)
    problem(response, 413)


@pytest.mark.slow
def test_a_body_as_large_as_allowed_is_read(client):
    body = '{"service_name": "' + "a" * (BODY_LIMIT - 21) + '" }'
    assert len(body) == BODY_LIMIT
    problem(client.post("/api/services/register", data=body, content_type="application/json"), 400)


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_bodies_that_are_no_json_are_a_415(refused, content_type):
    problem(refused.post("/api/services/register", data='{"service_name": "a"}', content_type=content_type), 415)


def app_with(monkeypatch, runtime, method, path, view):
    """The application with one more subject, of one route."""
    routes = APIBlueprint("more", __name__)
    routes.route(path, methods=[method])(view)
    monkeypatch.setattr(api_app, "SUBJECTS", (*api_app.SUBJECTS, SimpleNamespace(routes=routes)))
    return api_app.create_app(runtime)


def test_a_route_without_access_stops_the_start(shared, monkeypatch):
    with pytest.raises(TypeError, match=r"/api/forgotten .* declares no access"):
        app_with(monkeypatch, shared, "GET", "/api/forgotten", lambda: "")


def test_a_route_that_writes_must_say_so(shared, monkeypatch):
    view = access.access(Access.READ)(lambda: "")
    with pytest.raises(TypeError, match=r"/api/everything .* needs access to write"):
        app_with(monkeypatch, shared, "DELETE", "/api/everything", view)


@pytest.mark.slow
def test_a_fault_of_ours_is_logged_and_its_id_is_in_the_answer(client, runtime, monkeypatch, caplog):
    monkeypatch.setattr(runtime, "overview", lambda: METRICS["secret of the house"])
    body = problem(client.get("/api/health/summary"), 500)
    occurrence = body["instance"].removeprefix("urn:uuid:")
    assert occurrence in body["detail"]
    assert occurrence in caplog.text
    assert "Traceback" in caplog.text
    assert "secret of the house" in caplog.text
    assert "secret" not in str(body)
