"""A small notebook that does as its parameters say."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

PARAMETERS = """\
how: str = "end"  # end, raise, die or wait
ids: list[int] = [1]  # Numbers
share: float = 0.5  # Between 0 and 1
until: str | None = None  # A time, or nothing
flag: bool = False  # Yes or no
plain = 3  # Without a type"""

WORK = """\
if how == "raise":
    raise ValueError("no such thing")
if how == "die":
    os._exit(9)
while how == "wait":
    time.sleep(0.1)"""


def write_trial(path: Path) -> Path:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
    parameters = nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
    cells = ["import os, time\nprint('began', ids, share)", WORK, "print('came to its end')"]
    notebook.cells = [nbformat.v4.new_markdown_cell("# Trial of a run"), parameters]
    notebook.cells += [nbformat.v4.new_code_cell(source) for source in cells]
    nbformat.write(notebook, path)
    return path


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    return write_trial(tmp_path / "trial.ipynb")
