"""The page of a service lists its changes, and one opens to what its metrics did before and after it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect
from ui.conftest import PATIENCE, served
from ui.test_dashboard import open_page

from observatory.model import Change, ChangeKind, Service
from observatory.store import open_store

pytestmark = pytest.mark.ui
expect.set_options(timeout=PATIENCE)

PAY = "shop/payments"


def test_a_change_opens_to_before_and_after(page: Page, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    at = pd.date_range(end=now, periods=1500, freq="1min")
    errors = 0.01 * np.random.default_rng(7).normal(1, 0.05, 1500)
    errors[-45:] *= 10
    with open_store(str(tmp_path / "shop.duckdb")) as store:
        store.register([Service(PAY, "demo")])
        store.write_samples(pd.DataFrame({"service_name": PAY, "timestamp": at, "error_rate": errors}))
        moment = now - timedelta(minutes=45)
        store.changes.write(
            [Change("c1", PAY, moment, ChangeKind.DEPLOYMENT, "1.4.2", "<b>faster</b>", source="key:ci")]
        )
    with served(tmp_path, ["observatory", "serve"], WORKER="false", INTERVAL=60) as url:
        open_page(page, f"{url}/observatory?service={PAY}")
        line = page.locator("[data-key='c1']")
        for text in ("1.4.2", "<b>faster</b>", "by key:ci"):
            expect(line).to_contain_text(text)
        button = line.get_by_role("button", name="Before and after deployment 1.4.2")
        button.press("Enter")
        expect(button).to_have_attribute("aria-expanded", "true")
        expect(line.get_by_role("row", name="errors")).to_contain_text("worse: more than its noise")
        expect(page).to_have_url(re.compile(r"change=c1"))
        page.set_viewport_size({"width": 1024, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        button.press("Enter")
        expect(line.get_by_role("table")).to_have_count(0)
