"""What is read of Kubernetes: each pod belongs to the workload that owns it, however it is owned."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from support.cases import Case, Cases, Samples, Series, between, constant, counter, histogram
from support.servers import Server

OTEL = "http_server_request_duration_seconds"
USAGE, MEMORY = "container_cpu_usage_seconds_total", "container_memory_working_set_bytes"
CASES = Cases()


def pod(
    name: str,
    owner: str,
    kind: str,
    replicas: int = 2,
    running: bool = True,
    restarts: float = 0,
    namespace: str = "shop",
) -> Series:
    """A pod as cAdvisor and some replicas of kube-state-metrics see it: 0.5 + 0.1 cores, 100 + 10 bytes."""
    at = f'namespace="{namespace}",pod="{name}"'
    series = {
        f'{USAGE}{{{at},container="app",image="x"}}': counter(30),
        f'{USAGE}{{{at},container="proxy",image="x"}}': counter(6),
        f'{USAGE}{{{at},container="",image=""}}': counter(36),
        f'{USAGE}{{{at},container="POD",image=""}}': counter(1),
        f'{MEMORY}{{{at},container="app",image="x"}}': constant(100),
        f'{MEMORY}{{{at},container="proxy",image="x"}}': constant(10),
        f'{MEMORY}{{{at},container="",image=""}}': constant(111),
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


def owned(metric: str, label: str, name: str, kind: str, owner: str) -> Series:
    """Who owns the owner of a pod."""
    return {f'{metric}{{namespace="shop",{label}="{name}",owner_kind="{kind}",owner_name="{owner}"}}': constant(1)}


@CASES.add
def a_workload_has_the_sum_of_its_pods_once_however_many_replicas_watch() -> Case:
    return Case(
        pod("web-7d9f8b6c5-zk4xw", "web-7d9f8b6c5", "ReplicaSet", restarts=1)
        | pod("web-7d9f8b6c5-bbbbb", "web-7d9f8b6c5", "ReplicaSet")
        | pod("web-5c6b7d8f9-ccccc", "web-5c6b7d8f9", "ReplicaSet", replicas=1, running=False),
        {
            "cpu_usage": {"shop/web": 1.8},
            "memory_usage": {"shop/web": 330},
            "pod_count": {"shop/web": 2},
        },
        services=["shop/web"],
    )


@CASES.add
def sums_that_cadvisor_gives_for_a_pod_are_not_counted_again() -> Case:
    series = pod("web-7d9f8b6c5-zk4xw", "web-7d9f8b6c5", "ReplicaSet")
    return Case(series, {"cpu_usage": {"shop/web": 0.6}, "memory_usage": {"shop/web": 110}})


@CASES.add
def stateful_and_daemon_sets_are_services_named_after_themselves() -> Case:
    return Case(
        pod("db-0", "db", "StatefulSet")
        | pod("db-1", "db", "StatefulSet")
        | pod("log-agent-x7k2p", "log-agent", "DaemonSet")
        | pod("cart-redis-6f7d8c9b5-zzzzz", "cart-redis-6f7d8c9b5", "ReplicaSet"),
        {
            "cpu_usage": {"shop/db": 1.2, "shop/log-agent": 0.6, "shop/cart-redis": 0.6},
            "restart_count": {"shop/db": 0, "shop/log-agent": 0, "shop/cart-redis": 0},
            "pod_count": {"shop/db": 2, "shop/log-agent": 1, "shop/cart-redis": 1},
        },
        services=["shop/db", "shop/log-agent", "shop/cart-redis"],
    )


@CASES.each(
    rollout=("my-app-v2-7d9f8b6c5-zk4xw", "my-app-v2-7d9f8b6c5", "ReplicaSet", "my-app-v2"),
    replica_set_of_its_own=("my-app-v2-zk4xw", "my-app-v2", "ReplicaSet", "my-app-v2"),
    bare=("toolbox", "<none>", "<none>", "toolbox"),
    cron_job=("report-28000000-zk4xw", "report-28000000", "Job", "report"),
    job=("migrate-zk4xw", "migrate", "Job", "migrate"),
    controller=("old-3-zk4xw", "old-3", "ReplicationController", "old"),
    other=("cart-zk4xw", "cart", "Rollout", "cart"),
    static=("etcd-node1", "node1", "Node", "etcd-node1"),
)
def owners_by_the_look_of_their_names(made: tuple[str, str, str, str]) -> Case:
    name, owner, kind, service = made
    return Case(
        pod(name, owner, kind),
        {"cpu_usage": {f"shop/{service}": 0.6}, "pod_count": {f"shop/{service}": 1}},
        services=[f"shop/{service}"],
    )


@CASES.each(
    deployment=("kube_replicaset_owner", "replicaset", "ReplicaSet", "web-7d9f8b6c5", "Deployment", "web"),
    strange_name=("kube_replicaset_owner", "replicaset", "ReplicaSet", "my-app-v2", "Rollout", "my-app"),
    cron_job=("kube_job_owner", "job_name", "Job", "report-28000000", "CronJob", "report"),
    deployment_config=(
        "kube_replicationcontroller_owner",
        "replicationcontroller",
        "ReplicationController",
        "old-3",
        "DeploymentConfig",
        "old",
    ),
)
def owners_of_owners_are_believed(made: tuple[str, str, str, str, str, str]) -> Case:
    metric, label, kind, owner, above, service = made
    return Case(
        pod(f"{owner}-zk4xw", owner, kind)
        | owned(metric, label, owner, above, service)
        | owned(metric, label, "nobodys", "<none>", "<none>")
        | pod("nobodys-zk4xw", "nobodys", kind),
        {
            "cpu_usage": {f"shop/{service}": 0.6, "shop/nobodys": 0.6},
            "pod_count": {f"shop/{service}": 1, "shop/nobodys": 1},
        },
    )


@CASES.add
def a_static_pod_has_the_name_of_its_node_at_the_end() -> Case:
    nodes = {f'kube_node_info{{node="{node}"}}': constant(1) for node in ("node1", "node2")}
    return Case(
        pod("etcd-node1", "node1", "Node") | pod("etcd-node2", "node2", "Node") | nodes,
        {"pod_count": {"shop/etcd": 2}, "cpu_usage": {"shop/etcd": 1.2}},
    )


@CASES.each(
    deployment=("kube_deployment_spec_replicas", "deployment"),
    stateful_set=("kube_statefulset_replicas", "statefulset"),
    daemon_set=("kube_daemonset_status_desired_number_scheduled", "daemonset"),
)
def a_workload_that_has_none_of_its_pods_has_0(made: tuple[str, str]) -> Case:
    name, label = made
    return Case(
        pod("web-7d9f8b6c5-zk4xw", "web-7d9f8b6c5", "ReplicaSet")
        | {
            f'{name}{{namespace="shop",{label}="gone"}}': constant(3),
            f'{name}{{namespace="shop",{label}="off"}}': constant(0),
        },
        {"pod_count": {"shop/web": 1, "shop/gone": 0}},
    )


def without_honor_labels(series: Series) -> Series:
    """As Prometheus writes what it scrapes where labels of the target come first."""

    def renamed(name: str) -> str:
        if not name.startswith("kube_"):
            return name
        for label in ("namespace", "pod", "container", "deployment", "replicaset"):
            name = (
                name.replace(f'{label}="', f'exported_{label}="')
                if f'{{{label}="' in name or f',{label}="' in name
                else name
            )
        return name[:-1] + ',namespace="monitoring",pod="ksm-0",container="ksm"}'

    return {renamed(name): values for name, values in series.items()}


@CASES.add
def kube_state_metrics_scraped_without_honor_labels() -> Case:
    return Case(
        without_honor_labels(
            pod("web-7d9f8b6c5-zk4xw", "web-7d9f8b6c5", "ReplicaSet", restarts=0)
            | owned("kube_replicaset_owner", "replicaset", "web-7d9f8b6c5", "Deployment", "web")
            | {'kube_deployment_spec_replicas{namespace="shop",deployment="gone"}': constant(3)}
        ),
        {
            "cpu_usage": {"shop/web": 0.6},
            "memory_usage": {"shop/web": 110},
            "restart_count": {"shop/web": 0},
            "pod_count": {"shop/web": 1, "shop/gone": 0},
        },
    )


@CASES.add
def a_workload_of_the_same_name_in_another_namespace_is_another_service() -> Case:
    return Case(
        pod("db-0", "db", "StatefulSet") | pod("db-0", "db", "StatefulSet", namespace="blog"),
        {"pod_count": {"shop/db": 1, "blog/db": 1}, "cpu_usage": {"shop/db": 0.6, "blog/db": 0.6}},
    )


@CASES.add
def pods_without_a_known_owner_name_no_service() -> Case:
    series = {name: values for name, values in pod("db-0", "db", "StatefulSet").items() if "owner" not in name}
    return Case(series, {"cpu_usage": {}, "memory_usage": {}, "pod_count": {}}, services=[])


@CASES.add
def requests_by_job_and_resources_by_workload_do_not_mix() -> Case:
    return Case(
        pod("web-7d9f8b6c5-zk4xw", "web-7d9f8b6c5", "ReplicaSet")
        | {
            f'{OTEL}_count{{job="shop/web",http_response_status_code="200"}}': counter(60),
            'process_cpu_seconds_total{job="shop/web"}': counter(600),
            'up{job="kube-state-metrics"}': constant(1),
        },
        {
            "request_rate": {"shop/web": 1},
            "cpu_usage": {"shop/web": 0.6},
            "pod_count": {"shop/web": 1, "kube-state-metrics": 1},
        },
    )


@CASES.add
def a_job_in_a_namespace_is_the_workload_of_that_name() -> Case:
    return Case(
        pod("cart-7d9f8b6c5-zk4xw", "cart-7d9f8b6c5", "ReplicaSet")
        | {
            f'{OTEL}_count{{namespace="shop",job="cart",http_response_status_code="200"}}': counter(60),
            f'{OTEL}_count{{namespace="collectors",job="shop/web",http_response_status_code="200"}}': counter(120),
            'up{namespace="shop",job="cart"}': constant(1),
            'process_cpu_seconds_total{namespace="shop",job="cart"}': counter(600),
        },
        {
            "request_rate": {"shop/cart": 1, "shop/web": 2},
            "cpu_usage": {"shop/cart": 0.6},
            "pod_count": {"shop/cart": 1},
        },
    )


@CASES.add
def two_clusters_have_workloads_of_their_own() -> Case:
    series: Series = {}
    for cluster in ("east", "west"):
        for name, values in pod("db-0", "db", "StatefulSet").items():
            series[f'{name[:-1]},cluster="{cluster}"}}'] = values
        series[f'up{{job="kube-state-metrics",cluster="{cluster}"}}'] = constant(1)
    return Case(
        series,
        {
            "cpu_usage": {"east/shop/db": 0.6, "west/shop/db": 0.6},
            "memory_usage": {"east/shop/db": 110, "west/shop/db": 110},
        },
    )


def deployed(series: Series, begin: int, end: int, start: float = 0) -> Series:
    """Series of a pod that is there for a while; its counters begin at 0."""
    return {name: between(_from(values, begin), begin, end) for name, values in series.items()}


def _from(samples: Samples, begin: int) -> Samples:
    origin = samples.value(begin) or 0
    is_constant = samples.value(0) == samples.value(-60)
    return samples if is_constant else Samples(lambda at: (samples.value(at) or 0) - origin, samples.step)


@CASES.add
def a_rolling_deploy_changes_no_rate_and_is_no_restart() -> Case:
    """Two minutes ago half of the pods ended and as many began, with counters of their own."""
    series: Series = {}
    for number, (begin, end) in enumerate(((-1800, 0), (-1800, 0), (-1800, -120), (-1800, -120), (-105, 0), (-105, 0))):
        name = f"web-7d9f8b6c5-{number}"
        traffic = histogram(OTEL, f'namespace="shop",job="web",pod="{name}",http_response_status_code="200"', 60, 0)
        every = pod(name, "web-7d9f8b6c5", "ReplicaSet", replicas=1) | traffic
        every[f'process_start_time_seconds{{namespace="shop",job="web",pod="{name}"}}'] = constant(number)
        series |= {key: Samples(values.value, 15) for key, values in deployed(every, begin, end).items()}
    series['up{namespace="shop",job="web"}'] = constant(1, 15)
    return Case(
        series,
        {
            "request_rate": {"shop/web": 4},
            "error_rate": {"shop/web": 0},
            "restart_count": {"shop/web": 0},
        },
        options={"interval": 240},
        tolerance=0.1,
    )


@pytest.fixture(scope="module")
def servers() -> Iterator[Callable[[str], Server]]:
    yield from CASES.serve()


@pytest.mark.servers
@pytest.mark.parametrize(("kind", "name"), CASES.parameters)
def test_a_server_is_read_right(servers: Callable[[str], Server], kind: str, name: str) -> None:
    CASES.hold(servers(kind), name)
