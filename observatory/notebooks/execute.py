"""Executing a notebook with papermill: what happened is an outcome, whatever it was, and what was done is kept."""

from __future__ import annotations

import importlib
import logging
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from observatory.config.environment import environment_with, for_a_report
from observatory.errors import InvalidInputError
from observatory.logs import quiet
from observatory.model import Progress, RunStatus, no_progress
from observatory.notebooks.catalog import quicken
from observatory.notebooks.secrets import Elsewhere, Handover

START_SECONDS = 60
"""Longest wait for a kernel to answer [s]."""
QUIET_KERNEL = ["--Application.log_level=50"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an execution ended. `cell` counts cells of code from 1, as in ``In [1]``; `traceback` may be coloured."""

    status: RunStatus
    cell: int | None = None
    error: str = ""
    traceback: str = ""


def execute(
    notebook: Path,
    parameters: Mapping[str, Any],
    output: Path,
    *,
    timeout: float | None = None,
    progress: Progress = no_progress,
) -> Outcome:
    """Execute `notebook` and write what came of it to `output`, also when it ends early.

    Parameters
    ----------
    notebook, output
        Files; the kernel works in the present folder.
    parameters
        Checked values, see `observatory.notebooks.parameters.check`.
    timeout
        Longest time all cells may take together [s].
    progress
        Told of each cell that begins.

    Raises
    ------
    InvalidInputError
        There is a secret among the parameters, and the notebook is not written in Python.
    """
    quicken()
    import nbformat
    import papermill
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    # What the report needs is imported while the kernel starts: that spares half a second.
    threading.Thread(target=importlib.import_module, args=["nbconvert"], daemon=True).start()
    read = nbformat.read(notebook, as_version=4)
    language = read.metadata.get("language_info", {}).get("name", "python")
    handed = Handover.of(parameters)
    if handed.hidden:
        if language != "python":
            raise InvalidInputError(f"{notebook.stem} is written in {language}: only Python can be given secrets")
        _teach_papermill()
    cells = len(read.cells) + bool(parameters)  # papermill adds one
    watch = _Watch(notebook.stem, cells, timeout, progress)
    try:
        # The outcome has what papermill would say.
        with (
            quiet("papermill", logging.CRITICAL),
            _transport() as config,
            environment_with(handed.hidden),
            for_a_report(),
        ):
            papermill.execute_notebook(
                str(notebook),
                str(output),
                handed.shown,
                kernel_name=read.metadata.get("kernelspec", {}).get("name", "python3"),
                language=language,
                progress_bar=False,
                start_timeout=START_SECONDS,
                timeout_func=watch.left,
                on_cell_start=watch.cell_starts,
                extra_arguments=QUIET_KERNEL,
                config=config,
            )
    except PapermillExecutionError as error:
        told = f"{error.ename}: {error.evalue}"
        return Outcome(RunStatus.FAILED, watch.cell, told, "\n".join(error.traceback))
    except CellTimeoutError:
        return _cut_short(output, RunStatus.TIMED_OUT, watch, f"it was given {timeout:g} s, and needed longer")
    except DeadKernelError:
        told = "the machine may have run out of memory, or somebody ended its process"
        return _cut_short(output, RunStatus.KERNEL_DIED, watch, told)
    except NoSuchKernel as error:
        told = f"there is no kernel {error.name!r} here: `jupyter kernelspec list` shows those there are"
        return Outcome(RunStatus.FAILED, error=told)
    except RuntimeError as error:
        if "ernel" not in str(error):
            raise
        return _cut_short(output, RunStatus.KERNEL_DIED, watch, f"its kernel did not start: {error}")
    except KeyboardInterrupt:
        return _cut_short(output, RunStatus.STOPPED, watch, "it was stopped")
    progress(watch.total, watch.total, watch.what)
    return Outcome(RunStatus.DONE)


def _teach_papermill() -> None:
    """Have papermill write how a value is read that is not to be written down."""
    from papermill.translators import PythonTranslator, papermill_translators

    class Translator(PythonTranslator):  # type: ignore[misc]
        """Python's."""

        @classmethod
        def translate(cls, val: Any) -> str:
            """See `PythonTranslator`."""
            return val.code if isinstance(val, Elsewhere) else str(super().translate(val))

    papermill_translators.register("python", Translator)


class _Watch:
    """Follows the cells of an execution, and knows how much time is left."""

    def __init__(self, name: str, total: int, timeout: float | None, progress: Progress) -> None:
        self.what = f"running {name}"
        self.cell: int | None = None
        self.total = total
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._progress = progress

    def cell_starts(self, cell: Any, cell_index: int) -> None:
        if cell.cell_type == "code":
            self.cell = (self.cell or 0) + 1
        self._progress(cell_index, self.total, self.what)

    def left(self, cell: Any) -> float | None:
        """Seconds; None is as long as it takes."""
        return None if self._deadline is None else max(0.1, self._deadline - time.monotonic())


@contextmanager
def _transport() -> Iterator[Any]:
    """Kernels are spoken to through files of this user where there are such, not through ports of the machine.

    They lie in a folder of this run: left to themselves all are ``kernel-ipc-1`` and so on in the present folder, and
    two runs that begin there together speak to one kernel.
    """
    from traitlets.config import Config

    with tempfile.TemporaryDirectory(prefix="kernel-") as folder:
        yield Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/ipc"}} if os.name == "posix" else {})


def _cut_short(output: Path, status: RunStatus, watch: _Watch, error: str) -> Outcome:
    """Say in the notebook itself why it ends where it does."""
    import nbformat

    if output.is_file():
        notebook = nbformat.read(output, as_version=4)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        if code:
            where = code[min(watch.cell or 1, len(code)) - 1]
            told = f"{status}: {error}"
            where.outputs.append(nbformat.v4.new_output("error", ename=str(status), evalue=error, traceback=[told]))
            nbformat.write(notebook, output)
    return Outcome(status, watch.cell, error)
