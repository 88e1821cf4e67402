"""A real Prometheus scrapes the real server, and answers from what it found."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from api.conftest import make_runtime
from api.test_plugin import Server
from support.servers import Prometheus, wait_until

from observatory.access import Role, authenticator_of
from observatory.api.routes.monitoring import expected_ranges
from observatory.runtime import Runtime

pytestmark = [pytest.mark.servers, pytest.mark.slow]


class Scraper(Prometheus):
    """A Prometheus that scrapes with a key, from a target that is labelled as Kubernetes labels targets."""

    def __init__(self, address: str, key: str) -> None:
        super().__init__({"observatory": address})
        self.scraped_with = {
            "authorization": {"credentials": key},
            "honor_labels": True,
            "relabel_configs": [{"target_label": "service", "replacement": "observatory-headless"}],
        }

    def ask(self, query: str) -> list[dict[str, Any]]:
        answer = requests.get(f"{self.url}/api/v1/query", {"query": query}, timeout=30)
        assert answer.status_code == 200, answer.text
        result: list[dict[str, Any]] = answer.json()["data"]["result"]
        return result


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    made = make_runtime()
    yield made
    made.close()


@pytest.fixture(scope="module")
def served(runtime: Runtime) -> Iterator[tuple[str, str]]:
    """Where the server is, and a key that sees every service."""
    _, key = authenticator_of(runtime).keys.create("prometheus", Role.VIEWER, ["*"])
    server = Server(runtime)
    yield f"127.0.0.1:{server.port}", key
    server.stop()


@pytest.fixture(scope="module")
def prometheus(served: tuple[str, str], runtime: Runtime) -> Iterator[Scraper]:
    with Scraper(*served) as server:
        wait_until(lambda: server.ask("observatory_services"), 60, "a scrape", server.log)
        expected_ranges(runtime).wait()
        runtime.store.register(runtime.sources[0].discover())  # what has changed is read anew
        wait_until(lambda: server.ask("observatory_service_latency_p95_upper_seconds"), 60, "bands", server.log)
        yield server


def test_every_service_is_found_with_its_value_inside_or_outside_of_its_band(
    prometheus: Scraper, runtime: Runtime
) -> None:
    names = {service.name for service in runtime.store.services()}
    outside = prometheus.ask(
        "observatory_service_latency_p95_seconds > bool observatory_service_latency_p95_upper_seconds"
    )
    assert {one["metric"]["service"] for one in outside} == names
    ill = prometheus.ask("observatory_service_incident_severity == 4")
    assert len(ill) == 1
    assert ill[0]["metric"].keys() == {"__name__", "service", "job", "instance"}  # nothing that changes


def test_a_service_keeps_its_name_although_the_target_has_a_label_of_that_name(prometheus: Scraper) -> None:
    assert not prometheus.ask('{__name__=~"observatory_.+", exported_service!=""}')
    assert prometheus.ask('observatory_health_score{service="shop/checkout"}')


def test_the_target_is_up_and_nothing_was_dropped(prometheus: Scraper) -> None:
    (up,) = prometheus.ask('up{job="observatory"}')
    assert up["value"][1] == "1"
    (seen,), (kept,) = (
        prometheus.ask(f'scrape_samples_{which}{{job="observatory"}}')
        for which in ("scraped", "post_metric_relabeling")
    )
    assert seen["value"][1] == kept["value"][1]


def test_without_the_key_nothing_is_told(served: tuple[str, str]) -> None:
    assert requests.get(f"http://{served[0]}/metrics", timeout=30).status_code == 401


def test_promtool_has_no_word_against_it(served: tuple[str, str]) -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    exposed = requests.get(
        f"http://{served[0]}/metrics", headers={"Authorization": f"Bearer {served[1]}"}, timeout=30
    ).content
    done = subprocess.run([program, "check", "metrics"], input=exposed, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
