"""What is read of what has no requests: checks, exporters, workers, queues and batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from support.cases import Case, Cases, Samples, constant, counter, histogram, up
from support.servers import Server

CASES = Cases()


@CASES.add
def a_probe_is_of_the_service_at_its_address() -> Case:
    def probe(instance: str, ok: int) -> dict[str, Samples]:
        at = f'job="blackbox",instance="{instance}"'
        return {
            f"probe_success{{{at}}}": constant(ok),
            f"probe_duration_seconds{{{at}}}": constant(0.25),
            f"up{{{at}}}": constant(1),
        }

    return Case(
        up("shop")
        | {'up{namespace="bank",job="pay",instance="10.0.0.1:8080"}': constant(1)}
        | probe("http://shop:80/healthz", 0)
        | probe("10.0.0.1:8080", 1)
        | probe("http://web.blog.svc.cluster.local:8080/", 1)
        | probe("https://example.org", 1),
        {
            "probe_success": {"shop": 0, "bank/pay": 1, "blog/web": 1, "example.org": 1},
            "probe_duration": {"shop": 0.25, "bank/pay": 0.25, "blog/web": 0.25, "example.org": 0.25},
            "up": {"shop": 1, "bank/pay": 1},
        },
        services=["bank/pay", "blog/web", "example.org", "shop"],
    )


@CASES.add
def a_certificate_that_ends() -> Case:
    at = 'job="blackbox",instance="https://example.org"'
    return Case(
        {f"probe_success{{{at}}}": constant(1), f"probe_ssl_earliest_cert_expiry{{{at}}}": constant(2e9)},
        {"certificate_expiry": {"example.org": 2e9 - CASES.next_time().timestamp()}},
    )


@CASES.each(postgres="pg_up", redis="redis_up", mysql="mysql_up", rabbitmq="rabbitmq_up", nginx="nginx_up")
def what_an_exporter_watches_is_down_though_the_exporter_is_up(name: str) -> Case:
    return Case(
        up("fine", "down")
        | {
            f'{name}{{job="fine",instance="fine:80"}}': constant(1),
            f'{name}{{job="down",instance="down:80"}}': constant(0),
        },
        {"up": {"fine": 1, "down": 0}},
    )


@CASES.add
def what_only_sounds_like_up_is_not() -> Case:
    names = ("app_scale_up", "network_up", "kube_pod_up", "cache_warm_up")
    return Case(up("api") | {f'{name}{{job="api"}}': constant(0) for name in names}, {"up": {"api": 1}})


@CASES.add
def how_far_replicas_are_behind() -> Case:
    return Case(
        {
            'pg_replication_lag_seconds{job="postgres",instance="a"}': constant(1),
            'pg_replication_lag_seconds{job="postgres",instance="b"}': constant(40),
        },
        {"replica_lag": {"postgres": 40}},
    )


@CASES.add
def how_far_consumers_of_kafka_are_behind() -> Case:
    name = "kafka_consumergroup_lag"
    return Case(
        {
            f'{name}{{job="kafka",consumergroup="orders",topic="a",partition="0"}}': constant(5),
            f'{name}{{job="kafka",consumergroup="orders",topic="a",partition="1"}}': constant(7),
            f'{name}{{job="kafka",consumergroup="mail",topic="a",partition="0"}}': constant(-1),
        },
        {"queue_lag": {"orders": 12, "mail": 0}},
    )


@CASES.each(now="status", formerly="state")
def jobs_of_rq_that_are_done_do_not_wait(label: str) -> Case:
    return Case(
        {
            f'rq_jobs{{job="rq",queue="{queue}",{label}="{status}"}}': constant(value)
            for queue in ("mail", "reports")
            for status, value in {"queued": 2, "started": 1, "finished": 500, "failed": 7, "scheduled": 3}.items()
        },
        {"queue_lag": {"rq": 4}},
    )


@CASES.each(sidekiq="sidekiq_queue_backlog", celery="celery_queue_length", rabbitmq="rabbitmq_queue_messages_ready")
def how_long_queues_are(name: str) -> Case:
    return Case(
        {f'{name}{{job="worker",queue="{queue}"}}': constant(value) for queue, value in (("a", 5), ("b", 7))},
        {"queue_lag": {"worker": 12}},
    )


@CASES.add
def celery() -> Case:
    return Case(
        {
            'celery_task_succeeded_total{job="worker",name="a"}': counter(54),
            'celery_task_failed_total{job="worker",name="a"}': counter(6),
            'celery_task_succeeded_total{job="fine",name="a"}': counter(60),
            'celery_task_failed_total{job="broken",name="a"}': counter(60),
        }
        | histogram("celery_task_runtime", 'job="worker",name="a"', 54, 6),
        {
            "request_rate": {"worker": 1, "fine": 1, "broken": 1},
            "error_rate": {"worker": 0.1, "fine": 0, "broken": 1},
            "latency_p95": {"worker": 0.15},
        },
    )


@CASES.add
def sidekiq() -> Case:
    return Case(
        {
            'sidekiq_jobs_executed_total{job="worker"}': counter(60),
            'sidekiq_jobs_failed_total{job="worker"}': counter(6),
        },
        {"request_rate": {"worker": 1}, "error_rate": {"worker": 0.1}},
    )


@CASES.each(with_honor_labels='job="backup"', without='job="pushgateway",exported_job="backup"')
def what_was_pushed_has_an_age(labels: str) -> Case:
    at = CASES.next_time().timestamp()
    return Case(
        {
            f"push_time_seconds{{{labels}}}": constant(at - 7200),
            f"process_resident_memory_bytes{{{labels}}}": constant(5),
        },
        {"push_age": {"backup": 7200}, "memory_usage": {"backup": 5}},
        services=["backup"],
    )


@CASES.add
def jobs_of_kubernetes_that_failed() -> Case:
    name = "kube_job_status_failed"
    return Case(
        {
            f'{name}{{namespace="shop",job_name="report-28000000",reason="BackoffLimitExceeded"}}': constant(1),
            f'{name}{{namespace="shop",job_name="report-28000060",reason="BackoffLimitExceeded"}}': constant(1),
            f'{name}{{namespace="shop",job_name="migrate",reason="BackoffLimitExceeded"}}': constant(0),
        },
        {"failed_jobs": {"shop/report": 2, "shop/migrate": 0}},
    )


@CASES.add
def jobs_of_kubernetes_without_honor_labels() -> Case:
    at = 'namespace="monitoring",exported_namespace="shop",job="ksm"'
    return Case(
        {f'kube_job_status_failed{{{at},job_name="report-28000000"}}': constant(1)},
        {"failed_jobs": {"shop/report": 1}},
    )


@pytest.fixture(scope="module")
def servers() -> Iterator[Callable[[str], Server]]:
    yield from CASES.serve()


@pytest.mark.servers
@pytest.mark.parametrize(("kind", "name"), CASES.parameters)
def test_a_server_is_read_right(servers: Callable[[str], Server], kind: str, name: str) -> None:
    CASES.hold(servers(kind), name)
