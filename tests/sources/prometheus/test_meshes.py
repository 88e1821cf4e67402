"""What is read of meshes, proxies and spans: what is in front of services or between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from support.cases import Case, Cases, Series, constant, counter, histogram
from support.servers import Server

ISTIO = "istio_request_duration_milliseconds"
CASES = Cases()


def istio(name: str, reporter: str, fast: float, slow: float = 0, failed: float = 0, more: str = "") -> Series:
    """Requests a minute to ``shop/{name}``, as one of Istio's proxies reports them."""
    at = f'reporter="{reporter}",destination_service_namespace="shop",destination_service_name="{name}"{more}'
    series = histogram(ISTIO, f'{at},response_code="200"', fast, slow, unit=1000)
    series[f'istio_requests_total{{{at},response_code="200"}}'] = counter(fast + slow - failed)
    if failed:
        series[f'istio_requests_total{{{at},response_code="503"}}'] = counter(failed)
    return series


@CASES.add
def istio_without_errors_with_some_and_idle() -> Case:
    series = istio("cart", "destination", 540, 60, failed=60) | istio("web", "destination", 600)
    series |= {k: constant(5) for k in istio("idle", "destination", 1)}
    series |= istio("cart", "source", 540, 60, failed=60)  # the caller's view of the same requests
    return Case(
        series,
        {
            "request_rate": {"shop/cart": 10, "shop/web": 10, "shop/idle": 0},
            "error_rate": {"shop/cart": 0.1, "shop/web": 0},
            "latency_p50": {"shop/cart": 0.05556, "shop/web": 0.05},
            "latency_p95": {"shop/cart": 0.15, "shop/web": 0.095},
            "latency_p99": {"shop/cart": 0.19, "shop/web": 0.099},
            "latency_mean": {"shop/cart": 0.06, "shop/web": 0.05},
        },
    )


@CASES.add
def what_a_waypoint_and_a_sidecar_both_report_is_counted_once() -> Case:
    return Case(
        istio("cart", "destination", 540, 60, failed=60) | istio("cart", "waypoint", 540, 60, failed=60),
        {
            "request_rate": {"shop/cart": 10},
            "error_rate": {"shop/cart": 0.1},
            "latency_p95": {"shop/cart": 0.15},
            "latency_mean": {"shop/cart": 0.06},
        },
    )


@CASES.add
def a_service_that_only_its_callers_see() -> Case:
    """It is outside of the mesh, or down: nobody reports for it."""
    down = {
        k.replace("cart", "down"): v
        for k, v in istio("cart", "source", 0, 600, failed=600).items()
        if 'response_code="200"' not in k or "requests_total" not in k
    }
    return Case(
        istio("bank", "source", 540, 60) | down,
        {
            "request_rate": {"shop/bank": 10, "shop/down": 10},
            "error_rate": {"shop/bank": 0, "shop/down": 1},
            "latency_p95": {"shop/bank": 0.15, "shop/down": 0.195},
        },
    )


@CASES.add
def errors_that_only_the_caller_saw_count() -> Case:
    """Of 600 requests 60 reached nobody."""
    return Case(
        istio("cart", "destination", 540) | istio("cart", "source", 600, failed=60),
        {"request_rate": {"shop/cart": 10}, "error_rate": {"shop/cart": 0.1}},
    )


@CASES.add
def grpc_through_istio_fails_with_status_200() -> Case:
    to = 'destination_service_namespace="shop",destination_service_name="grpc"'
    at = f'reporter="destination",{to},response_code="200"'
    return Case(
        {
            f'istio_requests_total{{{at},grpc_response_status="0"}}': counter(48),
            f'istio_requests_total{{{at},grpc_response_status="5"}}': counter(6),
            f'istio_requests_total{{{at},grpc_response_status="14"}}': counter(6),
        },
        {"request_rate": {"shop/grpc": 1}, "error_rate": {"shop/grpc": 0.1}},
    )


@CASES.add
def what_istio_does_not_know_is_no_service() -> Case:
    nowhere = {k: v for name in ("unknown", "PassthroughCluster") for k, v in istio(name, "source", 600).items()}
    return Case(nowhere | istio("web", "destination", 60), {"request_rate": {"shop/web": 1}}, services=["shop/web"])


@CASES.add
def the_replicas_of_a_service_are_added() -> Case:
    series = {f'{k[:-1]},pod="{pod}"}}': v for k, v in istio("cart", "destination", 60).items() for pod in "ab"}
    return Case(series, {"request_rate": {"shop/cart": 2}, "error_rate": {"shop/cart": 0}})


