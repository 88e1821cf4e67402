"""Notebooks are programs: they say what they take, run with other parameters, and fail loudly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from evaluation.labelled import table, write
from papermill.exceptions import PapermillExecutionError

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(path.stem for path in FOLDER.glob("*.ipynb"))

LABELLED = "{folder}/labelled"
"""Where the test lays labelled files."""

RUNS: list[tuple[str, dict[str, Any], str]] = [
    ("collect", {"seed": 3}, "12 samples of 12 services with 9 queries"),
    ("collect", {"at": "2026-03-02T03:00:00Z"}, "12 samples of 12 services"),
    ("backfill", {"start": "-3h", "step": "5m"}, "444 samples of 12 services in 1 chunks"),
    ("backfill", {"start": "2026-02-27T00:00:00Z", "end": "2026-02-28T00:00:00Z", "seed": 1}, "in 2 chunks"),
    ("explore", {"service": "shop/cart", "hours": 6.0, "days": 1.0}, "shop/cart"),
    ("explore", {"service": "shop/search", "seed": 3, "days": 1.0}, "shop/search"),
    ("evaluate", {"detectors": ["seasonal"], "days": 2.2, "seed": 2}, "12 series"),
    ("evaluate", {"detectors": ["seasonal"], "data": LABELLED, "sets": ["mine"]}, "1 series, 20 anomalous rows"),
]


def run(name: str, parameters: dict[str, Any], folder: Path) -> str:
    """Execute a notebook as the README says, and return all that it printed and showed."""
    executed = papermill.execute_notebook(
        str(FOLDER / f"{name}.ipynb"), str(folder / "out.ipynb"), parameters, progress_bar=False, cwd=str(folder)
    )
    return shown(executed)


def shown(notebook: Any) -> str:
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
    return "\n".join("".join(text) for text in texts)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_parameters_have_a_type_and_a_help_text(name: str) -> None:
    parameters = papermill.inspect_notebook(str(FOLDER / f"{name}.ipynb"))
    assert parameters
    assert all(p["help"] and p["inferred_type_name"] != "None" for p in parameters.values())


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_committed_outputs_come_from_one_clean_run(name: str) -> None:
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [o for cell in code for o in cell.outputs if o.output_type == "error" or o.get("name") == "stderr"]
    assert notebook.cells[0].source.startswith("# ")
    assert (FOLDER / f"{name}.ipynb").stat().st_size < 300_000


@pytest.mark.parametrize(("name", "parameters", "expected"), RUNS)
def test_notebooks_run_with_other_parameters(
    tmp_path: Path, name: str, parameters: dict[str, Any], expected: str
) -> None:
    if parameters.get("data") == LABELLED:
        write(table(), tmp_path / "labelled" / "mine" / "one.csv")
        parameters = parameters | {"data": LABELLED.format(folder=tmp_path)}
    assert expected in run(name, parameters, tmp_path)


def test_every_notebook_is_run_with_two_sets_of_parameters() -> None:
    assert all(sum(name == ran for ran, _, _ in RUNS) == 2 for name in NOTEBOOKS)


def test_a_wrong_value_ends_with_the_error_of_its_cell(tmp_path: Path) -> None:
    with pytest.raises(PapermillExecutionError, match=r"(at|end) = 'yesterday'"):
        run("collect", {"at": "yesterday"}, tmp_path)


@pytest.mark.servers
@pytest.mark.parametrize("name", ["collect", "backfill"])
def test_they_work_on_a_real_prometheus(tmp_path: Path, prometheus_of_three: Any, name: str) -> None:
    moment = {"at": "now"} if name == "collect" else {"start": "-1m", "end": "now", "step": "5s"}
    store = str(tmp_path / "real.duckdb")
    address = prometheus_of_three.client.url
    text = run(name, {"prometheus_url": address, "store": store, **moment}, tmp_path)
    assert "of 3 services" in text
    assert "alertmanager" in text
