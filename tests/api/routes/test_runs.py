"""Reports of runs are handed out from the folder of runs only, and kept apart from this server."""

from __future__ import annotations

from pathlib import Path

import pytest
from api.conftest import NOW
from flask.testing import FlaskClient
from support.api import problem

from observatory.api.app import create_app
from observatory.config import Settings
from observatory.model import Run, RunStatus
from observatory.runtime import Runtime


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "runs" / "a").mkdir(parents=True)
    (tmp_path / "runs" / "a" / "collect.html").write_text("<h1>Collect</h1>")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "collect.html").write_text("secret")
    return tmp_path


def client(folder: Path, **runs: Path) -> FlaskClient:
    """A client of a server that keeps runs in ``runs``, with these recorded."""
    runtime = Runtime(Settings(store=":memory:", worker=False, runs=folder / "runs"), clock=lambda: NOW)
    for name, path in runs.items():
        run = Run(name, "collect", started_at=NOW, seen_at=NOW, status=RunStatus.DONE, folder=str(path), process="me:1")
        runtime.store.runs.begin(run)
    return create_app(runtime).test_client()


def test_a_report_has_no_scripts_and_speaks_to_nobody(folder: Path) -> None:
    response = client(folder, a=folder / "runs" / "a").get("/api/runs/a/report")
    assert (response.status_code, response.text) == (200, "<h1>Collect</h1>")
    assert response.content_type == "text/html; charset=utf-8"
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert policy.endswith("; sandbox")  # no scripts, and an origin of its own without this one's cookies
    assert not {"script-src", "connect-src"} & {part.split()[0] for part in policy.split("; ")}  # the default holds
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_what_lies_elsewhere_is_not_handed_out(folder: Path) -> None:
    (folder / "runs" / "link").symlink_to(folder / "elsewhere")
    outside = folder / "runs" / ".." / "elsewhere"
    reader = client(folder, b=folder / "elsewhere", c=outside, d=folder / "runs" / "link", e=folder / "runs" / "none")
    for run in "bcdef":
        assert f"no report of a run '{run}'" in problem(reader.get(f"/api/runs/{run}/report"), 404)["detail"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["../a", "..%2f..%2felsewhere", "a/../a", "%00", "a" * 5000])
def test_a_name_that_is_no_run_is_a_404(folder: Path, name: str) -> None:
    problem(client(folder, a=folder / "runs" / "a").get(f"/api/runs/{name}/report"), 404)
