"""A notebook and its report over a store full of hostile names and texts: whatever they say, they are text."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pytest
import requests
from playwright.sync_api import Browser, Page, expect
from support.hostile import MARKUP, NAMES
from support.hostile_browser import is_harmless, texts_of
from support.hostile_store import fill
from support.servers import HANGS_AFTER, free_port, wait_until
from ui.conftest import Watch, served
from ui.test_lab import PATIENCE, TOKEN, _answers

from observatory.store import open_store

pytestmark = [pytest.mark.ui, pytest.mark.servers]

CELLS = (
    "from observatory import Workbench\nwb = Workbench()\nname = {name!r}\nwb",
    "wb.services",
    "wb.health()",
    "wb.health(name)",
    "wb.anomalies()",
    "wb.explain(name)",
    "wb.history(name).tail(3)",
    "wb.related(name)",
    "wb.what_if(name)",
    "wb.incident(name)",
    "wb.incident(name).timeline",
    "wb.incident(name).causes",
    "wb[name]",
    'wb.show("health")',
    'wb.show("radar", radar_service=name)',
    'wb.show("runs")',
    "wb.show(name)",
    "wb.plot(name)",
    "wb.still(name)",
    "import panel as pn\npn.widgets.Select(options=list(wb.services.index))",
    "print(list(wb.services.index))",
    "from observatory.display.runs import run_table\nrun_table(wb.store.runs.last(), wb.reader.clock())",
)
"""Everything a workbench shows."""


def notebook(name: str) -> nbformat.NotebookNode:
    cells = [nbformat.v4.new_code_cell(cell.format(name=name)) for cell in CELLS]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OBSERVATORY_")}
    jupyter = {"JUPYTER_CONFIG_DIR": str(folder / "config"), "JUPYTER_DATA_DIR": str(folder / "data")}
    settings = {"STORE": folder / "shop.duckdb", "RUNS": folder / "runs", "INTERVAL": 300}
    return kept | jupyter | {f"OBSERVATORY_{name}": str(value) for name, value in settings.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store, and notebooks that look at it."""
    folder = tmp_path_factory.mktemp("hostile")
    with open_store(str(folder / "shop.duckdb")) as store:
        fill(store, datetime.now(UTC), folder)
    (folder / "notebooks").mkdir()
    nbformat.write(notebook(NAMES[0]), folder / "notebooks" / "look.ipynb")
    return folder


@pytest.fixture(scope="module")
def lab(folder: Path) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "observatory", "lab", "--no-browser", f"--port={port}", "--allow-root"]
    command += [f"--folder={folder / 'notebooks'}", f"--IdentityProvider.token={TOKEN}"]
    with (folder / "lab.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment(folder), stdout=log, stderr=subprocess.STDOUT)
        url = f"http://127.0.0.1:{port}"
        try:
            said = (folder / "lab.log").read_text
            wait_until(lambda: _answers(f"{url}/api?token={TOKEN}"), HANGS_AFTER, "JupyterLab", said)
            yield url
        finally:
            process.terminate()
            process.wait()


def test_everything_a_workbench_shows_in_jupyterlab_is_text(lab: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1500, "height": 1000})
    context.set_default_timeout(PATIENCE)
    page, watch = context.new_page(), Watch()
    watch.attach(page)
    page.goto(f"{lab}/lab/tree/look.ipynb?token={TOKEN}")
    page.get_by_text(re.compile(r"\| Idle")).wait_for()  # before, it would ask which kernel to take
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    for place, cell in enumerate(CELLS):
        shown = page.locator(f'.jp-Notebook [data-windowed-list-index="{place}"]')
        shown.scroll_into_view_if_needed()
        expect(shown.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]"), timeout=PATIENCE)
        shown.scroll_into_view_if_needed()
        assert shown.locator('[data-mime-type="application/vnd.jupyter.error"]').count() == 0, cell
        if "show(" in cell or "plot(" in cell:
            drawn = shown.locator(".card, .anomaly, tr.run, .bk-Canvas, .names h1").first
            expect(drawn).to_be_visible(timeout=PATIENCE)
        harmless_in_lab(page)
    shells = requests.get(f"{lab}/api/terminals", params={"token": TOKEN}, timeout=30).json()
    context.close()
    assert shells == []
    assert watch.left_the_machine == []
    assert [said for said in watch.complaints if said.startswith("dialog")] == []


def harmless_in_lab(page: Page) -> None:
    is_harmless(page, allowed='target="_blank"')  # JupyterLab makes links of addresses in plain text


@pytest.fixture(scope="module")
def report(folder: Path) -> Path:
    """The report of the same notebook, as a run writes it."""
    command = [sys.executable, "-m", "observatory", "run", str(folder / "notebooks" / "look.ipynb")]
    done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.splitlines()[-1])


def test_the_report_of_all_that_is_text_where_it_is_opened_as_a_file(page: Page, report: Path) -> None:
    page.goto(report.as_uri())
    is_harmless(page)
    assert [name for name in NAMES if name not in texts_of(page)] == []
    assert page.locator("script").count() == 0
    assert page.locator("img").count() >= 3  # stills of the plots and of the service


def test_the_report_of_all_that_is_text_where_a_server_hands_it_out(page: Page, report: Path, folder: Path) -> None:
    with served(folder, ["observatory", "serve"], WORKER="false", RUNS=folder / "runs", INTERVAL=300) as url:
        page.goto(f"{url}/api/runs/{report.parent.name}/report")
        is_harmless(page)
        assert [name for name in MARKUP if name not in texts_of(page)] == []
