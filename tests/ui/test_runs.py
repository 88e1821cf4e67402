"""The Runs view lists what was run, and opens a report that is kept apart from the server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from ui.conftest import served

from observatory.model import Run, RunStatus
from observatory.store import open_store

pytestmark = pytest.mark.ui

REPORT = """\
<title>kept out</title>
<h1>Incident report</h1>
<script>document.title = "let in"; location = "/api/services?all"</script>
<img src="/api/services"><img src=x onerror="document.title = 'let in'">
<iframe src="/api/services"></iframe>
<meta http-equiv="refresh" content="0;url=/api/services">
"""
"""Of a version whose reports had scripts, or written by somebody else."""


def a_run(folder: Path) -> Run:
    """A run with a report that would like to speak to the server, or to lead itself there."""
    now = datetime.now(UTC)
    folder.mkdir(parents=True)
    (folder / "incident_report.html").write_text(REPORT)
    return Run(
        id="reported",
        notebook="incident_report",
        started_at=now - timedelta(minutes=3),
        seen_at=now,
        ended_at=now,
        status=RunStatus.DONE,
        folder=str(folder),
        process="me:1",
        parameters={"window": "6h"},
    )


def test_a_report_opens_from_the_list_of_runs_and_cannot_speak_to_the_server(page: Page, tmp_path: Path) -> None:
    with open_store(str(tmp_path / "shop.duckdb")) as store:
        store.runs.begin(a_run(tmp_path / "runs" / "reported"))
    with served(tmp_path, ["observatory", "serve"], WORKER="false", DEMO_DAYS="0.05", RUNS=tmp_path / "runs") as url:
        page.goto(f"{url}/observatory?view=runs")
        row = page.locator("tr.run")
        expect(row).to_contain_text("window = 6h")
        expect(row.locator(".status")).to_have_text("done")
        with page.context.expect_page() as opened:
            row.get_by_role("link", name="Open report").click()
        report = opened.value
        expect(report.get_by_role("heading", name="Incident report")).to_be_visible()
        expect(report).to_have_title("kept out")
        assert report.url == f"{url}/api/runs/reported/report"
