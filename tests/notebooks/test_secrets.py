"""A notebook is given secrets, and nothing that is kept or shown of its run has them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from support.servers import HANGS_AFTER, wait_until

from observatory.cli.arguments import shown_arguments
from observatory.logs import HIDDEN
from observatory.notebooks.secrets import masked
from observatory.store import open_store
from observatory.views.runs import _run

PASSWORD = "hunter2-of-the-source"
URL = f"http://me:{PASSWORD}@prometheus:9090"
SECRETS = {
    "prometheus_url": URL,
    "api_key": "geheim-geheim",
    "header": "Bearer canary-canary",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl",
    "key": "obs_0123456789ab_" + "x" * 43,
    "targets": ["a", URL],
    "nested": {"url": URL, "password": "geheim"},
}


def write(path: Path, wait: bool = False) -> Path:
    """A notebook that tells a file what it was given, prints it, and fails with it."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
    cells = [
        'prometheus_url: str = ""\napi_key: str = ""\nhours: int = 1',
        "import os, pathlib, time\npathlib.Path('given').write_text(f'{prometheus_url} {api_key} {hours}')",
        "print(prometheus_url, os.environ)",
        "while not pathlib.Path('go').exists():\n    time.sleep(0.05)" if wait else "",
        "raise ValueError(f'cannot reach {prometheus_url}')",
    ]
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in cells]
    notebook.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, path)
    return path


def shown_by_ps() -> str:
    return subprocess.run(["ps", "-eo", "args", "-ww"], capture_output=True, text=True, check=True).stdout


@pytest.mark.servers
def test_a_run_has_its_secrets_and_nothing_that_is_kept_of_it_has_them(tmp_path: Path) -> None:
    write(tmp_path / "trial.ipynb", wait=True)
    given = ["-p", f"prometheus_url={URL}", "-p", "api_key", SECRETS["api_key"], "-p", "hours=3"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OBSERVATORY_")}
    environment["OBSERVATORY_STORE"] = str(tmp_path / "x.duckdb")
    command = [sys.executable, "-m", "observatory", "run", "trial.ipynb", *map(str, given)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_until((tmp_path / "given").exists, HANGS_AFTER, "the notebook", (tmp_path / "log").read_text)
            listed = shown_by_ps()
            assert "prometheus_url=http://***@prometheus:9090" in listed
            assert PASSWORD not in listed
            assert str(SECRETS["api_key"]) not in listed
        finally:
            (tmp_path / "go").touch()
            process.wait(HANGS_AFTER)
    assert process.returncode == 1
    assert (tmp_path / "given").read_text() == f"{URL} {SECRETS['api_key']} 3"
    with open_store(environment["OBSERVATORY_STORE"]) as store:
        (run,) = store.runs.last()
        assert run.parameters == {"prometheus_url": "http://***@prometheus:9090", "api_key": HIDDEN, "hours": 3}
        assert run.error == "ValueError: cannot reach http://***@prometheus:9090"
        page = str(_run(run, run.started_at, served=True))
    kept = [path for path in (tmp_path / "runs").rglob("*") if path.is_file()]
    assert {path.suffix for path in kept} == {".ipynb", ".html"}
    for text in (page, (tmp_path / "log").read_text(), *(path.read_text() for path in kept)):
        assert PASSWORD not in text
        assert str(SECRETS["api_key"]) not in text


@pytest.mark.parametrize("name", SECRETS)
def test_every_kind_of_secret_is_hidden_wherever_it_is_told(name: str) -> None:
    value = SECRETS[name]
    told = [str(masked({name: value}))]
    if isinstance(value, str):
        told += shown_arguments(["run", "-p", f"{name}={value}", f"--{name.replace('_', '-')}", value])
    for text in told:
        assert HIDDEN in text or text in ("run", "-p", f"--{name.replace('_', '-')}")
        for secret in (PASSWORD, "geheim", "canary", "eyJzdWIi", "x" * 43):
            assert secret not in text


def test_what_is_no_secret_stays() -> None:
    plain = {"url": "http://prometheus:9090", "hours": 3, "service": "shop/token-ring", "api_key": "", "until": None}
    assert masked(plain) == plain
    words = ["run", "backfill", "-p", "start=2026-01-01", "--output", "runs/a=b", "http://prometheus:9090/?a=b"]
    assert shown_arguments(words) == words
