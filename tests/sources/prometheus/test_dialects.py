"""Each preset reads what its exporters write, by the judgement of promtool, and presets make one service together."""

from __future__ import annotations

import pytest
from support.promtool import Check, Series, constant, counter, histogram

from observatory.config.sources import PresetSettings
from observatory.errors import ConfigError
from observatory.sources.prometheus.presets import PRESETS, configured

ISTIO = "istio_request_duration_milliseconds"
MICROMETER = "http_server_requests_seconds"


def istio(name: str, reporter: str, fast: float, slow: float = 0, failed: float = 0) -> Series:
    """Requests a minute to ``shop/{name}``, as one of Istio's proxies reports them."""
    at = f'reporter="{reporter}",destination_service_namespace="shop",destination_service_name="{name}"'
    series = histogram(ISTIO, f'{at},response_code="200"', fast, slow, unit=1000)
    series[f'istio_requests_total{{{at},response_code="200"}}'] = counter(fast + slow - failed)
    if failed:
        series[f'istio_requests_total{{{at},response_code="503"}}'] = counter(failed)
    return series


def test_istio_without_errors_with_some_and_idle(check: Check) -> None:
    series = istio("cart", "destination", 540, 60, failed=60) | istio("web", "destination", 600)
    series |= {k: constant(5) for k in istio("idle", "destination", 1)}
    series |= istio("cart", "source", 540, 60, failed=60)  # the caller's view of the same requests
    check(
        series,
        {
            "request_rate": {"shop/cart": 10, "shop/web": 10, "shop/idle": 0},
            "error_rate": {"shop/cart": 0.1, "shop/web": 0},
            "latency_p50": {"shop/cart": 0.056, "shop/web": 0.05},
            "latency_p95": {"shop/cart": 0.3, "shop/web": 0.095},
            "latency_p99": {"shop/cart": 0.46, "shop/web": 0.099},
        },
    )


def test_what_a_waypoint_and_a_sidecar_both_report_is_counted_once(check: Check) -> None:
    series = istio("cart", "destination", 540, 60, failed=60) | istio("cart", "waypoint", 540, 60, failed=60)
    check(
        series, {"request_rate": {"shop/cart": 10}, "error_rate": {"shop/cart": 0.1}, "latency_p95": {"shop/cart": 0.3}}
    )


def test_the_replicas_of_a_service_are_added(check: Check) -> None:
    series = {f'{k[:-1]},pod="{pod}"}}': v for k, v in istio("cart", "destination", 60).items() for pod in "ab"}
    check(series, {"request_rate": {"shop/cart": 2}, "error_rate": {"shop/cart": 0}})


def test_linkerd_names_workloads_of_any_kind(check: Check) -> None:
    web, db = 'namespace="shop",deployment="web",direction="inbound"', 'namespace="shop",statefulset="db"'
    series = histogram("response_latency_ms", web, 54, 6, unit=1000) | {
        f'response_total{{{web},classification="success"}}': counter(54),
        f'response_total{{{web},classification="failure"}}': counter(6),
        f'response_total{{{web.replace("inbound", "outbound")},classification="failure"}}': counter(600),
        f'response_total{{{db},direction="inbound",classification="success"}}': counter(60),
        'response_total{namespace="shop",direction="inbound",classification="success"}': counter(60),
    }
    check(
        series,
        {
            "request_rate": {"shop/web": 1, "shop/db": 1},
            "error_rate": {"shop/web": 0.1, "shop/db": 0},
            "latency_p95": {"shop/web": 0.3},
            "services": {"shop/web": 2, "shop/db": 1},
        },
    )


