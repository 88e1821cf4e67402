"""Checks, exporters of databases and brokers, workers and batch: what has no requests, but can be up or down."""

from __future__ import annotations

import re
from collections import defaultdict
from urllib.parse import urlsplit

from observatory.sources.prometheus.inventory import Inventory
from observatory.sources.prometheus.naming import Renames
from observatory.sources.prometheus.presets.preset import JOB, Family, Preset
from observatory.sources.prometheus.presets.templates import quantiles, rate, ratio
from observatory.sources.prometheus.selectors import any_of, match, select

_UP = re.compile(r"(?!kube_|node_|process_)[a-z][a-z0-9_]*_up")
_NOT_UP = re.compile(
    r"(?:scale|scaled|start|set|look|back|clean|warm|speed|network|carrier|link|interface)_up|_server_up|_backend_up"
)
_CLUSTER_ADDRESS = r"(?:https?://)?([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.[a-z0-9.-]+)?(?::[0-9]+)?(?:/.*)?"


def _blackbox(inventory: Inventory) -> list[Family]:
    """Each target of a prober is a check, of the service that is scraped at the same address where one is."""
    if not inventory.has("probe_success"):
        return []
    found = {"probe_success": "min by ($by) (probe_success)"}
    if inventory.has("probe_duration_seconds"):
        found["probe_duration"] = "max by ($by) (probe_duration_seconds)"
    if inventory.has("probe_ssl_earliest_cert_expiry"):
        found["certificate_expiry"] = "min by ($by) (probe_ssl_earliest_cert_expiry) - time()"
    return [Family("probe_success", found, renames=_addresses(inventory))]


def _addresses(inventory: Inventory) -> Renames:
    """Names of the services that are probed: by the address they are scraped at, or their name in the cluster."""
    instances = inventory.values("probe_success", "instance")
    jobs: dict[str, list[str]] = defaultdict(list)
    owners = _jobs_by_address(inventory) if instances else {}
    for instance in instances:
        address = urlsplit(instance if "://" in instance else f"//{instance}").netloc
        if address in owners:
            jobs[owners[address]].append(instance)
    joined = tuple((any_of(found), job) for job, found in sorted(jobs.items()))
    return (*joined, (_CLUSTER_ADDRESS, "$2/$1"), ("[a-z]+://(.+?)/?", "$1"))


def _jobs_by_address(inventory: Inventory) -> dict[str, str]:
    return {
        one.labels["instance"]: "/".join(filter(None, (one.labels.get("namespace"), one.labels.get("job"))))
        for one in inventory.client.instant(
            "group by (instance, namespace, job) (up unless on (job, instance) probe_success)", inventory.at
        ).series
        if "instance" in one.labels
    }


def _exporters(inventory: Inventory) -> list[Family]:
    """What an exporter says of what it watches: pg_up, redis_up, mysql_up, nginx_up and whatever is named like them."""
    if inventory.names is None:
        return []
    names = [name for name in sorted(inventory.names) if _UP.fullmatch(name) and not _NOT_UP.search(name)]
    return [Family(name, {"up": f"min by ($by) ({select(name)})"}) for name in names if "job" in inventory.labels(name)]


def _replication(inventory: Inventory) -> list[Family]:
    names = (
        "pg_replication_lag_seconds",
        "pg_replication_lag",
        "mysql_slave_status_seconds_behind_master",
        "mysql_replica_status_seconds_behind_source",
        "mongodb_mongod_replset_member_replication_lag",
    )
    return [
        Family(name, {"replica_lag": f"max by ($by) ({select(name)})"})
        for name in names
        if inventory.names and inventory.has(name)
    ]


def _kafka(inventory: Inventory) -> list[Family]:
    name = "kafka_consumergroup_lag"
    if not inventory.has(name):
        return []
    return [Family(name, {"queue_lag": "sum by ($by) (clamp_min(kafka_consumergroup_lag, 0))"})]


