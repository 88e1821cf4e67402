"""Notebooks are programs: they say what they take, run with other parameters, and fail loudly."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
import yaml
from papermill.exceptions import PapermillExecutionError
from support.labelled import table, write
from support.shop import shop

import observatory
from observatory.notebooks.check import main, problems
from observatory.notebooks.parameters import parameters_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
STORE = "{store}"  # stands for a store that has samples until noon of the first of March

LABELLED = "{labelled}"  # stands for a folder of labelled files

RUNS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("collect", {"seed": 3}, ["12 samples of 12 services with 9 queries"]),
    ("collect", {"at": "2026-03-02T03:00:00Z"}, ["12 samples of 12 services"]),
    ("backfill", {"days": 0.125, "step": "5m"}, ["444 samples of 12 services in 1 chunks"]),
    ("backfill", {"start": "2026-02-27T00:00:00Z", "end": "2026-02-28T00:00:00Z", "seed": 1}, ["in 2 chunks"]),
    ("explore", {"service": "shop/cart", "window": "6h", "days": 0.5}, ["12 healthy", "correlation", "sensitivity"]),
    (
        "explore",
        {"store": STORE, "end": "2026-06-01T00:00:00Z"},
        ["12 unknown", "no samples of shop/checkout to compare with others"],
    ),
    ("incident_report", {"service": "shop/inventory", "days": 1.0}, ["An incident of severity", "shop/inventory"]),
    ("incident_report", {"store": STORE, "end": "2026-06-01T00:00:00Z"}, ["There are no samples of shop/checkout"]),
    ("evaluate", {"detectors": ["seasonal"], "days": 2.2, "seed": 2}, ["12 series"]),
    ("evaluate", {"detectors": ["seasonal"], "data": LABELLED, "sets": ["mine"]}, ["1 series, 20 anomalous rows"]),
]


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with an hour of the shop."""
    path = str(tmp_path_factory.mktemp("store") / "shop.duckdb")
    runtime = shop(store=path, demo_days=0.05)
    runtime.prepare()
    runtime.close()
    return path


def run(name: str, parameters: dict[str, Any], folder: Path) -> str:
    """Execute a notebook as the README says, and return all that it printed and showed; nothing is fetched for it."""
    executed = papermill.execute_notebook(
        str(FOLDER / f"{name}.ipynb"), str(folder / "out.ipynb"), parameters, progress_bar=False, cwd=str(folder)
    )
    assert not re.search(r"cdn\.(bokeh\.org|holoviz\.org)", nbformat.writes(executed))
    return shown(executed)


def shown(notebook: Any) -> str:
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
    return "\n".join("".join(text) for text in texts)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_parameters_have_a_type_and_a_help_text_that_papermill_prints(name: str) -> None:
    parameters = papermill.inspect_notebook(str(FOLDER / f"{name}.ipynb"))
    assert parameters.keys() == parameters_of(FOLDER / f"{name}.ipynb").keys() != set()
    assert all(p["help"] and p["inferred_type_name"] != "None" for p in parameters.values())


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_they_open_with_title_question_and_a_link_to_the_next(name: str) -> None:
    first = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4).cells[0].source
    title, _, text = first.partition("\n\n")
    assert title.startswith("# ")
    assert text.startswith("**")
    assert text.partition("**")[2].partition("**")[0].endswith("?")
    (following,) = (part.partition(")")[0] for part in text.partition("Next: ")[2].split("](")[1:2])
    assert (FOLDER / following).is_file()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_committed_outputs_come_from_one_clean_run(name: str) -> None:
    assert problems(FOLDER / f"{name}.ipynb") == []


