"""What is read of services that report their requests, and of processes, on real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from support.cases import Case, Cases, Samples, Series, changing, constant, counter, histogram
from support.servers import Server

from observatory.errors import ConfigError
from observatory.sources.prometheus.presets import PRESETS, chosen

OTEL, GO = "http_server_request_duration_seconds", "http_request_duration_seconds"
ALERTMANAGER, PROMETHEUS = "alertmanager_http_request_duration_seconds", "prometheus_http_request_duration_seconds"
PROMHTTP = "promhttp_metric_handler_requests_total"
MICROMETER = "http_server_requests_seconds"
CASES = Cases()


# -- services that report requests ------------------------------------------------------------


@CASES.each(otel=(OTEL, "http_response_status_code"), go=(GO, "code"))
def golden_signals_of_http_servers(named: tuple[str, str]) -> Case:
    name, code = named
    return Case(
        histogram(name, f'job="busy",instance="a",{code}="200"', 45, 5)
        | histogram(name, f'job="busy",instance="b",{code}="200"', 45, 5)
        | histogram(name, f'job="busy",instance="b",{code}="404"', 9, 1)
        | histogram(name, f'job="busy",instance="b",{code}="503"', 9, 1)
        | histogram(name, f'job="fine",{code}="200"', 60, 0)
        | {f'{name}_count{{job="idle",{code}="200"}}': constant(5)},
        {
            "request_rate": {"busy": 2, "fine": 1, "idle": 0},
            "error_rate": {"busy": 0.08333, "fine": 0},
            "latency_p50": {"busy": 0.05556, "fine": 0.05},
            "latency_p95": {"busy": 0.15, "fine": 0.095},
            "latency_p99": {"busy": 0.19, "fine": 0.099},
            "latency_mean": {"busy": 0.06, "fine": 0.05},
            "cpu_usage": {},
            "pod_count": {},
        },
        services=["busy", "fine", "idle"],
    )


@CASES.add
def errors_that_only_ever_were_errors_are_a_ratio_of_1() -> Case:
    return Case(histogram(OTEL, 'job="down",http_response_status_code="500"', 60, 0), {"error_rate": {"down": 1}})


@CASES.add
def requests_that_do_not_say_how_they_ended_have_no_errors() -> Case:
    return Case(
        {'shop_http_requests_total{job="mute",method="GET"}': counter(60)} | histogram(GO, 'job="muted"', 60, 0),
        {"request_rate": {"mute": 1, "muted": 1}, "error_rate": {}, "latency_p95": {"muted": 0.095}},
    )


@CASES.add
def golden_signals_of_prometheus_alertmanager_and_exporters() -> Case:
    """Scrapes of an exporter are no requests of a service."""
    series = {
        'prometheus_http_requests_total{job="prometheus",code="200",handler="/a"}': counter(57),
        'prometheus_http_requests_total{job="prometheus",code="503",handler="/a"}': counter(3),
        f'{PROMHTTP}{{job="prometheus",code="200"}}': counter(6),
        f'{PROMHTTP}{{job="node",code="200"}}': counter(6),
        f'{PROMHTTP}{{job="node",code="500"}}': counter(0),
        f'{PROMHTTP}{{job="alertmanager",code="200"}}': counter(6),
    }
    series |= histogram(PROMETHEUS, 'job="prometheus",handler="/a"', 60, 0)
    series |= histogram(ALERTMANAGER, 'job="alertmanager",handler="/b",method="get"', 27, 3)
    return Case(
        series,
        {
            "request_rate": {"prometheus": 1, "alertmanager": 0.5},
            "error_rate": {"prometheus": 0.05},
            "latency_p95": {"prometheus": 0.095, "alertmanager": 0.15},
        },
        services=["alertmanager", "prometheus"],
    )


@CASES.add
def an_alertmanager_that_tells_codes_has_errors_of_its_own() -> Case:
    series = histogram(ALERTMANAGER, 'job="alertmanager",code="200"', 54, 0)
    series |= histogram(ALERTMANAGER, 'job="alertmanager",code="500"', 6, 0)
    return Case(
        series | {f'{PROMHTTP}{{job="alertmanager",code="200"}}': counter(6)}, {"error_rate": {"alertmanager": 0.1}}
    )


@CASES.add
def a_job_that_two_presets_know_has_the_value_of_the_first() -> Case:
    return Case(
        histogram(OTEL, 'job="both",http_response_status_code="200"', 60, 0)
        | histogram(GO, 'job="both",code="200"', 0, 600)
        | histogram(GO, 'job="only",code="200"', 0, 600)
        | {f'{PROMHTTP}{{job="both",code="500"}}': counter(6)},
        {
            "request_rate": {"both": 1, "only": 10},
            "error_rate": {"both": 0, "only": 0},
            "latency_p95": {"both": 0.095, "only": 0.195},
        },
    )


@CASES.add
def what_tells_errors_comes_before_what_does_not() -> Case:
    return Case(
        histogram(OTEL, 'job="both"', 60, 0)
        | {
            'app_requests_total{job="both",status="ok"}': counter(54),
            'app_requests_total{job="both",status="error"}': counter(6),
        },
        {"request_rate": {"both": 1}, "error_rate": {"both": 0.1}, "latency_p95": {"both": 0.095}},
    )


@CASES.add
def series_without_the_job_label_name_no_service() -> Case:
    return Case(
        {
            f'{OTEL}_count{{instance="a"}}': counter(60),
            f'{OTEL}_count{{job="named"}}': counter(60),
            'process_resident_memory_bytes{instance="a"}': constant(7),
        },
        {"request_rate": {"named": 1}, "memory_usage": {}},
        services=["named"],
    )


@CASES.add
def a_counter_that_starts_again_is_no_negative_rate() -> Case:
    again = Samples(lambda at: 60 * (at + 600) / 60 if at >= -600 else 1000 + at + 1800)
    return Case({f'{GO}_count{{job="api",code="200"}}': again}, {"request_rate": {"api": 1}})


@CASES.add
def a_single_failed_request_in_the_window_is_all_of_little_traffic() -> Case:
    return Case(
        {
            f'{GO}_count{{job="rare",code="500"}}': changing((-1800, 5), (-120, 6)),
            f'{GO}_count{{job="rare",code="200"}}': constant(9),
        },
        {"request_rate": {"rare": 1 / 240}, "error_rate": {"rare": 1}},
    )


# -- shapes of names and labels ---------------------------------------------------------------


@CASES.each(
    status=("shop_http_requests_total", "status", "200", "500"),
    status_code=("flask_http_request_total", "status_code", "200", "502"),
    code=("api_requests_total", "code", "2xx", "5xx"),
    classes=("http_requests_total", "status", "2XX", "5XX"),
    outcome=("my_service_http_requests_total", "outcome", "SUCCESS", "SERVER_ERROR"),
    words=("orders_requests_total", "result", "success", "failure"),
    requests_of_other_words=("web_requests_handled_total", "http_status", "200", "503"),
    otel_prometheus_name=("http_requests_total", "http_response_status_code", "204", "504"),
    grpc_words=("grpc_server_handled_total", "grpc_code", "OK", "Internal"),
    grpc_capitals=("rpc_requests_total", "grpc_status", "OK", "DEADLINE_EXCEEDED"),
    grpc_numbers=("grpc_requests_total", "grpc_status_code", "0", "14"),
)
def a_counter_by_its_shape(made: tuple[str, str, str, str]) -> Case:
    name, label, good, bad = made
    return Case(
        {
            f'{name}{{job="api",{label}="{good}"}}': counter(54),
            f'{name}{{job="api",{label}="{bad}"}}': counter(6),
            f'{name}{{job="fine",{label}="{good}"}}': counter(60),
        },
        {"request_rate": {"api": 1, "fine": 1}, "error_rate": {"api": 0.1, "fine": 0}},
    )


@CASES.each(
    grpc=("grpc_server_handled_total", "grpc_code", "NotFound"),
    http=("http_requests_total", "code", "404"),
    micrometer=("orders_http_requests_total", "outcome", "CLIENT_ERROR"),
)
def what_a_caller_did_wrong_is_no_error(made: tuple[str, str, str]) -> Case:
    name, label, value = made
    return Case({f'{name}{{job="api",{label}="{value}"}}': counter(60)}, {"error_rate": {"api": 0}})


@CASES.each(
    seconds=("checkout_http_request_duration_seconds", 1),
    fastapi=("http_request_duration_highr_seconds", 1),
    milliseconds=("myapp_http_request_duration_milliseconds", 1000),
    otel_in_ms=("http_server_duration_milliseconds", 1000),
    rpc_in_ms=("rpc_server_duration_milliseconds", 1000),
    without_suffix_in_ms=("http_server_duration", 1000),
    without_suffix_in_seconds=("http_server_request_duration", 1),
    handling=("grpc_server_handling_seconds", 1),
    latency=("gateway_request_latency_seconds", 1),
)
def a_histogram_by_its_shape(made: tuple[str, int]) -> Case:
    name, unit = made
    return Case(
        histogram(name, 'job="api",status_code="200"', 54, 6, unit),
        {
            "request_rate": {"api": 1},
            "latency_p50": {"api": 0.05556},
            "latency_p95": {"api": 0.15},
            "latency_mean": {"api": 0.06},
        },
    )


@CASES.add
def what_a_service_asks_of_others_is_not_its_traffic() -> Case:
    return Case(
        {
            f'{name}{{job="api",code="200"}}': counter(60)
            for name in (
                "rest_client_requests_total",
                "http_client_requests_total",
                "myapp_outgoing_http_requests_total",
                "envoy_cluster_upstream_requests_total",
                "kube_requests_total",
                "argocd_app_k8s_request_total",
                "external_api_requests_total",
                "price_cache_requests_total",
            )
        }
        | {'disk_requests_total{job="api",device="sda"}': counter(60)}
        | histogram("http_client_request_duration_seconds", 'job="api",code="200"', 60, 0)
        | histogram("cloudprovider_aws_api_request_duration_seconds", 'job="api",code="200"', 60, 0)
        | {'rq_request_processing_seconds_count{job="rq"}': counter(4)},
        {"request_rate": {}, "latency_p95": {}},
    )


@CASES.add
def what_probes_and_scrapes_ask_for_is_no_traffic() -> Case:
    probes = {
        f'{OTEL}_count{{job="api",http_route="{path}",http_response_status_code="500"}}': counter(60)
        for path in ("/healthz", "/actuator/health/readiness", "/metrics", "/-/ready", "/ping", "/livez")
    }
    return Case(
        probes
        | histogram(OTEL, 'job="api",http_route="/healthy-food",http_response_status_code="200"', 60, 0)
        | histogram(OTEL, 'job="api",http_route="/readyz",http_response_status_code="200"', 0, 600),
        {"request_rate": {"api": 1}, "error_rate": {"api": 0}, "latency_p95": {"api": 0.095}},
    )


@CASES.add
def a_quantile_in_a_coarse_bucket_is_missing() -> Case:
    """Nine in ten take at most 0.1 s; where the others lie between 0.1 s and 5 s nobody knows."""
    at = 'job="api",code="200"'
    ends = {"0.05": 30, "0.1": 54, "5": 60, "+Inf": 60}
    buckets = {f'{GO}_bucket{{{at},le="{end}"}}': counter(count) for end, count in ends.items()}
    return Case(
        buckets | {f"{GO}_count{{{at}}}": counter(60), f"{GO}_sum{{{at}}}": counter(12)},
        {"latency_p50": {"api": 0.05}, "latency_p95": {}, "latency_p99": {}, "latency_mean": {"api": 0.2}},
    )


@CASES.each(application='application="api",job="spring"', job='job="api"')
def micrometer_with_buckets(labels: str) -> Case:
    return Case(
        histogram(MICROMETER, f'{labels},outcome="SUCCESS"', 54, 0)
        | histogram(MICROMETER, f'{labels},outcome="SERVER_ERROR"', 0, 6),
        {
            "request_rate": {"api": 1},
            "error_rate": {"api": 0.1},
            "latency_p50": {"api": 0.05556},
            "latency_p95": {"api": 0.15},
        },
    )


@CASES.add
def micrometer_without_buckets_has_its_mean_and_published_percentiles() -> Case:
    mean, published = 'application="mean",outcome="SUCCESS"', 'application="told",outcome="SUCCESS"'
    return Case(
        {
            f"{MICROMETER}_count{{{mean}}}": counter(60),
            f"{MICROMETER}_sum{{{mean}}}": counter(12),
            f'{MICROMETER}_count{{application="idle",outcome="SUCCESS"}}': constant(7),
            f'{MICROMETER}_sum{{application="idle",outcome="SUCCESS"}}': constant(1),
            f"{MICROMETER}_count{{{published}}}": counter(60),
            f"{MICROMETER}_sum{{{published}}}": counter(12),
            f'{MICROMETER}{{{published},quantile="0.95",instance="a"}}': constant(0.4),
            f'{MICROMETER}{{{published},quantile="0.95",instance="b"}}': constant(0.6),
        },
        {
            "request_rate": {"mean": 1, "told": 1, "idle": 0},
            "error_rate": {"mean": 0, "told": 0},
            "latency_mean": {"mean": 0.2, "told": 0.2},
            "latency_p50": {},
            "latency_p95": {"told": 0.6},
            "latency_p99": {},
        },
    )


# -- processes --------------------------------------------------------------------------------


@CASES.add
def resources_of_processes_are_totals_over_the_instances_of_a_job() -> Case:
    return Case(
        {
            'process_cpu_seconds_total{job="api",instance="a"}': counter(30),
            'process_cpu_seconds_total{job="api",instance="b"}': counter(15),
            'process_resident_memory_bytes{job="api",instance="a"}': constant(100),
            'process_resident_memory_bytes{job="api",instance="b"}': constant(50),
            'process_start_time_seconds{job="api",instance="a"}': changing((-1800, 100), (-180, 200), (-120, 300)),
            'process_start_time_seconds{job="api",instance="b"}': changing((-1800, 100), (-180, 200)),
            'up{job="api",instance="a"}': constant(1),
            'up{job="api",instance="b"}': constant(1),
            'up{job="api",instance="c"}': constant(0),
            'up{job="dead",instance="d"}': constant(0),
        },
        {
            "cpu_usage": {"api": 0.75},
            "memory_usage": {"api": 150},
            "restart_count": {"api": 3},
            "pod_count": {"api": 2, "dead": 0},
            "up": {"api": 2 / 3, "dead": 0},
            "request_rate": {},
        },
        services=["api", "dead"],
        window=300,
    )


@CASES.add
def machines_have_cores_and_bytes_and_come_before_their_exporters_process() -> Case:
    series: Series = {
        'process_cpu_seconds_total{job="node"}': counter(0.6),
        'process_resident_memory_bytes{job="node"}': constant(20),
    }
    for machine in "ab":
        at = f'job="node",instance="{machine}"'
        series |= {
            f'node_cpu_seconds_total{{{at},cpu="0",mode="idle"}}': counter(20),
            f'node_cpu_seconds_total{{{at},cpu="0",mode="iowait"}}': counter(10),
            f'node_cpu_seconds_total{{{at},cpu="0",mode="user"}}': counter(24),
            f'node_cpu_seconds_total{{{at},cpu="0",mode="system"}}': counter(6),
            f"node_memory_MemTotal_bytes{{{at}}}": constant(1000),
            f"node_memory_MemAvailable_bytes{{{at}}}": constant(400),
        }
    return Case(series, {"cpu_usage": {"node": 1}, "memory_usage": {"node": 1200}}, services=["node"])


@pytest.fixture(scope="module")
def servers() -> Iterator[Callable[[str], Server]]:
    yield from CASES.serve()


@pytest.mark.servers
@pytest.mark.parametrize(("kind", "name"), CASES.parameters)
def test_a_server_is_read_right(servers: Callable[[str], Server], kind: str, name: str) -> None:
    CASES.hold(servers(kind), name)


# -- choosing ---------------------------------------------------------------------------------


def test_chosen_presets_are_the_only_ones_in_the_order_given() -> None:
    assert chosen([]) == list(PRESETS.values())
    assert [preset.name for preset in chosen(["process", "go"])] == ["process", "go"]


def test_a_preset_by_its_former_name_is_the_one_that_took_its_place() -> None:
    assert [preset.name for preset in chosen(["native"])] == ["otel"]


def test_an_unknown_preset_is_named_together_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"unknown preset 'otle'.*istio, linkerd, .*otel, .*process"):
        chosen(["otle"])