def _queues(inventory: Inventory) -> list[Family]:
    names = (
        "sidekiq_queue_backlog",
        "sidekiq_queue_size",
        "celery_queue_length",
        "rq_jobs",
        "bull_queue_waiting",
        "rabbitmq_queue_messages_ready",
    )
    return [
        Family(name, {"queue_lag": f"sum by ($by) ({select(name, *_waiting(inventory, name))})"})
        for name in names
        if inventory.names and inventory.has(name)
    ]


def _waiting(inventory: Inventory, name: str) -> list[str]:
    """Matchers of what waits, where a metric also counts what is done: RQ keeps its jobs for a while."""
    return [match(one, "=", "queued") for one in ("status", "state") if one in inventory.labels(name)]


_WORKERS = (
    # all that were done or those that succeeded, those that failed, whether the first includes these, the histogram
    ("celery_task_succeeded_total", "celery_task_failed_total", False, "celery_task_runtime"),
    ("sidekiq_jobs_executed_total", "sidekiq_jobs_failed_total", True, "sidekiq_job_runtime_seconds"),
    ("sidekiq_jobs_processed_total", "sidekiq_jobs_failed_total", True, "sidekiq_job_runtime_seconds"),
    ("sidekiq_processed_jobs_total", "sidekiq_failed_jobs_total", True, ""),
    ("sidekiq_jobs_total", "sidekiq_failed_jobs_total", True, ""),
)


def _workers(inventory: Inventory) -> list[Family]:
    found = []
    for done, failed, includes, runtime in _WORKERS:
        if inventory.names is None or not (inventory.has(done) or (not includes and inventory.has(failed))):
            continue
        ended, broken = rate(select(done)), rate(select(failed))
        every = ended if includes else f"(({ended} or 0 * {broken}) + ({broken} or 0 * {ended}))"
        queries = {"request_rate": every}
        if inventory.has(failed):
            queries["error_rate"] = ratio(broken, every)
        buckets = select(f"{runtime}_bucket") if runtime and inventory.has(f"{runtime}_bucket") else ""
        if buckets:
            queries |= quantiles(buckets)
        found.append(Family(done if inventory.has(done) else failed, queries, inventory.has(failed), buckets))
    return found


def _batch(inventory: Inventory) -> list[Family]:
    """Jobs that push: how long ago they did tells whether what they pushed last still says anything."""
    if not inventory.has("push_time_seconds"):
        return []
    return [Family("push_time_seconds", {"push_age": "time() - max by ($by) (push_time_seconds)"})]


def _kubernetes_jobs(inventory: Inventory) -> list[Family]:
    name = "kube_job_status_failed"
    if not inventory.has(name):
        return []
    job = "exported_job_name" if "exported_job_name" in inventory.labels(name) else "job_name"
    named = f'label_replace({name}, "service", "$1", "{job}", "(.+?)(?:-[0-9]{{8,10}})?")'
    return [Family(name, {"failed_jobs": f"sum by ($by) ({named})"})]


PRESETS = (
    Preset("exporters", "what exporters watch (pg_up, redis_up, mysql_up and the like)", JOB, _exporters),
    Preset("replication", "how far replicas are behind (pg_replication_lag_seconds and the like)", JOB, _replication),
    Preset("workers", "workers: Celery and Sidekiq", JOB, _workers),
    Preset("queues", "how long queues are: Sidekiq, Celery, RabbitMQ", JOB, _queues),
    Preset("kafka", "how far consumers of Kafka are behind (kafka_consumergroup_lag)", ("consumergroup",), _kafka),
    Preset("blackbox", "checks of the blackbox exporter (probe_success)", ("instance",), _blackbox),
    Preset("batch", "jobs that push to a Pushgateway (push_time_seconds)", JOB, _batch),
    Preset("jobs", "jobs of Kubernetes (kube_job_status_failed)", ("namespace", "service"), _kubernetes_jobs),
)