@pytest.mark.parametrize(
    ("name", "parameters", "expected"), RUNS, ids=lambda value: value if value in NOTEBOOKS else ""
)
def test_notebooks_run_with_other_parameters(
    tmp_path: Path, store: str, name: str, parameters: dict[str, Any], expected: list[str]
) -> None:
    write(table(), tmp_path / "labelled" / "mine" / "one.csv")
    places = {STORE: store, LABELLED: str(tmp_path / "labelled")}
    told = {key: places.get(value, value) if isinstance(value, str) else value for key, value in parameters.items()}
    text = run(name, told, tmp_path)
    assert [part for part in expected if part not in text] == []


def test_every_notebook_is_run_with_two_sets_of_parameters() -> None:
    assert all(sum(name == ran for ran, _, _ in RUNS) == 2 for name in NOTEBOOKS)


def test_a_wrong_value_ends_with_the_error_of_its_cell(tmp_path: Path) -> None:
    with pytest.raises(PapermillExecutionError, match=r"(at|end) = 'yesterday'"):
        run("collect", {"at": "yesterday"}, tmp_path)


@pytest.mark.servers
@pytest.mark.parametrize("name", ["collect", "backfill"])
def test_they_work_on_a_real_prometheus(
    tmp_path: Path, prometheus_of_three: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("OBSERVATORY_INTERVAL", "5")  # a minute ago this server may not have been there
    moment = {"at": "now"} if name == "collect" else {"start": "-1m", "end": "now", "step": "5s"}
    address = prometheus_of_three.client.url
    text = run(name, {"prometheus_url": address, "store": str(tmp_path / "real.duckdb"), **moment}, tmp_path)
    assert "of 3 services" in text
    assert "alertmanager" in text


def test_a_number_that_changes_in_the_package_fails_the_comparison(tmp_path: Path) -> None:
    package = shutil.copytree(Path(observatory.__file__).parent, tmp_path / "observatory")
    units = package / "units.py"
    changed = units.read_text().replace("value * 1000", "value * 1001")
    assert changed != units.read_text()
    units.write_text(changed)
    shutil.copy(FOLDER / "collect.ipynb", tmp_path)
    command = [sys.executable, "-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", "collect.ipynb"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "JUPYTER_PLATFORM_DIRS": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "1 failed" in done.stdout
    assert "Cell outputs differ" in done.stdout


SPOILS = {
    "changed after the run": lambda cells: cells[-1].update(source="print(1)"),
    "once each, from top to bottom": lambda cells: cells[2].update(execution_count=9),
    "cell 2 wrote to standard error": lambda cells: cells[1].outputs.append(
        nbformat.v4.new_output("stream", name="stderr", text="a warning")
    ),
    "cell 2 failed": lambda cells: cells[1].outputs.append(nbformat.v4.new_output("error", ename="E", evalue="")),
    "cell 2 shows a path": lambda cells: cells[1].outputs.append(
        nbformat.v4.new_output("stream", name="stdout", text="see /home/me/x")
    ),
    "too many": lambda cells: cells[1].outputs.append(nbformat.v4.new_output("stream", text="x" * 300_000)),
}


@pytest.mark.parametrize("complaint", SPOILS)
def test_the_check_at_each_commit_finds_outputs_that_are_not_of_a_clean_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], complaint: str
) -> None:
    notebook = nbformat.read(FOLDER / "collect.ipynb", as_version=4)
    SPOILS[complaint]([cell for cell in notebook.cells if cell.cell_type == "code"])
    nbformat.write(notebook, tmp_path / "collect.ipynb")
    assert main([str(FOLDER / "collect.ipynb"), str(tmp_path / "collect.ipynb")]) == 1
    complaints = capsys.readouterr().err.splitlines()
    assert len(complaints) == 2
    assert complaint in complaints[0]


def test_pre_commit_runs_the_check_on_every_notebook() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    (hook,) = [hook for hook in repository["hooks"] if hook["id"] == "notebooks"]
    assert repository["repo"] == "local"
    assert hook["entry"].endswith("python -m observatory.notebooks.check")
    assert hook["files"] == r"^notebooks/.*\.ipynb$"
