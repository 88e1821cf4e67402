"""What the queries of the presets answer, by the judgement of promtool on made-up series."""

from __future__ import annotations

import pytest
from support.promtool import WINDOW, Check, Series, constant, counter, histogram

from observatory.catalog import METRICS
from observatory.errors import ConfigError
from observatory.sources.prometheus.presets import PRESETS, build_queries, chosen, discovery_query

OTEL, GO = "http_server_request_duration_seconds", "http_request_duration_seconds"
ALERTMANAGER, PROMETHEUS = "alertmanager_http_request_duration_seconds", "prometheus_http_request_duration_seconds"
PROMHTTP = "promhttp_metric_handler_requests_total"


# -- services that report requests ------------------------------------------------------------


@pytest.mark.parametrize(("name", "code"), [(OTEL, "http_response_status_code"), (GO, "code")], ids=["otel", "go"])
def test_golden_signals_of_http_servers(check: Check, name: str, code: str) -> None:
    series = (
        histogram(name, f'job="busy",instance="a",{code}="200"', 45, 5)
        | histogram(name, f'job="busy",instance="b",{code}="200"', 45, 5)
        | histogram(name, f'job="busy",instance="b",{code}="404"', 9, 1)
        | histogram(name, f'job="busy",instance="b",{code}="503"', 9, 1)
        | histogram(name, f'job="fine",{code}="200"', 60, 0)
        | {f'{name}_count{{job="idle",{code}="200"}}': constant(5)}
    )
    check(
        series,
        {
            "request_rate": {"busy": 2, "fine": 1, "idle": 0},
            "error_rate": {"busy": 0.083, "fine": 0},
            "latency_p50": {"busy": 0.056, "fine": 0.05},
            "latency_p95": {"busy": 0.3, "fine": 0.095},
            "latency_p99": {"busy": 0.46, "fine": 0.099},
            "services": {"busy": 4, "fine": 1, "idle": 1},
            "cpu_usage": {},
            "pod_count": {},
        },
    )


def test_errors_that_only_ever_were_errors_are_a_ratio_of_1(check: Check) -> None:
    check(histogram(OTEL, 'job="down",http_response_status_code="500"', 60, 0), {"error_rate": {"down": 1}})


def test_golden_signals_of_prometheus_alertmanager_and_exporters(check: Check) -> None:
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
    check(
        series,
        {
            "request_rate": {"prometheus": 1, "node": 0.1, "alertmanager": 0.5},
            "error_rate": {"prometheus": 0.05, "node": 0, "alertmanager": 0},
            "latency_p95": {"prometheus": 0.095, "alertmanager": 0.3},
            "services": {"prometheus": 3, "node": 2, "alertmanager": 2},
        },
    )


def test_an_alertmanager_that_tells_codes_has_errors_of_its_own(check: Check) -> None:
    series = histogram(ALERTMANAGER, 'job="alertmanager",code="200"', 54, 0)
    series |= histogram(ALERTMANAGER, 'job="alertmanager",code="500"', 6, 0)
    check(series | {f'{PROMHTTP}{{job="alertmanager",code="200"}}': counter(6)}, {"error_rate": {"alertmanager": 0.1}})


def test_a_job_that_two_presets_know_has_the_value_of_the_first(check: Check) -> None:
    series = (
        histogram(OTEL, 'job="both",http_response_status_code="200"', 60, 0)
        | histogram(GO, 'job="both",code="200"', 0, 600)
        | histogram(GO, 'job="only",code="200"', 0, 600)
        | {f'{PROMHTTP}{{job="both",code="500"}}': counter(6)}
    )
    check(
        series,
        {
            "request_rate": {"both": 1, "only": 10},
            "error_rate": {"both": 0, "only": 0},
            "latency_p95": {"both": 0.095, "only": 0.48},
        },
    )


def test_series_without_the_job_label_name_no_service(check: Check) -> None:
    series = {
        f'{OTEL}_count{{instance="a"}}': counter(60),
        f'{OTEL}_count{{job="named"}}': counter(60),
        'process_resident_memory_bytes{instance="a"}': constant(7),
    }
    check(series, {"request_rate": {"named": 1}, "memory_usage": {}, "services": {"named": 1}})


