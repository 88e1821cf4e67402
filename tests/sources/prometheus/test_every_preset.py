"""Every preset on a server that has all it can read: what is asked is PromQL, for a rich server and a poor one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from support.blind import parts
from support.known import NOW, Found, Known
from support.parsing import not_understood
from support.servers import VictoriaMetrics

from observatory.errors import QueryRefusedError
from observatory.sources.prometheus.about import PROMETHEUS, VICTORIAMETRICS, Build
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.connection import Limits
from observatory.sources.prometheus.plan import Plan, make_plan
from observatory.sources.prometheus.presets import PRESETS

TARGET = 'job="shop",instance="a:80",namespace="shop",cluster="eu"'
HISTOGRAMS = {
    "http_server_request_duration_seconds": 'http_response_status_code="200",http_route="/"',
    "http_request_duration_seconds": 'code="200",handler="/"',
    "http_server_requests_seconds": 'status="200",outcome="SUCCESS",uri="/",application="shop",quantile="0.95"',
    "shop_http_request_duration_milliseconds": 'status="2xx",path="/"',
    "grpc_server_handling_seconds": 'grpc_code="OK"',
    "nginx_ingress_controller_request_duration_seconds": 'exported_service="cart",service="nginx"',
    "traefik_service_request_duration_seconds": 'service="shop-cart-80@kubernetes"',
    "django_http_requests_latency_seconds_by_view_method": 'view="index"',
    "caddy_http_request_duration_seconds": 'handler="reverse_proxy",code="200"',
    "istio_request_duration_milliseconds": 'reporter="source",destination_service_name="cart"',
    "response_latency_ms": 'direction="inbound",deployment="cart"',
    "envoy_cluster_upstream_rq_time": 'envoy_cluster_name="local_app",local_cluster="cart"',
    "traces_span_metrics_duration_milliseconds": 'span_kind="SPAN_KIND_SERVER",service_name="cart"',
    "sidekiq_job_runtime_seconds": "",
    "celery_task_runtime": "",
}
SERIES = {
    "up": "",
    "http_requests_total": 'code="200",status="success",path="/"',
    "grpc_server_handled_total": 'grpc_code="OK"',
    "prometheus_http_requests_total": 'code="200",handler="/"',
    "nginx_ingress_controller_requests": 'status="200",exported_service="cart",service="nginx"',
    "traefik_service_requests_total": 'code="200",service="shop-cart-80@kubernetes"',
    "haproxy_backend_http_responses_total": 'code="2xx",proxy="cart"',
    "haproxy_backend_response_time_average_seconds": 'proxy="cart"',
    "django_http_responses_total_by_status_total": 'status="200"',
    "istio_requests_total": 'reporter="source",response_code="200",grpc_response_status="0"',
    "response_total": 'direction="inbound",classification="success",deployment="cart"',
    "envoy_cluster_upstream_rq_total": 'envoy_cluster_name="local_app",local_cluster="cart"',
    "envoy_cluster_upstream_rq_xx": 'envoy_cluster_name="local_app",envoy_response_code_class="5"',
    "traces_span_metrics_calls_total": 'span_kind="SPAN_KIND_SERVER",service_name="cart",status_code="STATUS_CODE_OK"',
    "probe_success": 'target="a"',
    "probe_duration_seconds": "",
    "probe_ssl_earliest_cert_expiry": "",
    "pg_up": "",
    "pg_replication_lag_seconds": "",
    "kafka_consumergroup_lag": 'consumergroup="orders"',
    "sidekiq_queue_size": "",
    "rq_jobs": 'status="queued"',
    "sidekiq_jobs_executed_total": "",
    "sidekiq_jobs_failed_total": "",
    "celery_task_succeeded_total": "",
    "celery_task_failed_total": "",
    "push_time_seconds": "",
    "kube_job_status_failed": 'exported_job_name="mail-1"',
    "kube_pod_owner": 'pod="a",owner_kind="Node",owner_name="node (1)",exported_namespace="shop",exported_pod="b"',
    "kube_node_info": 'node="node (1)"',
    "kube_replicaset_owner": 'replicaset="a",owner_kind="Deployment",owner_name="a"',
    "kube_job_owner": 'job_name="a",owner_kind="CronJob",owner_name="a"',
    "kube_replicationcontroller_owner": 'replicationcontroller="a"',
    "kube_deployment_spec_replicas": 'deployment="a"',
    "kube_statefulset_replicas": 'statefulset="a"',
    "kube_daemonset_status_desired_number_scheduled": 'daemonset="a"',
    "kube_pod_status_phase": 'pod="a",phase="Running"',
    "kube_pod_container_status_restarts_total": 'pod="a",container="b"',
    "container_cpu_usage_seconds_total": 'pod="a",container="b"',
    "container_memory_working_set_bytes": 'pod="a",container="b"',
    "node_cpu_seconds_total": 'mode="idle"',
    "process_cpu_seconds_total": "",
    "process_resident_memory_bytes": "",
    "process_start_time_seconds": "",
    "rpc_server_duration": 'rpc_grpc_status_code="0"',
}
"""What exporters and libraries have, by the name of a metric, with the labels that matter."""

EVERYTHING = [f"{name}{{{TARGET}{',' if labels else ''}{labels}}}" for name, labels in SERIES.items()] + [
    f"{name}{end}{{{TARGET}{',' if labels else ''}{labels}{more}}}"
    for name, labels in HISTOGRAMS.items()
    for end, more in {"": "", "_count": "", "_sum": "", "_bucket": ',le="0.1"'}.items()
]
EVERYTHING.append(f'haproxy_backend_http_responses_total{{{TARGET},code="2xx",backend="be:shop:web",route="web"}}')


def several(query: str) -> Found:
    """Two clusters, a catch-all job, jobs of two paces, and a pair that scrapes all twice."""
    if "count_over_time(up" in query:
        targets = [("shop", "eu", "", 20.0), ("pods", "us", "cart", 5.0), ("pods", "us", "web", 5.0)]
        return [
            ({"job": job, "cluster": cluster, "is": kind} | ({"app": app} if app else {}), value)
            for job, cluster, app, scrapes in targets
            for kind, value in {"pace": scrapes, "before": scrapes, "count": 1.0}.items()
        ]
    return [({}, 1.0)]


def without_native_histograms(query: str) -> Found:
    return [] if "histogram_count" in query else several(query)


def made(version: str, answer: Callable[[str], Found] = several) -> Plan:
    build = Build(VICTORIAMETRICS) if version == "victoria" else Build(PROMETHEUS, version)
    rich = [one.replace(TARGET, f'{TARGET},app="cart",prometheus_replica="a"') for one in EVERYTHING]
    return make_plan(Known(*rich, answer=answer, build=build).inventory(), [*PRESETS.values()])


def asked(plan: Plan) -> dict[str, str]:
    queries = {f"{one.label}, {metric}": query for one in plan.asked for metric, query in one.queries.items()}
    return queries | {f"{plan.of(key).label}, probe": query for key, query in plan.probes.items()}


@pytest.mark.slow
def test_every_preset_reads_a_server_that_has_everything() -> None:
    assert {one.preset.name for one in made("2.42.0").asked} == set(PRESETS)


@pytest.mark.servers
@pytest.mark.parametrize("version", ["2.42.0", "3.1.0"])
def test_a_prometheus_understands_what_is_asked_of_a_server_that_has_everything(version: str) -> None:
    plan = made(version)
    assert plan.dialect.replicas == ("prometheus_replica",)
    assert plan.dialect.windows.others
    assert {one.naming.front for one in plan.asked} >= {("cluster",)}
    assert not_understood(asked(plan)) == {}


@pytest.mark.servers
def test_a_prometheus_understands_what_is_asked_of_a_server_that_has_little() -> None:
    for name in SERIES:
        poor = make_plan(Known(f'{name}{{job="a"}}').inventory(), [*PRESETS.values()])
        assert not_understood(asked(poor)) == {}, name


@pytest.mark.servers
def test_a_prometheus_understands_what_is_asked_of_a_server_without_an_index() -> None:
    queries = {f"{metric}, {key}": query for metric, found in parts().items() for key, query in found.items()}
    assert not_understood(queries) == {}


@pytest.mark.servers
def test_a_victoria_metrics_understands_what_is_asked_of_it() -> None:
    refused = {}
    with VictoriaMetrics() as server:
        client = PrometheusClient(server.url, Limits(timeout=20))
        for name, query in asked(made("victoria", without_native_histograms)).items():
            try:
                client.instant(query, NOW)
            except QueryRefusedError as error:
                refused[name] = str(error)
    assert refused == {}


@pytest.mark.slow
def test_what_prometheus_answers_is_asked_of_victoria_metrics_in_its_own_functions() -> None:
    for name, query in asked(made("victoria")).items():
        plain = query.replace("_rate(", "")
        assert not any(f"{function}(" in plain for function in ("rate", "increase", "changes", "delta")), name


@pytest.mark.slow
def test_dialects_differ_in_nothing_else() -> None:
    prometheus, victoria = made("3.1.0"), made("victoria")
    assert replace(victoria.dialect, is_victoria=False) == prometheus.dialect
    assert list(asked(victoria)) == list(asked(prometheus))
