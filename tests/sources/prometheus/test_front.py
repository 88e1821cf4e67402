"""A server is reached through what stands in front of it, and what cannot be passed is named."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from support.front import below, forward, without_post
from support.servers import FaultyServer, Prometheus, Reply, Request, VictoriaMetrics, free_port, success, wait_until

from observatory.errors import (
    AccessDeniedError,
    MalformedAnswerError,
    QueryLimitError,
    SourceError,
    SourceRefusedError,
    SourceUnreachableError,
)
from observatory.sources.prometheus.address import Address
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.connection import Authentication

pytestmark = pytest.mark.slow

NOW = datetime(2026, 1, 2, tzinfo=UTC)
PAGE = b"<!DOCTYPE html><html><head><title>Sign in - Example SSO</title></head><body>Please log in</body></html>"
EMPTY = success([])
NOT_FOUND = Reply(404, b"404 page not found\n")


def a_client(url: str, **more) -> PrometheusClient:
    return PrometheusClient(url, **({"sleep": lambda seconds: None} | more))


def jobs(client: PrometheusClient) -> list[str]:
    return [series.labels["job"] for series in client.instant("up", datetime.now(UTC)).series]


def error_of(server: FaultyServer, **more) -> str:
    with pytest.raises(SourceError) as caught:
        a_client(server.url, **more).instant("up", NOW)
    return f"{type(caught.value).__name__}: {caught.value}"


@pytest.fixture(scope="module")
def prometheus() -> Iterator[str]:
    with Prometheus({}) as server:
        client = a_client(server.url)
        wait_until(lambda: jobs(client) == ["prometheus"], 30, "a scrape")
        yield server.url


# -- POST refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 405, 501])
def test_where_post_is_refused_get_is_used_with_the_same_log_in_from_then_on(prometheus: str, status: int) -> None:
    with FaultyServer(choose=without_post(prometheus, status)) as front:
        client = a_client(front.url, authentication=Authentication(token="t0ken"))
        assert jobs(client) == jobs(client) == ["prometheus"]
        assert client.label_values("job") == ["prometheus"]
        assert client.range('up{job="prometheus"}', NOW, NOW, 60).series == []
    assert [request.method for request in front.requests] == ["POST", "GET", "GET", "GET", "GET"]
    assert {request.headers["Authorization"] for request in front.requests} == {"Bearer t0ken"}


def test_a_refusal_of_post_and_get_is_no_access() -> None:
    with FaultyServer(Reply(403, b"Forbidden (user=reader, verb=get)")) as server:
        said = error_of(server)
    assert said.startswith("AccessDeniedError")
    assert "HTTP 403, check token or password; it says: Forbidden (user=reader, verb=get)" in said


def test_a_bad_query_by_get_is_the_servers_refusal_of_it(prometheus: str) -> None:
    refused = pytest.raises(SourceError, match="parse error")
    with FaultyServer(choose=without_post(prometheus, 405)) as front, refused:
        a_client(front.url).instant("sum(", NOW)


def test_a_query_that_is_too_long_for_get_is_a_limit_of_its_text() -> None:
    def choose(request: Request) -> Reply:
        return Reply(405) if request.method == "POST" else Reply(414, b"Request-URI Too Large")

    with FaultyServer(choose=choose) as server, pytest.raises(QueryLimitError, match="name fewer presets"):
        a_client(server.url).instant("up", NOW)


# -- redirects and log-in pages ---------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_to_the_same_server_is_followed_and_remembered(prometheus: str, status: int) -> None:
    onward = below(prometheus, "/prometheus", NOT_FOUND)

    def choose(request: Request) -> Reply:
        if request.path.startswith("/prometheus/"):
            return onward(request)
        return Reply(status, headers={"Location": f"/prometheus{request.path}"})

    with FaultyServer(choose=choose) as front:
        client = a_client(front.url)
        assert jobs(client) == jobs(client) == ["prometheus"]
        assert client.address == f"{front.url}/prometheus"
    assert [(request.method, request.path.split("/")[1]) for request in front.requests] == [
        ("POST", "api"),
        ("POST", "prometheus"),
        ("POST", "prometheus"),
    ]


def test_redirects_in_a_circle_end() -> None:
    with FaultyServer(choose=lambda request: Reply(302, headers={"Location": request.path})) as server:
        assert "redirects to" in error_of(server)
    assert len(server.requests) < 30


def test_a_redirect_to_another_server_is_named_without_its_parameters_and_gets_no_secret() -> None:
    with FaultyServer(EMPTY) as other:
        there = f"{other.url}/api/v1/query?state=s3cr3t"
        with FaultyServer(Reply(301, headers={"Location": there})) as server:
            said = error_of(server, authentication=Authentication(token="t0ken"))
        assert other.requests == []
    assert f"redirects to {other.url}/api/v1/query (HTTP 301): set OBSERVATORY_PROMETHEUS_URL to that" in said
    assert "s3cr3t" not in said


@pytest.mark.parametrize(
    "location",
    [
        "https://login.example/oauth2/authorize?client_id=prom&state=s3cr3t",
        "/oauth2/sign_in?rd=%2F",
        "https://sso.example/realms/shop/protocol/saml",
        "/login",
    ],
)
def test_a_redirect_to_a_log_in_page_is_named(location: str) -> None:
    with FaultyServer(Reply(302, headers={"Location": location})) as server:
        said = error_of(server)
    assert said.startswith("AccessDeniedError")
    assert "redirects to a log-in page at http" in said
    assert location.partition("?")[0] in said
    assert "s3cr3t" not in said


@pytest.mark.parametrize("status", [200, 401, 403])
def test_a_log_in_page_is_named_by_its_title(status: int) -> None:
    with FaultyServer(Reply(status, PAGE)) as server:
        said = error_of(server)
    assert said.startswith("AccessDeniedError")
    assert "Sign in - Example SSO" in said
    assert ("log-in page" in said) is (status == 200)


def test_another_web_page_is_named_too() -> None:
    with FaultyServer(Reply(200, b"<html><title>Shop</title>")) as server:
        said = error_of(server)
    assert said.startswith(MalformedAnswerError.__name__)
    assert "it sent a web page called 'Shop'" in said


@pytest.mark.parametrize(
    ("reply", "hint"),
    [
        (Reply(401, b"no org id\n"), "headers = { X-Scope-OrgID = 'shop' }"),
        (
            Reply(403, b'{"message":"Missing Authentication Token"}', {"x-amzn-ErrorType": "Missing"}),
            "see aws_region and aws_profile",
        ),
    ],
)
def test_what_servers_want_is_named(reply: Reply, hint: str) -> None:
    with FaultyServer(reply) as server:
        assert hint in error_of(server)


# -- addresses as people give them ------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("", ""),
        ("/", ""),
        ("/graph", ""),
        ("/graph?g0.expr=up&g0.tab=1", ""),
        ("/query?g0.expr=up", ""),
        ("/classic/graph", ""),
        ("/targets?search=&pool=", ""),
        ("/api/v1", ""),
        ("/api/v1/", ""),
        ("/api/v1/query", ""),
        ("/api/v1/query_range?query=up&start=1&end=2&step=1", ""),
        ("/api/v1/label/__name__/values", ""),
        ("/api/v1/status/buildinfo", ""),
        ("/-/ready", ""),
        ("/metrics", ""),
        ("/vmui/#/?g0.expr=up", ""),
        ("/prometheus/graph", "/prometheus"),
        ("/prometheus//api/v1/query", "/prometheus"),
        ("/select/0/prometheus", "/select/0/prometheus"),
        ("/select/0/prometheus/vmui", "/select/0/prometheus"),
        ("/api/v1/namespaces/monitoring/services/prometheus:9090/proxy", None),
        ("/api/datasources/proxy/uid/abc", None),
    ],
)
def test_the_page_in_an_address_is_no_part_of_the_server(given: str, path: str | None) -> None:
    address = Address.of(f"https://prometheus.example:9090{given}")
    assert address.bases[0] == f"https://prometheus.example:9090{given if path is None else path}"
    assert address.parameters == ()


def test_an_address_keeps_parameters_of_the_server_and_its_log_in_apart() -> None:
    address = Address.of("https://ann:p%C3%A4ss@[::1]:9090/graph?namespace=shop&g0.expr=up&dedup=")
    assert address.bases[0] == "https://[::1]:9090"
    assert address.parameters == (("namespace", "shop"), ("dedup", ""))
    assert (address.username, address.password) == ("ann", "päss")
    assert "päss" not in repr(address)


def test_parameters_of_the_address_go_to_each_request_by_post_and_by_get() -> None:
    with FaultyServer(EMPTY, Reply(404)) as server:
        client = a_client(f"{server.url}/p?namespace=shop%26co")
        client.instant("up", NOW)
        client.version()
    first, second = server.requests
    assert (first.path, first.fields["query"]) == ("/p/api/v1/query?namespace=shop%26co", "up")
    assert second.path == "/p/api/v1/status/buildinfo?namespace=shop%26co"


@pytest.mark.parametrize("prefix", ["/prometheus", "/select/0/prometheus", "/api/prom"])
@pytest.mark.parametrize("missed", [NOT_FOUND, Reply(200, b"<html><title>Shop</title>"), Reply(400, b"unsupported")])
def test_the_api_of_mimir_and_of_a_cluster_is_found(
    prometheus: str, prefix: str, missed: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with FaultyServer(choose=below(prometheus, prefix, missed)) as front:
        client = a_client(front.url)
        assert jobs(client) == jobs(client) == ["prometheus"]
        assert client.address == front.url + prefix
        asked = len(front.requests)
        jobs(client)
        assert len(front.requests) == asked + 1
    assert f"the API of {front.url} is at {front.url}{prefix}" in caplog.text


def test_a_prefix_that_is_called_like_a_page_works(prometheus: str) -> None:
    with FaultyServer(choose=below(prometheus, "/query", NOT_FOUND)) as front:
        assert jobs(a_client(f"{front.url}/query")) == ["prometheus"]


def test_an_address_that_leads_nowhere_is_searched_once_and_refused() -> None:
    with FaultyServer(NOT_FOUND) as server:
        client = a_client(server.url)
        for _ in range(3):
            with pytest.raises(SourceRefusedError, match="HTTP 404; it says: 404 page not found"):
                client.instant("up", NOW)
    assert len(server.requests) == 3 + 3


@pytest.mark.parametrize("page", ["", "/graph", "/api/v1/query", "/targets", "/query"])
def test_a_real_prometheus_is_found_from_any_of_its_pages(prometheus: str, page: str) -> None:
    assert jobs(a_client(prometheus + page)) == ["prometheus"]


@pytest.mark.parametrize("page", ["", "/vmui", "/prometheus", "/prometheus/vmui", "/prometheus/api/v1/query"])
def test_a_real_victoriametrics_is_found_from_any_of_its_pages(page: str) -> None:
    with VictoriaMetrics() as server:
        server.load(f'up{{job="x"}} 1 {datetime.now(UTC).timestamp() * 1000 - 60_000:.0f}\n')
        assert jobs(a_client(server.url + page)) == ["x"]


# -- proxies ----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["setting", "environment"])
def test_requests_go_through_the_proxy_that_is_set(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer(EMPTY) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        client = a_client("http://prometheus.invalid:9090/p", proxy=proxy.url if how == "setting" else "environment")
        assert client.instant("up", NOW).series == []
    assert [request.path for request in proxy.requests] == ["http://prometheus.invalid:9090/p/api/v1/query"]


def test_no_proxy_names_servers_that_are_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer(EMPTY) as server, FaultyServer(EMPTY) as proxy:
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.setenv(name, "127.0.0.1")
        a_client(server.url, proxy="environment").instant("up", NOW)
    assert (len(server.requests), len(proxy.requests)) == (1, 0)


def test_without_the_setting_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer(EMPTY) as server, FaultyServer(EMPTY) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        a_client(server.url).instant("up", NOW)
    assert (len(server.requests), len(proxy.requests)) == (1, 0)


def test_a_proxy_that_is_away_is_named_without_its_password() -> None:
    proxy = f"http://ann:s3cr3t@127.0.0.1:{free_port()}"
    with pytest.raises(SourceUnreachableError, match=r"the proxy before .* OBSERVATORY_PROMETHEUS_PROXY") as caught:
        a_client("http://prometheus.invalid:9090", proxy=proxy).instant("up", NOW)
    assert "s3cr3t" not in str(caught.value)


def test_access_that_a_proxy_refuses_is_denied() -> None:
    with FaultyServer(Reply(407)) as proxy, pytest.raises(AccessDeniedError, match="HTTP 407"):
        a_client("http://prometheus.invalid:9090", proxy=proxy.url).instant("up", NOW)


def test_the_forwarding_front_changes_nothing(prometheus: str) -> None:
    with FaultyServer(choose=forward(prometheus)) as front:
        assert jobs(a_client(front.url)) == ["prometheus"]
