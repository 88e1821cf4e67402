"""Committed notebooks come from one clean run, top to bottom: made so with ``--write``, and checked at each commit.

``python -m observatory.notebooks.check notebooks/explore.ipynb …``
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat

from observatory.notebooks.execute import QUIET_KERNEL

LARGEST = 300_000
"""Bytes of a committed notebook at most."""
VOLATILE = "nbval-ignore-output"
PATHS = re.compile(r"(?<![\w./<])/(?:home|root|tmp|usr|work|Users|private|var)/\w|[A-Z]:\\\\Users")
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def problems(path: Path) -> list[str]:
    """What shows that the outputs at `path` are not those of one clean run of its cells; empty where nothing does."""
    notebook = nbformat.read(path, as_version=4)
    code = _code(notebook)
    found = []
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        found.append("its cells were not run once each, from top to bottom")
    if notebook.metadata.get("observatory", {}).get("sources") != sources(notebook):
        found.append("its cells were changed after the run")
    for number, cell in enumerate(code, 1):
        texts = json.dumps(list(cell.outputs))
        if any(output.output_type == "error" for output in cell.outputs):
            found.append(f"cell {number} failed")
        if any(output.get("name") == "stderr" for output in cell.outputs):
            found.append(f"cell {number} wrote to standard error")
        if _is_volatile(cell) and cell.outputs:
            found.append(f"cell {number} is tagged {VOLATILE} and keeps outputs, which differ at every run")
        if PATHS.search(texts):
            found.append(f"cell {number} shows a path of a machine")
    if path.stat().st_size >= LARGEST:
        found.append(f"it has {path.stat().st_size:,} bytes, {LARGEST:,} are too many")
    return found


def refresh(path: Path) -> None:
    """Run the notebook at `path` with its own parameters and keep the outputs that are the same at every run.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        A cell failed; the file stays as it was.
    """
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, kernel_name="python3", extra_arguments=QUIET_KERNEL).execute()
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata = {"tags": list(cell.metadata["tags"])} if "tags" in cell.metadata else {}
        if cell.cell_type == "code" and _is_volatile(cell):
            cell.outputs = []
    notebook.metadata = {
        "kernelspec": KERNEL,
        "language_info": {"name": "python"},
        "observatory": {"sources": sources(notebook)},
    }
    nbformat.write(notebook, path)


def sources(notebook: Any) -> str:
    """A digest of what the cells say; it changes with every edit."""
    text = json.dumps([[cell.cell_type, cell.source, cell.metadata.get("tags", [])] for cell in notebook.cells])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, or write, the notebooks named; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m observatory.notebooks.check", description=__doc__)
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--write", action="store_true", help="run them first, and keep their outputs")
    given = parser.parse_args(arguments)
    failed = False
    for path in given.notebooks:
        if given.write:
            refresh(path)
        for problem in problems(path):
            failed = True
            sys.stderr.write(f"{path}: {problem}\n")
    if failed:
        sys.stderr.write("run them with `python -m observatory.notebooks.check --write NOTEBOOK…`\n")
    return int(failed)


def _code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _is_volatile(cell: Any) -> bool:
    return VOLATILE in cell.metadata.get("tags", [])


if __name__ == "__main__":
    sys.exit(main())
