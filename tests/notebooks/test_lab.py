"""JupyterLab is started where the notebooks are, on the store of the settings, with nothing that asks elsewhere."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from observatory.cli import app
from observatory.errors import InvalidInputError
from observatory.notebooks import catalog as notebooks
from observatory.notebooks.catalog import INSTALLED, folder

pytestmark = pytest.mark.slow


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    calls: list[Any] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "execve", lambda *given: calls.append(given))
    return calls


def test_lab_finds_the_same_store_and_settings_from_its_folder(started: list[Any], tmp_path: Path) -> None:
    Path("observatory.toml").write_text('runs = "reports"')
    CliRunner().invoke(app, ["lab", "--no-browser", "--port=9999"], catch_exceptions=False)
    ((_, arguments, environment),) = started
    assert f"--ServerApp.root_dir={folder()}" in arguments
    assert arguments[-2:] == ["--no-browser", "--port=9999"]
    assert environment["OBSERVATORY_STORE"] == str(tmp_path / "observatory-demo.duckdb")
    assert environment["OBSERVATORY_CONFIG"] == str(tmp_path / "observatory.toml")
    assert environment["OBSERVATORY_RUNS"] == str(tmp_path / "reports")


@pytest.mark.parametrize("store", ["quack://127.0.0.1:9494", "ducklake:postgres:dbname=x", ":memory:"])
def test_a_store_that_is_no_file_stays_as_it_is(
    started: list[Any], monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    monkeypatch.setenv("OBSERVATORY_STORE", store)
    CliRunner().invoke(app, ["lab", "--folder", "mine"], catch_exceptions=False)
    assert started[0][2]["OBSERVATORY_STORE"] == store
    assert f"--ServerApp.root_dir={Path('mine').absolute()}" in started[0][1]


def test_notebooks_that_were_installed_are_edited_as_copies_and_those_of_the_user_stay(
    started: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed = Path(shutil.copytree(folder(), tmp_path / "site-packages" / INSTALLED))
    monkeypatch.setattr(notebooks, "folder", lambda: installed)
    Path("notebooks").mkdir()
    Path("notebooks/explore.ipynb").write_text("mine")
    said = CliRunner().invoke(app, ["lab"], catch_exceptions=False).stderr
    assert said == f"copied to {tmp_path / 'notebooks'}: backfill, collect, evaluate, incident_report\n"
    assert f"--ServerApp.root_dir={tmp_path / 'notebooks'}" in started[0][1]
    assert Path("notebooks/explore.ipynb").read_text() == "mine"
    assert Path("notebooks/collect.ipynb").read_bytes() == (installed / "collect.ipynb").read_bytes()
    assert CliRunner().invoke(app, ["lab"], catch_exceptions=False).stderr == ""


def test_lab_says_where_it_cannot_put_the_notebooks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(notebooks, "folder", lambda: tmp_path / INSTALLED)
    (tmp_path / "notebooks").write_text("a file")
    with pytest.raises(InvalidInputError, match=r"notebooks cannot be written .*name one with --folder"):
        notebooks.to_edit(tmp_path / "notebooks")


def test_lab_asks_no_other_machine_for_news_or_extensions(started: list[Any]) -> None:
    CliRunner().invoke(app, ["lab"], catch_exceptions=False)
    assert {"--LabApp.news_url=None", "--LabApp.extension_manager=readonly"} <= set(started[0][1])
    assert "--ServerApp.ip=127.0.0.1" in started[0][1]


def test_lab_keeps_the_configuration_of_others(started: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "theirs")
    CliRunner().invoke(app, ["lab"], catch_exceptions=False)
    theirs, ours = started[0][2]["JUPYTER_CONFIG_PATH"].split(os.pathsep)
    assert theirs == "theirs"
    overrides = json.loads((Path(ours) / "labconfig" / "default_setting_overrides.json").read_text())
    assert overrides["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