@CASES.add
def linkerd_names_workloads_of_any_kind() -> Case:
    web, db = 'namespace="shop",deployment="web",direction="inbound"', 'namespace="shop",statefulset="db"'
    series = histogram("response_latency_ms", web, 54, 6, unit=1000) | {
        f'response_total{{{web},classification="success"}}': counter(54),
        f'response_total{{{web},classification="failure"}}': counter(6),
        f'response_total{{{web.replace("inbound", "outbound")},classification="failure"}}': counter(600),
        f'response_total{{{db},direction="inbound",classification="success"}}': counter(60),
        'response_total{namespace="shop",direction="inbound",classification="success"}': counter(60),
    }
    return Case(
        series,
        {
            "request_rate": {"shop/web": 1, "shop/db": 1},
            "error_rate": {"shop/web": 0.1, "shop/db": 0},
            "latency_p95": {"shop/web": 0.15},
        },
        services=["shop/db", "shop/web"],
    )


@CASES.add
def envoy_clusters_are_named_as_they_are_and_those_of_istio_by_their_service() -> Case:
    plain = 'envoy_cluster_name="payments"'
    mesh = 'envoy_cluster_name="outbound|80||reviews.shop.svc.cluster.local"'
    series = histogram("envoy_cluster_upstream_rq_time", plain, 54, 6, unit=1000) | {
        f"envoy_cluster_upstream_rq_total{{{plain}}}": counter(60),
        f'envoy_cluster_upstream_rq_xx{{{plain},envoy_response_code_class="5"}}': counter(3),
        f'envoy_cluster_upstream_rq_xx{{{plain},envoy_response_code_class="4"}}': counter(30),
        f"envoy_cluster_upstream_rq_total{{{mesh}}}": counter(120),
        'envoy_cluster_upstream_rq_total{envoy_cluster_name="xds-grpc"}': counter(60),
    }
    return Case(
        series,
        {
            "request_rate": {"payments": 1, "shop/reviews": 2},
            "error_rate": {"payments": 0.05, "shop/reviews": 0},
            "latency_p95": {"payments": 0.15},
        },
        services=["payments", "shop/reviews"],
    )


@CASES.add
def the_application_behind_a_sidecar_of_consul() -> Case:
    name, mine = "envoy_cluster_upstream_rq_total", 'local_cluster="cart",envoy_cluster_name="local_app"'
    return Case(
        {
            f"{name}{{{mine}}}": counter(60),
            f'envoy_cluster_upstream_rq_xx{{{mine},envoy_response_code_class="5"}}': counter(6),
            f'{name}{{local_cluster="cart",envoy_cluster_name="payments"}}': counter(120),
        },
        {"request_rate": {"cart": 1, "payments": 2}, "error_rate": {"cart": 0.1, "payments": 0}},
    )


# -- spans ------------------------------------------------------------------------------------


@CASES.each(
    collector=("traces_span_metrics_calls_total", "traces_span_metrics_duration_milliseconds", "service_name", 1000),
    collector_in_seconds=("traces_span_metrics_calls_total", "traces_span_metrics_duration_seconds", "service_name", 1),
    tempo=("traces_spanmetrics_calls_total", "traces_spanmetrics_latency", "service", 1),
    plain=("calls_total", "duration_milliseconds", "service_name", 1000),
    old_plain=("calls_total", "latency", "service_name", 1000),
)
def metrics_of_spans(made: tuple[str, str, str, int]) -> Case:
    calls, duration, name, unit = made
    server, client = (f'{name}="cart",job="collector",span_kind="SPAN_KIND_{kind}"' for kind in ("SERVER", "CLIENT"))
    return Case(
        {
            f'{calls}{{{server},status_code="STATUS_CODE_UNSET"}}': counter(54),
            f'{calls}{{{server},status_code="STATUS_CODE_ERROR"}}': counter(6),
            f'{calls}{{{client},status_code="STATUS_CODE_ERROR"}}': counter(600),
        }
        | histogram(duration, server, 54, 6, unit)
        | histogram(duration, client, 0, 600, unit),
        {
            "request_rate": {"cart": 1},
            "error_rate": {"cart": 0.1},
            "latency_p95": {"cart": 0.15},
            "latency_mean": {"cart": 0.06},
        },
        services=["cart"],
    )


# -- proxies in front -------------------------------------------------------------------------


@CASES.each(
    its_own='namespace="shop",service="web"',
    renamed_by_prometheus='namespace="ingress",service="nginx",exported_namespace="shop",exported_service="web"',
)
def what_the_ingress_of_nginx_saw(labels: str) -> Case:
    name = "nginx_ingress_controller_requests"
    return Case(
        {
            f'{name}{{{labels},job="ingress",status="200"}}': counter(54),
            f'{name}{{{labels},job="ingress",status="502"}}': counter(6),
        }
        | histogram("nginx_ingress_controller_request_duration_seconds", f'{labels},job="ingress",status="200"', 54, 6),
        {
            "request_rate": {"shop/web": 1},
            "error_rate": {"shop/web": 0.1},
            "latency_p95": {"shop/web": 0.15},
            "latency_mean": {"shop/web": 0.06},
        },
        services=["shop/web"],
    )


