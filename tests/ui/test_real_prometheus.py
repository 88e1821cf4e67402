"""The main job on real input: a Prometheus and its targets become services with health, over REST and in the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from conftest import WINDOW
from playwright.sync_api import Page, expect
from support.servers import HANGS_AFTER, wait_until
from ui.conftest import served
from ui.test_dashboard import card, open_page

from observatory.sources.prometheus.source import PrometheusSource

pytestmark = [pytest.mark.ui, pytest.mark.servers]
NAMES = {"prometheus", "node", "alertmanager"}


@pytest.fixture(scope="module")
def url(prometheus_of_three: PrometheusSource, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that watches the three real services."""
    settings = {"PROMETHEUS_URL": prometheus_of_three.client.url, "INTERVAL": 5, "WINDOW": WINDOW}
    with served(tmp_path_factory.mktemp("real"), ["observatory", "serve"], **settings) as url:
        yield url


def get(url: str, **query: str) -> Any:
    response = requests.get(url, params=query, timeout=30)
    response.raise_for_status()
    return response.json()


def test_real_services_are_served_over_rest(url: str) -> None:
    def healthy() -> bool:
        summary = get(f"{url}/api/health/summary")
        names = {service["service_name"] for service in summary["services"] if service["band"] == "healthy"}
        return names == NAMES and summary["last_cycle"] is not None

    wait_until(
        healthy,
        HANGS_AFTER,
        "a cycle that leaves three healthy services",
        lambda: str(get(f"{url}/api/health/summary")),
    )
    summary = get(f"{url}/api/health/summary")
    assert summary["source"] == "prometheus"
    assert summary["last_cycle"]["failures"] == []
    history = get(f"{url}/api/metrics/history", service="prometheus", start="-5m")
    columns = {name: [v for v in values if v is not None] for name, values in history["metrics"].items()}
    assert max(columns["request_rate"]) > 0
    assert max(columns["memory_usage"]) > 1e6


def test_real_services_have_cards_and_a_history(page: Page, url: str) -> None:
    open_page(page, f"{url}/observatory")
    for name in NAMES:
        expect(page.get_by_role("link", name=f"{name}: ")).to_contain_text("100")
    card(page, "prometheus").click()
    expect(page.locator("h1")).to_have_text("prometheus")
    expect(page.locator(".bk-Figure")).not_to_have_count(0)
