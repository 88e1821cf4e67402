"""Deployments and restarts are found in what a server has of versions, images, ReplicaSets and start times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from support.openmetrics import Exposition
from support.parsing import not_understood
from support.servers import History, Server, VictoriaMetrics

from observatory.collection.changes import backfill_changes, read_changes
from observatory.model import Change, ChangeKind, Failure, Service
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.inventory import read_inventory
from observatory.sources.prometheus.running import (
    _image_query,
    _pod_start_query,
    _process_start_query,
    _revision_query,
    _version_query,
    is_build_info,
    speaks_for,
)
from observatory.sources.prometheus.source import PrometheusSource
from observatory.store import Store, open_store

START = datetime(2026, 1, 1, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
END = START + 200 * MINUTE
STEP = 30
NEVER = 10_000
QUIET = ("shop/db", "shop/search", "shop/nightly", "shop/steady", "bank/cart")
SERVICES = ("shop/cart", "shop/web", "shop/api", "shop/pay", "shop/mail", "shop/old", "prometheus", *QUIET)


class Shop:
    """Series of the shop, by minutes since the start."""

    def __init__(self) -> None:
        self.text = Exposition(range(int(START.timestamp()), int(END.timestamp()), STEP))

    def series(self, name: str, begin: float = 0, end: float = NEVER, value: float = 1, **labels: str) -> None:
        """A gauge that two Prometheus of a pair have from one minute to another."""
        first, last = int(begin * 60), int(min(end * 60, (END - START).total_seconds()))
        times = [int(START.timestamp()) + at for at in range(first, last, STEP)]
        for replica in ("a", "b"):
            at = {**labels, "prometheus_replica": replica}
            self.text.gauge(name, at, lambda time: value, times)

    def version(self, name: str, *versions: tuple[float, str], label: str = "version", **target: str) -> None:
        """A metric whose label is another from a minute on."""
        for (begin, version), (end, _) in zip(versions, [*versions[1:], (NEVER, "")], strict=True):
            self.series(name, begin, end, **target, **{label: version})

    def pods(self, service: str, replicaset: str, image: str, begin: float, end: float = NEVER) -> None:
        """Two pods of a ReplicaSet that begin and end a few minutes apart, as two kube-state-metrics see them."""
        for number in (0, 3):
            pod = {"namespace": "shop", "pod": f"{replicaset}-{number}bcde"}
            age = START.timestamp() + (begin + number if begin else -500) * 60
            for ksm in ("ksm-0", "ksm-1"):
                at = {**pod, "job": "kube-state-metrics", "instance": ksm}
                of = (begin + number if begin else 0, end + number)
                self.series("kube_pod_owner", *of, owner_kind="ReplicaSet", owner_name=replicaset, **at)
                self.series("kube_pod_container_info", *of, container=service, image=image, image_spec=image, **at)
                self.series(
                    "kube_pod_container_info", *of, container="istio-proxy", image="p:1", image_spec="p:1", **at
                )
                self.series("kube_pod_container_state_started", *of, value=age, container=service, **at)


def shop() -> Exposition:
    made = Shop()
    for instance, later in (("a", 0), ("b", 4)):
        cart = {"namespace": "shop", "job": "cart", "instance": instance}
        made.version("cart_build_info", (0, "1"), (60 + later, "2"), (120 + later, "1"), **cart)
        made.series("up", namespace="shop", job="cart", instance=instance)
        made.version("go_build_info", (0, "1"), (80, "2"), **cart)
        made.version("promtail_build_info", (0, "2.8"), (100, "2.9"), **cart)
    made.pods("web", "web-7d9f8b6c5", "registry:5000/web:1.0", 0, 61)
    made.pods("web", "web-5c6b7d8f9", "registry:5000/web:1.1", 60)
    made.version("acme_build_info", (0, "1.0"), (63, "1.1"), namespace="shop", job="web", instance="w")
    made.pods("api", "api-7d9f8b6c5", "api@sha256:0123456789abcdef", 0, 91)
    made.pods("api", "api-5c6b7d8f9", "api@sha256:0123456789abcdef", 90)
    made.pods("steady", "steady-7d9f8b6c5", "steady:1", 0)
    made.version("target_info", (0, "3.0"), (60, "3.1"), label="service_version", job="shop/pay", instance="1")
    begun = START.timestamp()
    for instance, later in (("a", 0), ("b", 2)):
        mail = {"namespace": "shop", "job": "mail", "instance": instance}
        made.series("process_start_time_seconds", 0, 75 + later, value=begun - 9000, **mail)
        made.series("process_start_time_seconds", 75 + later, value=begun + (75 + later) * 60, **mail)
    made.version("up", (0, "5"), (60, "6"), label="app_version", namespace="shop", job="old", instance="o")
    made.version("prometheus_build_info", (0, "2.40"), (60, "3.0"), job="prometheus", instance="p")
    # what is beside a service, not it
    made.version("redis_exporter_build_info", (0, "1"), (60, "2"), namespace="shop", job="db", instance="d")
    made.series("process_start_time_seconds", 0, 60, value=begun - 9000, namespace="shop", job="db", instance="d")
    made.series("process_start_time_seconds", 60, value=begun + 3600, namespace="shop", job="db", instance="d")
    made.version("promtail_build_info", (0, "2.8"), (60, "2.9"), namespace="shop", job="search", instance="s")
    made.version("proxy_build_info", (0, "2.8"), (60, "2.9"), namespace="shop", job="search", instance="s")
    for run in range(0, 200, 15):
        pod = {"namespace": "shop", "pod": f"nightly-2900{run:04d}-x"}
        job = {"owner_kind": "Job", "owner_name": f"nightly-2900{run:04d}"}
        made.series("kube_pod_owner", run, run + 5, **pod, **job)
        made.series("kube_pod_container_state_started", run, run + 5, value=begun + run * 60, container="n", **pod)
        made.series("kube_pod_container_info", run, run + 5, container="n", image="n:1", image_spec="n:1", **pod)
    return made.text


@pytest.fixture(scope="module")
def servers() -> Iterator[Callable[[str], Server]]:
    running: dict[str, Server] = {}

    def get(kind: str) -> Server:
        if kind not in running:
            if kind == "prometheus":
                running[kind] = History(shop().open_metrics()).__enter__()
            else:
                server = VictoriaMetrics().__enter__()
                server.load(shop().prometheus())
                running[kind] = server
        return running[kind]

    yield get
    for server in running.values():
        server.__exit__(None, None, None)


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store(":memory:") as opened:
        opened.register(Service(name) for name in SERVICES)
        yield opened


FOUND = [
    (60, "prometheus", "deployment", "3.0", "version 3.0, before 2.40"),
    (60, "shop/cart", "deployment", "2", "version 2, before 1"),
    (60, "shop/old", "deployment", "6", "version 6, before 5"),
    (60, "shop/pay", "deployment", "3.1", "version 3.1, before 3.0"),
    (60, "shop/web", "deployment", "1.1", "image registry:5000/web:1.1, before 1.0"),
    (75, "shop/mail", "restart", "", "all processes were started anew"),
    (90, "shop/api", "deployment", "", "new pods, of ReplicaSet api-5c6b7d8f9"),
    (120, "shop/cart", "deployment", "1", "version 1, before 2"),
]


def told(changes: list[Change]) -> list[tuple[int, str, str, str, str]]:
    return sorted(
        (int((one.at - START) // MINUTE), one.service_name, str(one.kind), one.version, one.summary) for one in changes
    )


def look(source: PrometheusSource, store: Store, until: datetime) -> None:
    failures: list[Failure] = []
    read_changes(source, store, START + 20 * MINUTE, until, failures)
    assert failures == []


KINDS = pytest.mark.parametrize("kind", ["prometheus", "victoria"])


@KINDS
@pytest.mark.servers
def test_every_change_of_a_service_is_found_once_and_nothing_else(
    servers: Callable[[str], Server], store: Store, kind: str
) -> None:
    source = PrometheusSource(PrometheusClient(servers(kind).url))
    for minutes in range(24, 200, 8):
        look(source, store, START + minutes * MINUTE)
    assert told(store.changes.read()) == FOUND
    assert {one.source for one in store.changes.read()} == {"prometheus"}


@pytest.mark.servers
def test_a_restart_of_the_workbench_repeats_and_misses_nothing(servers: Callable[[str], Server], store: Store) -> None:
    """Each look is by a source of its own, one while versions are mixed; then it is away for an hour and a half."""
    for minutes in (24, 62, 63, 170):
        look(PrometheusSource(PrometheusClient(servers("victoria").url)), store, START + minutes * MINUTE)
    assert told(store.changes.read()) == FOUND


@KINDS
@pytest.mark.servers
def test_past_changes_are_found_in_one_look_and_again_without_a_second_one(
    servers: Callable[[str], Server], store: Store, kind: str
) -> None:
    source = PrometheusSource(PrometheusClient(servers(kind).url))
    for _ in range(2):
        backfill_changes(source, store, START + 20 * MINUTE, END, [])
        assert told(store.changes.read()) == FOUND
    assert store.running.read("prometheus") == []


@pytest.mark.servers
def test_what_a_pipeline_reported_is_the_change_that_is_found(servers: Callable[[str], Server], store: Store) -> None:
    at = START + 58 * MINUTE
    posted = Change("c1", "shop/web", at, ChangeKind.DEPLOYMENT, "v1.1", "faster", "https://ci.example/1", "key:ci")
    store.changes.write([posted])
    source = PrometheusSource(PrometheusClient(servers("victoria").url))
    backfill_changes(source, store, START + 20 * MINUTE, END, [])
    assert store.changes.read(services=["shop/web"]) == [posted]


@pytest.mark.servers
def test_renamed_services_are_found_by_their_names_here(servers: Callable[[str], Server], store: Store) -> None:
    source = PrometheusSource(PrometheusClient(servers("victoria").url))
    store.names.rename("shop/web", "shop/front", END)
    source.use_renames(store.names.rules().renames)
    backfill_changes(source, store, START + 20 * MINUTE, END, [])
    assert [one.version for one in store.changes.read(services=["shop/front"])] == ["1.1"]


@pytest.mark.servers
def test_a_real_prometheus_understands_every_query(servers: Callable[[str], Server]) -> None:
    inventory = read_inventory(PrometheusClient(servers("victoria").url), START, START + 100 * MINUTE)
    queries = {
        query.__name__: query(inventory)
        for query in (_version_query, _image_query, _revision_query, _pod_start_query, _process_start_query)
    }
    assert all(queries.values())
    assert not_understood(queries) == {}


@pytest.mark.parametrize(
    ("name", "service", "others", "speaks"),
    [
        ("build_info", "shop/cart", ["cart_build_info"], True),
        ("cart_build_info", "shop/cart-service", ["other_build_info"], True),
        ("shop_cart_build_info", "cart", [], True),
        ("acme_build_info", "shop/cart", [], True),
        ("acme_build_info", "shop/cart", ["acme_build_info", "cart_build_info"], False),
        ("promtail_build_info", "shop/cart", ["promtail_build_info"], False),
        ("promtail_build_info", "logs/promtail", [], True),
        ("oauth2_proxy_build_info", "shop/cart", [], False),
        ("otelcol_contrib_build_info", "shop/cart", [], False),
    ],
)
def test_a_metric_speaks_for_the_service_that_is_called_so(
    name: str, service: str, others: list[str], speaks: bool
) -> None:
    assert speaks_for(name, service, others) is speaks


@pytest.mark.parametrize("name", ["go_build_info", "node_exporter_build_info", "proxy_build_info", "rebuild_info"])
def test_exporters_and_languages_tell_no_version(name: str) -> None:
    assert not is_build_info(name)