@CASES.add
def what_traefik_saw() -> Case:
    name, base = "traefik_service_requests_total", "traefik_service_request_duration_seconds"
    kubernetes, crd = 'service="shop-cart-80@kubernetes"', 'service="shop-web-http@kubernetescrd"'
    return Case(
        {
            f'{name}{{{kubernetes},code="200"}}': counter(54),
            f'{name}{{{kubernetes},code="503"}}': counter(6),
            f'{name}{{{crd},code="200"}}': counter(60),
            f'{name}{{service="whoami@docker",code="200"}}': counter(60),
        }
        | histogram(base, f'{kubernetes},code="200"', 54, 6),
        {
            "request_rate": {"shop/cart": 1, "shop/web": 1, "whoami": 1},
            "error_rate": {"shop/cart": 0.1, "shop/web": 0, "whoami": 0},
            "latency_p95": {"shop/cart": 0.15},
        },
    )


@CASES.add
def what_haproxy_saw() -> Case:
    name = "haproxy_backend_http_responses_total"
    return Case(
        {
            f'{name}{{job="haproxy",proxy="web",code="2xx"}}': counter(54),
            f'{name}{{job="haproxy",proxy="web",code="5xx"}}': counter(6),
            f'{name}{{job="haproxy",proxy="stats",code="2xx"}}': counter(60),
            'haproxy_backend_response_time_average_seconds{job="haproxy",proxy="web"}': constant(0.2),
        },
        {"request_rate": {"web": 1}, "error_rate": {"web": 0.1}, "latency_mean": {"web": 0.2}},
    )


@CASES.add
def what_an_exporter_beside_haproxy_saw() -> Case:
    name = "haproxy_backend_http_responses_total"
    return Case(
        {
            f'{name}{{job="haproxy",backend="web",code="2xx"}}': counter(54),
            f'{name}{{job="haproxy",backend="web",code="5xx"}}': counter(6),
            'haproxy_backend_http_response_time_average_seconds{job="haproxy",backend="web"}': constant(0.2),
        },
        {"request_rate": {"web": 1}, "error_rate": {"web": 0.1}, "latency_mean": {"web": 0.2}},
    )


@CASES.add
def what_openshifts_router_saw() -> Case:
    name = "haproxy_backend_http_responses_total"
    router = 'job="router",namespace="openshift-ingress",service="router-internal-default",pod="router-1"'
    return Case(
        {
            f'{name}{{{router},exported_namespace="shop",route="web",code="2xx"}}': counter(54),
            f'{name}{{{router},exported_namespace="shop",route="web",code="5xx"}}': counter(6),
            f'{name}{{{router},exported_namespace="back",route="web",code="2xx"}}': counter(60),
        },
        {"request_rate": {"shop/web": 1, "back/web": 1}, "error_rate": {"shop/web": 0.1, "back/web": 0}},
    )


@CASES.add
def django() -> Case:
    name, base = "django_http_responses_total_by_status_total", "django_http_requests_latency_seconds_by_view_method"
    return Case(
        {
            f'{name}{{job="shop",status="200"}}': counter(54),
            f'{name}{{job="shop",status="500"}}': counter(6),
            'django_http_requests_total_by_method_total{job="shop",method="GET"}': counter(60),
        }
        | histogram(base, 'job="shop",view="cart",method="GET"', 54, 6),
        {"request_rate": {"shop": 1}, "error_rate": {"shop": 0.1}, "latency_p95": {"shop": 0.15}},
    )


@CASES.add
def caddy_counts_a_request_in_every_handler() -> Case:
    base = "caddy_http_request_duration_seconds"
    return Case(
        {
            k: v
            for handler in ("subroute", "reverse_proxy")
            for code, fast, slow in (("200", 54, 0), ("502", 0, 6))
            for k, v in histogram(base, f'job="caddy",handler="{handler}",code="{code}"', fast, slow).items()
        }
        | {'caddy_http_requests_total{job="caddy",handler="subroute"}': counter(60)},
        {"request_rate": {"caddy": 1}, "error_rate": {"caddy": 0.1}, "latency_p95": {"caddy": 0.15}},
    )


@pytest.fixture(scope="module")
def servers() -> Iterator[Callable[[str], Server]]:
    yield from CASES.serve()


@pytest.mark.servers
@pytest.mark.parametrize(("kind", "name"), CASES.parameters)
def test_a_server_is_read_right(servers: Callable[[str], Server], kind: str, name: str) -> None:
    CASES.hold(servers(kind), name)
