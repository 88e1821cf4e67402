"""Who calls whom is read of meshes, proxies and traces, by the names that other metrics give to services."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cases import Case, Cases, Series, counter
from support.openmetrics import Exposition
from support.parsing import not_understood
from support.servers import Server, VictoriaMetrics

from observatory.model import Call, End, KnownServices
from observatory.sources.prometheus.calls import CALL_METRICS
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.source import PrometheusSource

CASES = Cases()
TEMPO = "traces_service_graph_request_total"
WEB, CART, PAY = "shop/web", "shop/cart", "shop/pay"


def served(*names: str, **more: str) -> Series:
    """Requests of services in namespace shop, as they count them themselves."""
    extra = "".join(f',{label}="{value}"' for label, value in more.items())
    return {f'http_requests_total{{namespace="shop",job="{name}",code="200"{extra}}}': counter(60) for name in names}


def graph(*pairs: tuple[str, str], more: str = "") -> Series:
    return {f'{TEMPO}{{client="{a}",server="{b}"{more}}}': counter(60) for a, b in pairs}


@CASES.add
def the_service_graph_of_traces() -> Case:
    """A user, a database and what nobody knows are no service; the service itself is no other one."""
    return Case(
        served("web", "cart", "pay")
        | graph(("web", "cart"), ("cart", "pay"), ("pay", "pay"), ("web", "elsewhere"))
        | graph(("user", "web"), more=',connection_type="virtual_node"')
        | graph(("cart", "pay-db"), more=',connection_type="database"')
        | graph(("pay", "web"), more=',connection_type="messaging_system"'),
        {},
        calls=[(WEB, CART), (CART, PAY), (PAY, WEB)],
        outside=[
            ("user", "user", "service", WEB),
            ("service", CART, "database", "pay-db"),
            ("service", WEB, "unknown", "elsewhere"),
        ],
    )


@CASES.add
def a_database_or_a_user_with_the_name_of_a_service_is_not_that() -> Case:
    """Databases are often called as the service they belong to, and shops have a service for their users."""
    return Case(
        served("cart", "user")
        | graph(("cart", "cart"), more=',connection_type="database"')
        | graph(("user", "cart"), more=',connection_type="virtual_node"')
        | graph(("cart", "api.bank.example"), more=',connection_type="virtual_node"'),
        {},
        calls=[],
        outside=[
            ("service", CART, "database", "cart"),
            ("user", "user", "service", CART),
            ("service", CART, "external", "api.bank.example"),
        ],
    )


@CASES.add
def the_service_graph_with_namespaces_tells_two_of_a_name_apart() -> Case:
    spaces = ',client_service_namespace="shop",server_service_namespace="{}"'
    series = {
        'http_requests_total{namespace="shop",job="web",code="200"}': counter(60),
        'http_requests_total{namespace="shop",job="pay",code="200"}': counter(60),
        'http_requests_total{namespace="bank",job="pay",code="200"}': counter(60),
    }
    return Case(
        series | graph(("web", "pay"), more=spaces.format("bank")), {}, calls=[(WEB, "bank/pay")]
    )  # fmt: skip


@CASES.add
def a_name_that_two_services_have_is_nobody() -> Case:
    series = {
        f'http_requests_total{{namespace="{space}",job="{job}",code="200"}}': counter(60)
        for space, job in (("shop", "web"), ("shop", "pay"), ("bank", "pay"))
    }
    return Case(series | graph(("web", "pay")), {}, calls=[], outside=[("service", WEB, "unknown", "pay")])


@CASES.add
def istio() -> Case:
    """Its workload has a version, its canonical service has none; the ingress gateway has requests of its own."""

    def call(source: str, target: str, more: str = "") -> Series:
        known = f'source_workload="{source}-v1",source_workload_namespace="shop",source_canonical_service="{source}"'
        target = f'destination_service_namespace="shop",destination_service_name="{target}"'
        both = [f'{known},{target},response_code="200",reporter="{reporter}"' for reporter in ("source", "destination")]
        return {f"istio_requests_total{{{labels}{more}}}": counter(60) for labels in both}

    unknown = (
        'source_workload="unknown",source_workload_namespace="unknown",source_canonical_service="unknown",'
        'destination_service_namespace="shop",destination_service_name="web",response_code="200",reporter="destination"'
    )
    return Case(
        served("web", "cart", "pay")
        | call("web", "cart")
        | call("cart", "pay")
        | call("pay", "api.bank.example")
        | call("pay", "PassthroughCluster")
        | call("pay", "BlackHoleCluster")
        | {f"istio_requests_total{{{unknown}}}": counter(60)},
        {},
        calls=[(CART, PAY), (WEB, CART)],
        outside=[
            ("service", PAY, "external", "api.bank.example"),
            ("service", PAY, "external", "PassthroughCluster"),
        ],
        chosen=("http",),
        kind="istio",
    )


@CASES.add
def linkerd() -> Case:
    def seen(source: str, target: str) -> Series:
        mine, other = f'namespace="shop",deployment="{source}"', f'dst_namespace="shop",dst_deployment="{target}"'
        return {
            f'response_total{{{mine},direction="outbound",{other},classification="success"}}': counter(60),
            f'response_total{{namespace="shop",deployment="{target}",direction="inbound",classification="success"}}': (
                counter(60)
            ),
            f'response_total{{{mine},direction="inbound",classification="success"}}': counter(60),
        }

    return Case(seen("web", "cart") | seen("cart", "pay"), {}, calls=[(WEB, CART), (CART, PAY)], kind="linkerd")


@CASES.add
def envoy_beside_its_applications() -> Case:
    """A proxy of each job; clusters that lead to itself and to its own administration are no calls."""
    name = "envoy_cluster_upstream_rq_total"
    clusters = (
        "cart",
        "outbound|80||pay.shop.svc.cluster.local",
        "outbound|443||api.bank.example",
        "outbound|80||db.data.svc.cluster.local",
        "local_app",
        "xds-grpc",
        "inbound|8080||",
        "BlackHoleCluster",
        "10.0.0.7:9000",
    )
    return Case(
        served("web", "cart", "pay")
        | {f'{name}{{namespace="shop",job="web",envoy_cluster_name="{one}"}}': counter(60) for one in clusters},
        {},
        calls=[(WEB, CART), (WEB, PAY)],
        outside=[("service", WEB, "external", "api.bank.example"), ("service", WEB, "unknown", "data/db")],
        chosen=("http",),
        kind="envoy",
    )


@CASES.add
def consul_names_clusters_in_its_own_way() -> Case:
    name = "envoy_cluster_upstream_rq_total"
    cluster = "cart.default.dc1.internal.e5b0-11eb.consul"
    return Case(
        {
            f'{name}{{local_cluster="web",envoy_cluster_name="{cluster}"}}': counter(60),
            f'{name}{{local_cluster="web",envoy_cluster_name="local_app"}}': counter(60),
            f'{name}{{local_cluster="cart",envoy_cluster_name="local_app"}}': counter(60),
        },
        {},
        chosen=("consul",),
        calls=[("web", "cart")],
        kind="consul",
    )


@CASES.add
def spans_that_name_their_peer() -> Case:
    def span(source: str, kind: str, more: str = "") -> str:
        return f'traces_span_metrics_calls_total{{service_name="{source}",span_kind="SPAN_KIND_{kind}"{more}}}'

    return Case(
        {span(name, "SERVER"): counter(60) for name in ("web", "cart", "pay")}
        | {
            span("web", "CLIENT", ',peer_service="cart"'): counter(60),
            span("cart", "CLIENT", ',server_address="pay.shop.svc.cluster.local:8080"'): counter(60),
            span("cart", "CLIENT", ',server_address="api.elsewhere.example"'): counter(60),
            span("cart", "CLIENT", ',server_address="10.1.2.3:8080"'): counter(60),
            span("cart", "CLIENT", ',server_address="pg-0",db_system="postgresql",db_name="carts"'): counter(60),
            span("pay", "INTERNAL", ',peer_service="web"'): counter(60),
        },
        {},
        calls=[("cart", "pay"), ("web", "cart")],
        outside=[
            ("service", "cart", "external", "api.elsewhere.example"),
            ("service", "cart", "database", "carts"),
        ],
        kind="spans",
    )


@CASES.add
def clusters_of_one_name_each_have_their_own_calls() -> Case:
    return Case(
        {
            name: samples
            for cluster in ("eu", "us")
            for part in (
                served("web", "cart", cluster=cluster),
                graph(("web", "cart"), more=f',cluster="{cluster}"'),
                {f'up{{namespace="shop",job="web",cluster="{cluster}",instance="{cluster}"}}': counter(0, 1)},
            )
            for name, samples in part.items()
        },
        {},
        calls=[("eu/shop/web", "eu/shop/cart"), ("us/shop/web", "us/shop/cart")],
    )


@CASES.add
def without_a_metric_that_names_both_ends() -> Case:
    return Case(served("web", "cart"), {}, calls=[])


@pytest.fixture(scope="module")
def servers() -> Iterator[Callable[[str], Server]]:
    yield from CASES.serve()


@pytest.mark.servers
@pytest.mark.parametrize(("kind", "name"), CASES.parameters)
def test_calls_are_those_between_services(servers: Callable[[str], Server], kind: str, name: str) -> None:
    CASES.hold(servers(kind), name)


def test_a_real_prometheus_understands_every_query() -> None:
    assert not_understood({one.name: one.query for one in CALL_METRICS}) == {}


NAMES = st.lists(st.text("ab/", min_size=1, max_size=5), max_size=6)


@pytest.mark.slow
@given(NAMES, NAMES, st.text("ab", max_size=1))
def test_what_is_found_is_a_known_service_that_ends_with_a_name_asked_for(
    services: list[str], names: list[str], cluster: str
) -> None:
    found = KnownServices(services).find(names, cluster)
    if found is None:
        assert not set(names) & set(services)
    else:
        assert found in services
        assert any(found in (name, f"{cluster}/{name}") or found.endswith(f"/{name}") for name in names)


# -- as a source tells them -------------------------------------------------------------------


@pytest.mark.servers
def test_a_source_tells_the_calls_of_the_services_it_saw() -> None:
    now = datetime.now(UTC)
    text = Exposition(range(int(now.timestamp()) - 600, int(now.timestamp()), 15))
    for name in ("web", "cart"):
        text.counter("http_requests", {"namespace": "shop", "job": name, "code": "200"}, 10)
    for server in ("cart", "old", "mail"):
        text.counter(TEMPO.removesuffix("_total"), {"job": "tempo", "client": "web", "server": server}, 10)
    with VictoriaMetrics() as server:
        server.load(text.prometheus())
        source = PrometheusSource(PrometheusClient(server.url), exclude=["old"])
        assert source.graph() == []
        seen = source.collect(now - timedelta(minutes=1)).frame  # of the last half minute it tells nothing
        assert set(seen["service_name"]) == {CART, WEB}
        kind = "service graph"
        assert source.graph() == [Call(WEB, "mail", kind, callee_is=End.UNKNOWN), Call(WEB, CART, kind)]
