"""What a server says of itself is asked in the ways that servers have, and is empty where they have none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from support.servers import FaultyServer, Prometheus, Reply, VictoriaMetrics, refusal, wait_until

from observatory.errors import MalformedAnswerError, SourceBusyError, SourceRefusedError
from observatory.sources.prometheus.about import Build
from observatory.sources.prometheus.client import PrometheusClient

pytestmark = pytest.mark.slow

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def a_client(url: str) -> PrometheusClient:
    return PrometheusClient(url, sleep=lambda seconds: None)


def data(data: object) -> Reply:
    return Reply(body=json.dumps({"status": "success", "data": data}).encode())


@pytest.fixture(scope="module")
def scraping() -> Iterator[PrometheusClient]:
    """A client of a Prometheus that scrapes itself."""
    with Prometheus({}) as server:
        client = a_client(server.url)
        wait_until(lambda: "up" in client.label_values("__name__"), 30, "a scrape")
        yield client


@pytest.fixture(scope="module")
def victoria() -> Iterator[PrometheusClient]:
    """A client of a VictoriaMetrics with two series."""
    with VictoriaMetrics() as server:
        at = int(datetime.now(UTC).timestamp() * 1000)
        server.load(f'a{{job="x"}} 1 {at}\nb{{job="y",zone="eu"}} 1 {at}\n')
        yield a_client(server.url)


def test_a_prometheus_says_its_name_labels_and_types(scraping: PrometheusClient) -> None:
    build = scraping.build()
    assert build.name == "Prometheus"
    assert build.version == scraping.version()
    assert scraping.label_values("job") == ["prometheus"]
    assert scraping.label_names(["up"]) == ["__name__", "instance", "job"]
    assert scraping.metadata()["prometheus_http_requests_total"] == "counter"
    assert scraping.metadata()["go_goroutines"] == "gauge"


def test_labels_are_of_the_series_that_a_selector_finds(scraping: PrometheusClient, victoria: PrometheusClient) -> None:
    assert scraping.label_values("__name__", ['{__name__=~"up"}', "go_threads"]) == ["go_threads", "up"]
    assert scraping.label_values("job", ['{job="nobody"}']) == []
    assert victoria.label_values("job", ["b"]) == ["y"]
    assert victoria.label_names(["a", "b"]) == ["__name__", "job", "zone"]


def test_a_victoriametrics_is_known_by_its_dialect_and_may_lack_metadata(victoria: PrometheusClient) -> None:
    assert victoria.build() == Build("VictoriaMetrics")
    assert victoria.metadata() == {}


@pytest.mark.parametrize(
    ("said", "build"),
    [
        ({"version": "3.5.0", "revision": "8be3a9", "goVersion": "go1.24"}, Build("Prometheus", "3.5.0")),
        ({"version": "0.39.2", "revision": "8be3a9", "goVersion": "go1.24"}, Build("Thanos", "0.39.2")),
        ({"version": "1.19.0", "revision": "8be3a9", "goVersion": "go1.24"}, Build("Cortex", "1.19.0")),
        ({"application": "Grafana Mimir", "version": "2.17.1", "revision": "8be3a9"}, Build("Mimir", "2.17.1")),
        ({"application": "Grafana Enterprise Metrics", "version": "v2.1"}, Build("Mimir", "v2.1")),
    ],
)
def test_servers_are_told_apart_by_their_build_info(said: object, build: Build) -> None:
    with FaultyServer(data(said)) as server:
        assert a_client(server.url).build() == build


def test_a_server_without_build_info_that_speaks_promql_has_no_name() -> None:
    with FaultyServer(Reply(404), refusal(400, "unknown function")) as server:
        assert a_client(server.url).build() == Build()


def test_a_newer_victoriametrics_that_claims_to_be_a_prometheus_is_known() -> None:
    vector = {"resultType": "vector", "result": [{"metric": {"of": "metricsql"}, "value": [1, "1"]}]}
    with FaultyServer(data({"version": "2.24.0"}), data(vector)) as server:
        assert a_client(server.url).build() == Build("VictoriaMetrics")


def test_a_busy_server_is_no_unknown_one() -> None:
    with FaultyServer(Reply(503)) as server:
        with pytest.raises(SourceBusyError):
            a_client(server.url).build()
        with pytest.raises(SourceBusyError):
            a_client(server.url).metadata()


def test_selectors_and_times_are_sent_with_get() -> None:
    with FaultyServer(data(["b", "a", "a"])) as server:
        assert a_client(server.url).label_values("http.route", ["up", 'x{a="b&c"}'], NOW, NOW) == ["a", "b"]
    (request,) = server.requests
    address = urlsplit(request.path)
    assert address.path == "/api/v1/label/U__http_2e_route/values"
    assert parse_qs(address.query) == {
        "match[]": ["up", 'x{a="b&c"}'],
        "start": ["1767312000.000"],
        "end": ["1767312000.000"],
    }


def test_no_labels_is_an_empty_list_and_another_form_an_error() -> None:
    with FaultyServer(data(None), data({"a": 1}), Reply(403)) as server:
        client = a_client(server.url)
        assert client.label_names() == []
        with pytest.raises(MalformedAnswerError, match="labels of an unknown form"):
            client.label_names()
        with pytest.raises(SourceRefusedError):
            client.label_names()


@pytest.mark.parametrize("reply", [Reply(404), Reply(403), data(None), data([1]), Reply(body=b"<html>")])
def test_metadata_that_cannot_be_had_is_empty(reply: Reply) -> None:
    with FaultyServer(reply) as server:
        assert a_client(server.url).metadata() == {}


def test_a_metric_has_the_first_type_that_is_known() -> None:
    said = {"a": [{"type": "unknown", "help": ""}], "b": [{"type": ""}, {"type": "histogram"}], "c": []}
    with FaultyServer(data(said)) as server:
        assert a_client(server.url).metadata() == {"b": "histogram"}
