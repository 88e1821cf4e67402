"""A run is executed, exported and recorded, however it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from support.commands import Call, caller
from support.servers import wait_until

from observatory.model import Run, RunStatus
from observatory.notebooks.execute import execute
from observatory.store import open_store

HOLDER = """
import sys
from observatory.store import open_store

pytestmark = pytest.mark.slow
store = open_store("observatory-demo.duckdb")
print("open", flush=True)
sys.stdin.read()
store.close()
"""
CODE = '<span class="kn">import</span>'


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path, trial: Path) -> Call:
    """``observatory run trial.ipynb …`` in this process: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    call = caller(monkeypatch, capfd)
    return lambda *arguments, notebook="trial.ipynb": call("run", notebook, *arguments)


def recorded() -> Run:
    with open_store("observatory-demo.duckdb") as store:
        (found,) = store.runs.last()
    return found


def shown(path: Path) -> str:
    cells = nbformat.read(path, as_version=4).cells
    return "".join(o.get("text", "") or o.get("evalue", "") for c in cells if c.cell_type == "code" for o in c.outputs)


def test_a_run_leaves_a_notebook_a_report_and_a_record_while_another_process_has_the_store(
    run: Call, tmp_path: Path
) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        code, out, err = run("-p", "ids", "[4, 2]", "-p", "share", "1")
        assert (code, "trial" in err) == (0, True)
        found = recorded()
    executed, report = (Path(line) for line in out.splitlines())
    assert executed.parent.parent == tmp_path / "runs"
    assert shown(executed) == "began [4, 2] 1.0\ncame to its end\n"
    html = report.read_text()
    assert "<title>Trial of a run</title>" in html
    assert "came to its end" in html
    assert CODE not in html  # no code
    assert "<script" not in html  # nothing to fetch
    assert (found.status, found.failed_cell, found.error) == (RunStatus.DONE, None, "")
    assert found.parameters == {"ids": [4, 2], "share": 1.0}
    assert Path(found.folder) == executed.parent
    assert found.ended_at is not None
    assert found.ended_at > found.started_at


@pytest.mark.parametrize(
    ("arguments", "status", "error"),
    [
        (["-p", "how", "raise", "--code"], RunStatus.FAILED, "ValueError: no such thing"),
        (["-p", "how", "die"], RunStatus.KERNEL_DIED, "the machine may have run out of memory"),
        (["-p", "how", "wait", "--timeout", "2s"], RunStatus.TIMED_OUT, "it was given 2 s"),
    ],
    ids=["a cell that raises", "a kernel that is killed", "cells that take too long"],
)
def test_what_ends_a_run_early_is_said_and_what_was_done_is_kept(
    run: Call, tmp_path: Path, arguments: list[str], status: RunStatus, error: str
) -> None:
    code, out, err = run(*arguments, "-o", "kept")
    assert code == 1
    assert f"error: trial {status} in cell 4: {error}" in err
    assert str(tmp_path / "kept" / "trial.html") in out
    found = recorded()
    assert (found.status, found.failed_cell) == (status, 4)
    assert found.error.startswith(error)
    text = shown(tmp_path / "kept" / "trial.ipynb")
    assert text.startswith("began")
    assert error.partition(": ")[2] in text
    assert (CODE in (tmp_path / "kept" / "trial.html").read_text()) == ("--code" in arguments)


def test_scripts_that_a_library_writes_twice_are_kept_once(run: Call, tmp_path: Path) -> None:
    script = {"application/javascript": "let bokeh", "application/vnd.holoviews_load.v0+json": "let bokeh"}
    source = f"from IPython.display import display\ndisplay({script}, raw=True)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    nbformat.write(notebook, tmp_path / "twice.ipynb")
    assert run("-o", "kept", notebook="twice.ipynb")[0] == 0
    (output,) = nbformat.read(tmp_path / "kept" / "twice.ipynb", as_version=4).cells[0].outputs
    assert output.data == {"application/javascript": "let bokeh"}
    report = (tmp_path / "kept" / "twice.html").read_text()
    assert "let bokeh" not in report
    assert "A report has no scripts: open the notebook to see it." in report


def test_a_notebook_for_a_kernel_that_is_not_installed_says_so(run: Call, tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "theirs", "display_name": "Theirs"}})
    nbformat.write(notebook, tmp_path / "foreign.ipynb")
    code, _, err = run("-o", "kept", notebook="foreign.ipynb")
    assert (code, "error: foreign failed: there is no kernel 'theirs' here" in err) == (1, True)
    assert (recorded().status, "Traceback" in err) == (RunStatus.FAILED, False)


def test_a_run_talks_to_its_kernel_in_no_folder_that_others_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import os; print(os.listdir())")])
    look.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(look, tmp_path / "look.ipynb")
    place = tmp_path / "shared"
    place.mkdir()
    monkeypatch.chdir(place)
    assert execute(tmp_path / "look.ipynb", {}, tmp_path / "out.ipynb").status is RunStatus.DONE
    assert shown(tmp_path / "out.ipynb") == "[]\n"


def test_a_run_that_is_told_to_end_keeps_what_was_done(
    trial: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = [sys.executable, "-m", "observatory", "run", str(trial), "-p", "how", "wait", "-o", "kept"]
    executed = tmp_path / "kept" / "trial.ipynb"
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: executed.is_file() and "began [1]" in executed.read_text(), 60, "the first cell's output")
    process.send_signal(signal.SIGTERM)
    assert re.search(r"error: trial stopped in cell [34]: it was stopped", process.communicate()[1])
    assert process.returncode == 1
    assert recorded().status is RunStatus.STOPPED


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["-p", "haw", "raise"], "unknown parameter 'haw': did you mean how?"),
        (["-p", "share", "half"], "parameter share = 'half': float is wanted"),
        (["-p", "share"], "-p share: give the name of a parameter, and its value"),
        (["-p", "until", "{then}"], "{then} in '{then}': give {now}"),
        (["-o", "trial.ipynb/x"], "cannot be written (Not a directory): choose another with -o"),
        (["--timeout", "soon"], "--timeout = 'soon': give a length of time"),
    ],
)
def test_bad_input_is_refused_before_anything_starts(
    run: Call, tmp_path: Path, arguments: list[str], error: str
) -> None:
    code, _, err = run(*arguments)
    assert code == 2
    assert error in err
    assert sorted(os.listdir(tmp_path)) == ["trial.ipynb"]


def test_an_unknown_notebook_is_an_error(run: Call) -> None:
    code, _, err = run(notebook="backfil")
    assert code == 1
    assert "unknown notebook 'backfil': did you mean backfill?" in err
