"""The guides in the dashboard, in a real browser: read, follow links, search, and go back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from ui.test_dashboard import open_page

pytestmark = pytest.mark.ui


def test_a_search_leads_to_a_section_and_back_leads_to_what_was_found(page: Page, address: str) -> None:
    open_page(page, address)
    page.get_by_role("link", name="Help", exact=True).click()
    expect(page.get_by_role("heading", name="Help", level=1)).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("password")
    best = page.locator(".found li").first
    expect(best).to_contain_text("Access › Passwords")
    expect(best.locator("mark").first).to_have_text("Passwords")
    expect(page).to_have_url(re.compile(r"\?view=help&find=password$"))
    best.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"\?view=help&page=access&at=passwords$"))
    expect(page.get_by_role("heading", name="Passwords")).to_be_in_viewport()
    expect(page.get_by_role("heading", name="Passwords")).to_be_focused()
    expect(page.get_by_role("searchbox", name="Search the guides")).to_have_value("")
    page.go_back()
    expect(best).to_contain_text("Access › Passwords")
    expect(page.get_by_role("searchbox", name="Search the guides")).to_have_value("password")
    page.go_back()
    expect(page.get_by_role("heading", name="Help", level=1)).to_be_visible()
    page.go_back()
    expect(page.locator(".card").first).to_be_visible()


def test_links_lead_from_page_to_page_and_a_section_can_be_opened_again(page: Page, address: str) -> None:
    open_page(page, address, "?view=help&page=commands")
    page.locator("article").get_by_role("link", name="API key").click()
    heading = page.get_by_role("heading", name="API keys")
    expect(heading).to_be_in_viewport()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(heading).not_to_be_in_viewport()
    page.get_by_role("navigation", name="On this page").get_by_role("link", name="API keys").click()
    expect(heading).to_be_in_viewport()
    expect(page.get_by_role("link", name="Access", exact=True)).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="Next Hardening").click()
    expect(page.get_by_role("heading", name="Hardening", level=1)).to_be_in_viewport()


def test_enter_opens_the_best_match(page: Page, address: str) -> None:
    open_page(page, address, "?view=help")
    page.keyboard.press("/")
    page.keyboard.type("audit log")
    expect(page.locator(".found li").first).to_contain_text("Audit log")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Audit log")).to_be_focused()


def test_pictures_and_wide_tables_stay_in_their_place(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for name in ("architecture", "settings", "access"):
        open_page(page, address, f"?view=help&page={name}")
        expect(page.locator("article h1")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("Page", exact=True).select_option(label="Architecture")
    picture = page.get_by_role("img", name="From Prometheus")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth > 0")


def test_the_search_of_the_guides_leaves_the_one_of_the_services_alone(page: Page, address: str) -> None:
    open_page(page, address, "?view=help")
    expect(page.locator("article h1")).to_be_visible()
    page.get_by_role("link", name="App Health").click()
    expect(page.locator(".card").first).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("cart")
    expect(page.locator(".card")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?q=cart$"))


def test_a_page_that_is_not_there_leads_to_those_that_are(page: Page, address: str) -> None:
    open_page(page, address, "?view=help&page=acess")
    expect(page.get_by_text("did you mean access")).to_be_visible()
    page.get_by_role("link", name="Show all pages").click()
    expect(page.get_by_role("heading", name="Help", level=1)).to_be_visible()
