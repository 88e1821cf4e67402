"""The dashboard with a store full of hostile names and texts: whatever they say, they are text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect
from support.hostile import NAMES
from support.hostile_browser import is_harmless, texts_of
from support.hostile_store import SAMPLED, fill
from ui.conftest import PATIENCE, served
from ui.test_dashboard import open_page

from observatory.store import open_store
from observatory.views.components.words import split_name

pytestmark = pytest.mark.ui


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard of it."""
    folder = tmp_path_factory.mktemp("hostile")
    with open_store(str(folder / "shop.duckdb")) as store:
        fill(store, datetime.now(UTC), folder)
    with served(folder, ["observatory", "serve"], WORKER="false", INTERVAL=300) as url:
        yield f"{url}/observatory"


def says(page: Page, names: list[str]) -> None:
    """Wait until all names stand on the page as they are."""
    page.wait_for_function("window.Bokeh?.documents[0]?.is_idle")
    text = texts_of(page)
    assert [name for name in names if split_name(name)[1] not in text] == []


def test_cards_of_hostile_services_say_their_names(page: Page, address: str) -> None:
    open_page(page, address)
    expect(page.locator(".card")).to_have_count(len(NAMES))
    says(page, list(NAMES))
    is_harmless(page)


def test_pages_of_hostile_services_say_their_names(page: Page, address: str) -> None:
    """Those with charts, and some of the others: their heads are drawn as the cards are, which say all of them."""
    open_page(page, address)
    for place, name in enumerate((*NAMES[:SAMPLED], *NAMES[SAMPLED::5])):
        page.locator(".card").nth(0).wait_for()
        card = page.locator(f"[data-key={quote_css(name)}].card")
        card.click()
        expect(page.locator("h1")).to_have_text(split_name(name)[1])
        if place < SAMPLED:
            expect(page.locator(".bk-Figure").nth(1)).to_be_visible()
            page.locator(".bk-Figure").nth(1).hover()
        is_harmless(page)
        page.keyboard.press("Escape")


def quote_css(text: str) -> str:
    """`text` as a string of CSS."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.mark.parametrize("name", NAMES[::10])
def test_a_link_to_a_hostile_service_leads_to_it(page: Page, address: str, name: str) -> None:
    open_page(page, f"{address}?service={quote(name)}&q={quote(name)}&view={quote(name)}")
    expect(page.locator("h1")).to_have_text(split_name(name)[1])
    is_harmless(page)


def test_the_radar_says_hostile_names(page: Page, address: str) -> None:
    open_page(page, f"{address}?view=radar")
    expect(page.locator(".anomaly").first).to_be_visible()
    says(page, list(NAMES))  # the list of anomalies
    page.locator(".bk-Figure").first.hover()
    is_harmless(page)


def test_the_runs_say_hostile_parameters_and_errors(page: Page, address: str) -> None:
    open_page(page, f"{address}?view=runs")
    expect(page.locator("tr.run").first).to_be_visible(timeout=PATIENCE)
    assert [name for name in NAMES if f"service = {name}" not in texts_of(page)] == []
    is_harmless(page)


def test_problems_of_hostile_sources_are_text(page: Page, address: str) -> None:
    open_page(page, address)
    page.locator(".banner summary").click()
    assert [name for name in NAMES if name not in texts_of(page)] == []
    is_harmless(page)
