"""`explore` in a real JupyterLab: all cells run, plots and live views appear, and no request leaves the machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect
from support.servers import HANGS_AFTER, free_port, wait_until
from ui.conftest import ROOT, Watch

pytestmark = [pytest.mark.ui, pytest.mark.servers]
TOKEN = "of-a-test"
PATIENCE = 120_000


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """Address of ``observatory lab`` over a copy of the notebooks, for JupyterLab saves what it opens."""
    notebooks = shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OBSERVATORY_")}
    environment |= {"JUPYTER_CONFIG_DIR": str(tmp_path / "config"), "JUPYTER_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-m", "observatory", "lab", "--no-browser", f"--port={port}", "--allow-root"]
    command += [f"--folder={notebooks}", f"--IdentityProvider.token={TOKEN}"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=subprocess.STDOUT)
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until(
                lambda: _answers(f"{url}/api?token={TOKEN}"), HANGS_AFTER, "JupyterLab", (tmp_path / "log").read_text
            )
            yield url
        finally:
            process.terminate()
            process.wait()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=30).ok
    except requests.ConnectionError:
        return False


@pytest.fixture
def window(browser: Browser) -> Iterator[tuple[Page, Watch]]:
    context = browser.new_context(viewport={"width": 1500, "height": 1000})
    context.set_default_timeout(PATIENCE)
    page, watch = context.new_page(), Watch()
    watch.attach(page)
    yield page, watch
    context.close()


def test_explore_runs_in_jupyterlab_with_plots_and_live_views(lab: str, window: tuple[Page, Watch]) -> None:
    page, watch = window
    page.goto(f"{lab}/lab/tree/explore.ipynb?token={TOKEN}")
    notebook = page.locator(".jp-Notebook")
    expect(notebook.get_by_role("heading", name="Explore a service")).to_be_visible(timeout=PATIENCE)
    page.get_by_text(re.compile(r"\| Idle")).wait_for()  # before, nothing would run
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    last = notebook.locator(".jp-CodeCell").last
    last.scroll_into_view_if_needed()
    expect(last.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]"), timeout=PATIENCE)
    expect(notebook.locator('[data-mime-type="application/vnd.jupyter.error"]')).to_have_count(0)

    card = notebook.locator('.card[data-key="shop/checkout"]')
    card.scroll_into_view_if_needed()
    expect(card).to_be_visible(timeout=PATIENCE)
    plots = notebook.locator(".bk-Canvas")
    plots.first.scroll_into_view_if_needed()
    expect(plots.first).to_be_visible(timeout=PATIENCE)
    anomaly = notebook.locator(".anomaly").first
    anomaly.scroll_into_view_if_needed()
    expect(anomaly).to_contain_text("errors", timeout=PATIENCE)

    card.click()  # the kernel answers: the view is live
    expect(notebook.locator("h1", has_text="checkout")).to_be_visible(timeout=PATIENCE)

    expect(page.get_by_text("Jupyter news")).to_have_count(0)
    assert watch.requests
    assert watch.left_the_machine == []
