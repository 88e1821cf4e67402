"""The dashboard and the API's documentation work under the policy the server sends, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from ui.conftest import served

from observatory.access import Role, authenticator_of
from observatory.config import Settings
from observatory.model import Service
from observatory.runtime import Runtime

pytestmark = pytest.mark.ui


def test_signing_in_cards_charts_and_documentation_break_no_policy(page: Page, tmp_path: Path) -> None:
    store = tmp_path / "shop.duckdb"
    runtime = Runtime(Settings(store=str(store), worker=False))
    runtime.store.register([Service("shop/cart"), Service("secret/plans")])
    _, key = authenticator_of(runtime).keys.create("ann", Role.VIEWER, ["shop/*"])
    runtime.close()
    with served(tmp_path, ["observatory", "serve"], WORKER="false", DEMO_DAYS="0.05") as url:
        page.goto(f"{url}/observatory")
        page.get_by_label("API key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("cart", exact=True).first).to_be_visible()
        expect(page.get_by_text("plans")).to_have_count(0)
        page.goto(f"{url}/observatory?service=shop/cart&range=1h")
        expect(page.locator(".bk-Figure").first).to_be_visible()
        page.goto(f"{url}/observatory?view=runs")
        expect(page.get_by_text("may concern services outside of what you may see")).to_be_visible()
        page.goto(f"{url}/observatory?view=radar")
        expect(page.get_by_text("anomal").first).to_be_visible()
        page.goto(f"{url}/api/docs")
        expect(page.get_by_text("/api/health/summary")).to_be_visible()
        page.get_by_text("/api/health/summary").click()
        page.get_by_role("button", name="Try it out").click()
        page.get_by_role("button", name="Execute").click()
        expect(page.locator(".live-responses-table")).to_contain_text('"source"')
