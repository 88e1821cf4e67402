"""What users do with the dashboard, in a real browser: look, search, open a service, go back, use the radar."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect
from ui.conftest import HOSTILE, PATIENCE

pytestmark = pytest.mark.ui
expect.set_options(timeout=PATIENCE)
STRIP, CHART = 0, 1


def ready(page: Page) -> None:
    """Wait until the live components have taken the place of what was drawn first."""
    page.wait_for_function("window.Bokeh?.documents[0]?.is_idle")
    expect(page.locator("#first-header, #first-main")).to_have_count(0)


def open_page(page: Page, address: str, query: str = "") -> None:
    page.goto(f"{address}{query}")
    ready(page)


def card(page: Page, service: str) -> Locator:
    return page.get_by_role("link", name=f"{service}: ")


def drag(page: Page, figure: int, start: float, end: float, held: float = 0) -> None:
    """Drag over a figure of the drill-down, from `start` to `end` [px], after the button was held still [ms]."""
    expect(page.get_by_text("drag over a chart")).to_be_visible()
    expect(page.locator(".bk-Figure")).to_have_count(1 + 9 + 1)
    page.wait_for_function("Bokeh.documents[0].is_idle")  # they are laid out
    target = page.locator(".bk-Figure").nth(figure)
    target.hover()  # once it has stopped to move
    box = target.bounding_box()
    assert box is not None
    middle = box["y"] + (box["height"] / 2 if figure != STRIP else 20)
    page.mouse.move(box["x"] + start, middle)
    page.mouse.down()
    page.evaluate("length => new Promise(over => setTimeout(over, length))", held)
    page.mouse.move(box["x"] + (start + end) / 2, middle, steps=3)
    page.mouse.move(box["x"] + end, middle, steps=3)
    page.mouse.up()


def test_cards_are_there_before_any_library(page: Page, address: str) -> None:
    page.route("**/static/**", lambda route: None)  # they never arrive
    page.goto(address, wait_until="commit")
    expect(page.locator(".card").first).to_be_visible()
    expect(page).to_have_title("CloudWatch Observatory")


def test_every_service_has_a_card_the_worst_first(page: Page, address: str) -> None:
    open_page(page, address)
    expect(page).to_have_title("CloudWatch Observatory")
    expect(page.locator(".card")).to_have_count(13)
    expect(card(page, "shop/cart")).to_contain_text("out of order")
    expect(page.get_by_text("1 problem")).to_be_visible()


def test_a_hostile_name_is_only_text(page: Page, address: str) -> None:
    open_page(page, address, "?show=unknown")
    expect(page.locator(".card")).to_have_count(1)
    expect(page.locator(".card strong")).to_have_text(HOSTILE.removeprefix("evil/"))
    page.locator(".card").click()
    expect(page.locator("h1")).to_have_text(HOSTILE.removeprefix("evil/"))
    page.get_by_role("link", name="Anomaly Radar").click()
    expect(page.get_by_role("link", name=HOSTILE)).to_be_visible()
    expect(page.locator("img")).to_have_count(0)


def test_search_and_chips_narrow_the_cards(page: Page, address: str) -> None:
    open_page(page, address)
    page.keyboard.press("/")
    page.keyboard.type("discovery")
    expect(page.locator(".card")).to_have_count(3)
    expect(page).to_have_url(re.compile(r"\?q=discovery$"))
    page.get_by_role("button", name=re.compile("^anomalous")).click()
    expect(page.get_by_text("No service matches")).to_be_visible()
    page.get_by_role("button", name="Show all services").click()
    expect(page.locator(".card")).to_have_count(13)
    expect(page.get_by_role("searchbox")).to_have_value("")


def test_a_service_opens_and_the_way_back_leads_to_the_cards(page: Page, address: str) -> None:
    open_page(page, address)
    card(page, "shop/cart").click()
    expect(page.locator("h1")).to_have_text("cart")
    expect(page).to_have_url(re.compile(r"\?service=shop/cart$"))
    expect(page.locator(".bk-Figure")).to_have_count(1 + 9 + 1)
    expect(page.get_by_text("How the score came about")).to_be_visible()
    expect(page.get_by_role("cell", name="▲ 2 s")).to_be_visible()
    expect(card(page, "shop/cart")).to_be_hidden()
    page.get_by_role("button", name="6h").click()
    expect(page.get_by_text("Anomalies in the last 6 hours")).to_be_visible()
    expect(page).to_have_url(re.compile("range=6h"))
    page.keyboard.press("Escape")
    expect(card(page, "shop/cart")).to_be_visible()
    expect(page.locator("h1")).to_be_hidden()
    page.go_back()
    expect(page.locator("h1")).to_be_visible()
    page.get_by_role("link", name="All services").click()
    expect(card(page, "shop/cart")).to_be_visible()


def test_keys_open_a_service(page: Page, address: str) -> None:
    open_page(page, address)
    card(page, "shop/cart").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("cart")


def test_charts_can_be_zoomed_into_and_out_of(page: Page, address: str) -> None:
    open_page(page, address, "?service=shop/search&range=6h")
    drag(page, CHART, 120, 220)
    reset = page.get_by_role("button", name="reset the zoom")
    expect(reset).to_be_visible()
    expect(page.get_by_text("Anomalies in the part zoomed into")).to_be_visible()
    reset.click()
    expect(reset).to_be_hidden()


def test_a_drag_may_begin_slowly(page: Page, address: str) -> None:
    open_page(page, address, "?service=shop/search&range=6h")
    drag(page, CHART, 120, 220, held=400)
    expect(page.get_by_role("button", name="reset the zoom")).to_be_visible()


def test_a_part_is_chosen_in_the_strip_and_can_be_moved(page: Page, address: str) -> None:
    open_page(page, address, "?service=shop/search&range=6h")
    drag(page, STRIP, 200, 400)
    reset = page.get_by_role("button", name="reset the zoom")
    expect(reset).to_be_visible()
    chosen = reset.inner_text()
    drag(page, STRIP, 300, 340)
    expect(reset).not_to_have_text(chosen)
    reset.click()
    expect(reset).to_be_hidden()


def test_a_service_nobody_knows_is_said(page: Page, address: str) -> None:
    open_page(page, address, "?service=shop/crat")
    expect(page.get_by_role("alert")).to_contain_text("did you mean shop/cart")


def test_the_radar_filters_and_leads_to_a_service(page: Page, address: str) -> None:
    open_page(page, address)
    page.get_by_role("link", name="Anomaly Radar").click()
    expect(page.get_by_text("3 anomalies in the last 24 hours in 3 services, 1 still open")).to_be_visible()
    expect(page.locator(".anomaly")).to_have_count(3)
    page.get_by_role("button", name="7d").click()
    expect(page.locator(".anomaly")).to_have_count(4)
    page.get_by_role("button", name=re.compile("high")).click()
    expect(page.locator(".anomaly")).to_have_count(1)
    expect(page).to_have_url(re.compile("view=radar&since=7d&severity=high"))
    page.get_by_role("combobox", name="Service").select_option("shop/search")
    expect(page.get_by_text("filters hide 3")).to_be_visible()
    page.locator(".anomaly summary").click()
    expect(page.get_by_role("cell", name="▲ 200 %")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator(".anomaly")).to_have_count(4)
    page.get_by_role("link", name="shop/search").click()
    expect(page.locator("h1")).to_have_text("search")
    page.go_back()
    expect(page.locator(".anomaly:visible")).to_have_count(4)  # the service's own list is put away, not taken out


def test_filters_that_hide_everything_say_so(page: Page, address: str) -> None:
    open_page(page, address, "?view=radar&severity=low&metric=pod_count")
    expect(page.get_by_text("The filters hide all 3 of the last 24 hours.")).to_be_visible()
    page.get_by_role("button", name="Remove the filters").click()
    expect(page.locator(".anomaly")).to_have_count(3)


def test_the_theme_can_be_switched_and_is_remembered(page: Page, address: str) -> None:
    open_page(page, address)
    scheme = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(scheme)
    page.get_by_role("button", name="Switch to the light theme").click()
    expect(page.get_by_role("button", name="Switch to the dark theme")).to_be_visible()
    light = page.evaluate(scheme)
    assert light != dark
    page.reload()
    ready(page)
    expect(page.get_by_role("button", name="Switch to the dark theme")).to_be_visible()
    assert page.evaluate(scheme) == light


def test_the_page_follows_the_system_unless_told_otherwise(page: Page, address: str) -> None:
    page.emulate_media(color_scheme="light")
    open_page(page, address)
    expect(page.get_by_role("button", name="Switch to the dark theme")).to_be_visible()
    page.emulate_media(color_scheme="dark")
    expect(page.get_by_role("button", name="Switch to the light theme")).to_be_visible()


def test_failures_unfold_and_stay_open_while_the_page_refreshes(page: Page, address: str) -> None:
    open_page(page, address)
    page.get_by_text("1 problem").click()
    detail = page.get_by_role("listitem").filter(has_text="Prometheus refused the query")
    expect(detail).to_be_visible()
    page.get_by_role("button", name="Refresh now").click()
    expect(page.locator(".icon.busy")).to_have_count(0)
    expect(detail).to_be_visible()


@pytest.mark.parametrize("query", ["", "?service=shop/cart", "?view=radar"])
def test_a_narrow_window_needs_no_sideways_scrolling(page: Page, address: str, query: str) -> None:
    page.set_viewport_size({"width": 800, "height": 900})
    open_page(page, address, query)
    expect(page.locator(".card, .anomaly").locator("visible=true").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
