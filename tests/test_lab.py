"""JupyterLab is started where the notebooks are, on the store of the settings, with nothing that asks elsewhere."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from observatory.cli import app
from observatory.notebooks import folder


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