def test_envoy_clusters_are_named_as_they_are_and_those_of_istio_by_their_service(check: Check) -> None:
    plain = 'envoy_cluster_name="payments"'
    mesh = 'envoy_cluster_name="outbound|80||reviews.shop.svc.cluster.local"'
    series = histogram("envoy_cluster_upstream_rq_time", plain, 54, 6, unit=1000) | {
        f"envoy_cluster_upstream_rq_total{{{plain}}}": counter(60),
        f'envoy_cluster_upstream_rq_xx{{{plain},envoy_response_code_class="5"}}': counter(3),
        f'envoy_cluster_upstream_rq_xx{{{plain},envoy_response_code_class="4"}}': counter(30),
        f"envoy_cluster_upstream_rq_total{{{mesh}}}": counter(120),
    }
    check(
        series,
        {
            "request_rate": {"payments": 1, "shop/reviews": 2},
            "error_rate": {"payments": 0.05, "shop/reviews": 0},
            "latency_p95": {"payments": 0.3},
        },
    )


@pytest.mark.parametrize("labels", ['application="api",job="spring"', 'job="api"'], ids=["application", "job"])
def test_micrometer_with_buckets(check: Check, labels: str) -> None:
    series = histogram(MICROMETER, f'{labels},outcome="SUCCESS"', 54, 0) | histogram(
        MICROMETER, f'{labels},outcome="SERVER_ERROR"', 0, 6
    )
    check(
        series,
        {
            "request_rate": {"api": 1},
            "error_rate": {"api": 0.1},
            "latency_p50": {"api": 0.056},
            "latency_p95": {"api": 0.3},
        },
    )


def test_micrometer_without_buckets_has_its_mean_and_published_percentiles(check: Check) -> None:
    mean, published = 'application="mean",outcome="SUCCESS"', 'application="told",outcome="SUCCESS"'
    series = {
        f"{MICROMETER}_count{{{mean}}}": counter(60),
        f"{MICROMETER}_sum{{{mean}}}": counter(12),
        f'{MICROMETER}_count{{application="idle",outcome="SUCCESS"}}': constant(7),
        f'{MICROMETER}_sum{{application="idle",outcome="SUCCESS"}}': constant(1),
        f"{MICROMETER}_count{{{published}}}": counter(60),
        f"{MICROMETER}_sum{{{published}}}": counter(12),
        f'{MICROMETER}{{{published},quantile="0.95",instance="a"}}': constant(0.4),
        f'{MICROMETER}{{{published},quantile="0.95",instance="b"}}': constant(0.6),
    }
    check(
        series,
        {
            "request_rate": {"mean": 1, "told": 1, "idle": 0},
            "error_rate": {"mean": 0, "told": 0},
            "latency_p50": {"mean": 0.2, "told": 0.2},
            "latency_p95": {"told": 0.6},
            "latency_p99": {},
        },
    )


def test_a_single_failed_request_in_the_window_is_all_of_little_traffic(check: Check) -> None:
    series = {
        'http_request_duration_seconds_count{job="rare",code="500"}': "0x27 1x3",
        'http_request_duration_seconds_count{job="rare",code="200"}': "9x30",
    }
    check(series, {"request_rate": {"rare": 0.003}, "error_rate": {"rare": 1}})


def test_machines_have_cores_and_bytes_and_come_before_their_exporters_process(check: Check) -> None:
    series: Series = {
        'process_cpu_seconds_total{job="node"}': counter(0.6),
        'process_resident_memory_bytes{job="node"}': constant(20),
    }
    for machine in "ab":
        at = f'job="node",instance="{machine}"'
        series |= {
            f'node_cpu_seconds_total{{{at},cpu="0",mode="idle"}}': counter(30),
            f'node_cpu_seconds_total{{{at},cpu="0",mode="user"}}': counter(24),
            f'node_cpu_seconds_total{{{at},cpu="0",mode="system"}}': counter(6),
            f"node_memory_MemTotal_bytes{{{at}}}": constant(1000),
            f"node_memory_MemAvailable_bytes{{{at}}}": constant(400),
        }
    check(series, {"cpu_usage": {"node": 1}, "memory_usage": {"node": 1200}, "services": {"node": 2}})


# -- one service out of several presets -------------------------------------------------------


def workload(name: str) -> Series:
    """A pod of a workload ``shop/{name}``: half a core, 100 bytes."""
    pod = f'namespace="shop",pod="{name}-7d9f8b6c5-aaaaa"'
    return {
        f'kube_pod_owner{{{pod},owner_kind="ReplicaSet",owner_name="{name}-7d9f8b6c5"}}': constant(1),
        f'container_cpu_usage_seconds_total{{{pod},container="app",image="x"}}': counter(30),
        f'container_memory_working_set_bytes{{{pod},container="app",image="x"}}': constant(100),
    }