def test_a_counter_that_starts_again_is_no_negative_rate(check: Check) -> None:
    check({f'{GO}_count{{job="api",code="200"}}': "1000+60x26 60+60x10"}, {"request_rate": {"api": 1}})


# -- processes --------------------------------------------------------------------------------


def test_resources_of_processes_are_totals_over_the_instances_of_a_job(check: Check) -> None:
    series = {
        'process_cpu_seconds_total{job="api",instance="a"}': counter(30),
        'process_cpu_seconds_total{job="api",instance="b"}': counter(15),
        'process_resident_memory_bytes{job="api",instance="a"}': constant(100),
        'process_resident_memory_bytes{job="api",instance="b"}': constant(50),
        'process_start_time_seconds{job="api",instance="a"}': "100x26 200x1 300x4",
        'process_start_time_seconds{job="api",instance="b"}': "100x26 200x5",
        'up{job="api",instance="a"}': constant(1),
        'up{job="api",instance="b"}': constant(1),
        'up{job="api",instance="c"}': constant(0),
        'up{job="dead",instance="d"}': constant(0),
    }
    check(
        series,
        {
            "cpu_usage": {"api": 0.75},
            "memory_usage": {"api": 150},
            "restart_count": {"api": 3},
            "pod_count": {"api": 2, "dead": 0},
            "services": {"api": 3, "dead": 1},
            "request_rate": {},
        },
    )


# -- Kubernetes -------------------------------------------------------------------------------


def pod(name: str, owner: str, kind: str, replicas: int = 2, running: bool = True, restarts: float = 0) -> Series:
    """A pod as cAdvisor and some replicas of kube-state-metrics see it: 0.5 + 0.1 cores, 100 + 10 bytes."""
    at = f'namespace="shop",pod="{name}"'
    usage, memory = "container_cpu_usage_seconds_total", "container_memory_working_set_bytes"
    series = {
        f'{usage}{{{at},container="app",image="x"}}': counter(30),
        f'{usage}{{{at},container="proxy",image="x"}}': counter(6),
        f'{usage}{{{at},container="",image=""}}': counter(36),
        f'{usage}{{{at},container="POD",image=""}}': counter(1),
        f'{memory}{{{at},container="app",image="x"}}': constant(100),
        f'{memory}{{{at},container="proxy",image="x"}}': constant(10),
        f'{memory}{{{at},container="",image=""}}': constant(111),
    }
    for replica in range(replicas):
        ksm = f'instance="ksm-{replica}",job="kube-state-metrics",{at}'
        series |= {
            f'kube_pod_owner{{{ksm},owner_kind="{kind}",owner_name="{owner}"}}': constant(1),
            f'kube_pod_status_phase{{{ksm},phase="Running"}}': constant(float(running)),
            f'kube_pod_status_phase{{{ksm},phase="Pending"}}': constant(float(not running)),
            f'kube_pod_container_status_restarts_total{{{ksm},container="app"}}': counter(restarts, start=9),
            f'kube_pod_container_status_restarts_total{{{ksm},container="proxy"}}': counter(0, start=2),
        }
    return series


def test_a_workload_has_the_sum_of_its_pods_once_however_many_replicas_watch(check: Check) -> None:
    series = (
        pod("web-7d9f8b6c5-aaaaa", "web-7d9f8b6c5", "ReplicaSet", restarts=1)
        | pod("web-7d9f8b6c5-bbbbb", "web-7d9f8b6c5", "ReplicaSet")
        | pod("web-5c6b7d8f9-ccccc", "web-5c6b7d8f9", "ReplicaSet", replicas=1, running=False)
    )
    check(
        series,
        {
            "cpu_usage": {"shop/web": 1.8},
            "memory_usage": {"shop/web": 330},
            "restart_count": {"shop/web": 5},
            "pod_count": {"shop/web": 2},
        },
    )


def test_sums_that_cadvisor_gives_for_a_pod_are_not_counted_again(check: Check) -> None:
    series = pod("web-7d9f8b6c5-aaaaa", "web-7d9f8b6c5", "ReplicaSet")
    check(series, {"cpu_usage": {"shop/web": 0.6}, "memory_usage": {"shop/web": 110}})