def test_golden_signals_of_a_mesh_and_resources_of_kubernetes_make_one_service(check: Check) -> None:
    check(
        istio("cart", "destination", 600) | workload("cart"),
        {"request_rate": {"shop/cart": 10}, "cpu_usage": {"shop/cart": 0.5}, "memory_usage": {"shop/cart": 100}},
    )


def test_a_job_in_a_namespace_is_the_workload_of_that_name(check: Check) -> None:
    otel = "http_server_request_duration_seconds_count"
    series = workload("cart") | {
        f'{otel}{{namespace="shop",job="cart",http_response_status_code="200"}}': counter(60),
        f'{otel}{{namespace="collectors",job="shop/web",http_response_status_code="200"}}': counter(120),
        'up{namespace="shop",job="cart"}': constant(1),
        'process_cpu_seconds_total{namespace="shop",job="cart"}': counter(600),
    }
    check(
        series,
        {
            "request_rate": {"shop/cart": 1, "shop/web": 2},
            "cpu_usage": {"shop/cart": 0.5},
            "pod_count": {"shop/cart": 1},
        },
    )


def test_names_that_differ_are_joined_by_a_rule_of_the_settings(check: Check) -> None:
    rule = PresetSettings(rename=((r"(.+)-svc", "$1"),))
    check(
        istio("cart-svc", "destination", 600) | workload("cart"),
        {"request_rate": {"shop/cart": 10}, "cpu_usage": {"shop/cart": 0.5}},
        configured({"istio": rule}),
    )


# -- presets of the settings ------------------------------------------------------------------


def test_a_preset_of_ones_own_comes_before_those_there_are(check: Check) -> None:
    own = PresetSettings(labels=("app",), queries={"request_rate": "sum by ($by) (rate(legacy_hits[$window]))"})
    series = {
        'legacy_hits{app="api"}': counter(600),
        'http_request_duration_seconds_count{job="api",code="200"}': counter(60),
        'http_request_duration_seconds_count{job="other",code="200"}': counter(60),
    }
    check(
        series,
        {"request_rate": {"api": 10, "other": 1}, "error_rate": {"api": 0, "other": 0}},
        configured({"legacy": own}),
    )


def test_a_single_query_is_changed_and_the_others_of_its_preset_stay(check: Check) -> None:
    change = PresetSettings(queries={"pod_count": "count by ($by) (up == 1)"})
    series = {
        'up{job="api",instance="a"}': constant(1),
        'up{job="api",instance="b"}': constant(0),
        'process_resident_memory_bytes{job="api"}': constant(5),
    }
    check(
        series,
        {"pod_count": {"api": 1}, "memory_usage": {"api": 5}},
        configured({"process": change}),
    )


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        (
            "otel",
            {"queries": {"latency": "up"}},
            r"\[preset.otel\] has a query for unknown metric 'latency': choose from",
        ),
        ("mine", {"labels": ("app",)}, r"\[preset.mine\] is new .*: give it labels and queries"),
        ("mine", {"queries": {"pod_count": "up"}}, r"\[preset.mine\] is new"),
        ("otel", {"labels": ('job") or vector(1',)}, r"\[preset.otel\]: labels = .*, which is no name of a label"),
        ("my own", {}, r"\[preset.my own\]: a preset's name has letters"),
    ],
)
def test_a_preset_that_cannot_be_used_is_named(name: str, settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        configured({name: PresetSettings(**settings)})


def test_a_rename_is_quoted_whatever_it_holds(check: Check) -> None:
    change = PresetSettings(rename=((r"(.+)\.\"ü\n", "$1"),))
    check({'up{job="api"}': constant(1)}, {"pod_count": {"api": 1}}, configured({"process": change}))


def test_without_changes_the_presets_are_those_there_are() -> None:
    assert configured({}) == PRESETS