def test_stateful_and_daemon_sets_are_services_named_after_themselves(check: Check) -> None:
    series = (
        pod("db-0", "db", "StatefulSet")
        | pod("db-1", "db", "StatefulSet", restarts=2)
        | pod("log-agent-x7k2p", "log-agent", "DaemonSet")
        | pod("cart-redis-6f7d8c9b5-zzzzz", "cart-redis-6f7d8c9b5", "ReplicaSet")
        | pod("report-28000000-abcde", "report-28000000", "Job")
    )
    check(
        series,
        {
            "cpu_usage": {"shop/db": 1.2, "shop/log-agent": 0.6, "shop/cart-redis": 0.6},
            "restart_count": {"shop/db": 10, "shop/log-agent": 0, "shop/cart-redis": 0},
            "pod_count": {"shop/db": 2, "shop/log-agent": 1, "shop/cart-redis": 1},
            "services": {"shop/db": 1, "shop/log-agent": 1, "shop/cart-redis": 1},
        },
    )


def test_a_workload_of_the_same_name_in_another_namespace_is_another_service(check: Check) -> None:
    shop = pod("db-0", "db", "StatefulSet")
    blog = {name.replace('"shop"', '"blog"'): values for name, values in shop.items()}
    check(shop | blog, {"pod_count": {"shop/db": 1, "blog/db": 1}, "cpu_usage": {"shop/db": 0.6, "blog/db": 0.6}})


def test_pods_without_a_known_owner_name_no_service(check: Check) -> None:
    series = {name: values for name, values in pod("db-0", "db", "StatefulSet").items() if "owner" not in name}
    check(series, {"cpu_usage": {}, "memory_usage": {}, "pod_count": {}, "services": {}})


def test_requests_by_job_and_resources_by_workload_do_not_mix(check: Check) -> None:
    series = pod("web-7d9f8b6c5-aaaaa", "web-7d9f8b6c5", "ReplicaSet") | {
        f'{OTEL}_count{{job="shop/web",http_response_status_code="200"}}': counter(60),
        'process_cpu_seconds_total{job="shop/web"}': counter(600),
        'up{job="kube-state-metrics"}': constant(1),
    }
    check(
        series,
        {
            "request_rate": {"shop/web": 1},
            "cpu_usage": {"shop/web": 0.6},
            "pod_count": {"shop/web": 1, "kube-state-metrics": 1},
        },
    )


# -- choosing ---------------------------------------------------------------------------------


def test_there_is_one_query_a_metric_and_nine_in_all() -> None:
    queries = build_queries(METRICS, WINDOW)
    assert list(queries) == list(METRICS)
    assert len(queries) == 9


def test_chosen_presets_are_the_only_ones_asked_in_the_order_given() -> None:
    assert chosen([]) == list(PRESETS.values())
    assert [preset.name for preset in chosen(["process", "go"])] == ["process", "go"]
    queries = build_queries(METRICS, WINDOW, ["go", "otel"])
    assert set(queries) == {"request_rate", "error_rate", "latency_p50", "latency_p95", "latency_p99"}
    assert 0 <= queries["request_rate"].find(f"(rate({GO}") < queries["request_rate"].find(f"(rate({OTEL}")
    assert "process_cpu" not in build_queries(METRICS, WINDOW, ["kubernetes"])["cpu_usage"]
    assert discovery_query(WINDOW, ["process"]) != discovery_query(WINDOW)


def test_an_unknown_preset_is_named_together_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"unknown preset 'otle'.*istio, linkerd, otel, .*process"):
        build_queries(METRICS, WINDOW, ["otle"])


@pytest.mark.parametrize(("window", "written"), [(300, "[300s]"), (7.5, "[7500ms]"), (86400.0, "[86400s]")])
def test_the_window_is_written_as_prometheus_reads_it(window: float, written: str) -> None:
    query = build_queries(METRICS, window, ["go"])["request_rate"]
    assert written in query
    assert "$by" not in query


def test_references_of_a_label_replace_survive_the_template() -> None:
    assert '"$1"' in build_queries(METRICS, WINDOW, ["kubernetes"])["cpu_usage"]
