"""A run: a notebook executed into a folder of its own, with a report, and recorded in the store."""

from __future__ import annotations

import logging
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from observatory.config.location import OF_SETTINGS
from observatory.errors import InvalidInputError, ObservatoryError
from observatory.model import Progress, Run, RunStatus, no_progress
from observatory.notebooks.catalog import find
from observatory.notebooks.execute import Outcome, execute
from observatory.notebooks.parameters import check, parameters_of
from observatory.notebooks.report import drop_copies, write_report
from observatory.notebooks.secrets import hide, masked, secrets_in
from observatory.private import FOLDER, make_new_files_private
from observatory.process import this_process
from observatory.store import Store

log = logging.getLogger(__name__)

HEARTBEAT = 10.0
"""Time between two signs of life of a run [s]."""


@dataclass(frozen=True, slots=True)
class Task:
    """A notebook with checked parameters, ready to be run."""

    notebook: Path
    parameters: Mapping[str, Any]

    @classmethod
    def of(cls, name: str, given: Mapping[str, Any]) -> Self:
        """The notebook called `name` with the parameters `given`; a notebook's `store` is that of the settings.

        Raises
        ------
        NotFoundError, InvalidInputError
            There is no such notebook; it does not take these parameters.
        """
        path = find(name)
        known = parameters_of(path)
        chosen = ({"store": OF_SETTINGS} if "store" in known else {}) | dict(given)
        return cls(path, check(path.stem, known, chosen))

    def run(self, runs: Path, now: datetime, *, folder: Path | None = None, **of_job: Any) -> Run:
        """A run that starts now, in a new folder under `runs` unless another `folder` is given."""
        run_id = f"{now:%Y%m%dT%H%M%SZ}-{re.sub(r'[^A-Za-z0-9_-]+', '-', self.notebook.stem)}-{secrets.token_hex(3)}"
        return Run(
            id=run_id,
            notebook=self.notebook.stem,
            started_at=now,
            seen_at=now,
            status=RunStatus.RUNNING,
            folder=str((folder or runs / run_id).absolute()),
            process=this_process(),
            parameters=masked(self.parameters),
            **of_job,
        )


def files_of(run: Run) -> tuple[Path, Path]:
    """The executed notebook and the report of a run."""
    folder = Path(run.folder)
    return folder / f"{run.notebook}.ipynb", folder / f"{run.notebook}.html"


def make_folder(path: Path) -> None:
    """Make a run's folder, and see that it can be written.

    Raises
    ------
    InvalidInputError
        It cannot.
    """
    try:
        make_new_files_private()
        path.mkdir(mode=FOLDER, parents=True, exist_ok=True)
        probe = path / f".{secrets.token_hex(4)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InvalidInputError(
            f"output folder {path} cannot be written ({error.strerror}): "
            "choose another with -o, or with OBSERVATORY_RUNS"
        ) from None


def carry_out(
    run: Run,
    notebook: Path,
    store: Store,
    clock: Callable[[], datetime],
    *,
    parameters: Mapping[str, Any] | None = None,
    timeout: float | None = None,
    code: bool = False,
    progress: Progress = no_progress,
) -> tuple[Run, Outcome]:
    """Execute a run that was begun in `store`, write its report, and record how it ended.

    `parameters` are those of the run, with the secrets that its record does not have.
    """
    executed, report = files_of(run)
    given = run.parameters if parameters is None else parameters
    secrets = secrets_in(given)
    try:
        make_folder(executed.parent)
        with heartbeat(run, store, clock):
            outcome = execute(notebook, given, executed, timeout=timeout, progress=progress)
    except ObservatoryError as error:
        outcome = Outcome(RunStatus.FAILED, error=str(error))
    except BaseException as error:  # whatever it is, the record must not say that the run goes on
        outcome = Outcome(RunStatus.FAILED, error=hide(f"{type(error).__name__}: {error}", secrets))
        store.runs.update(_ended(run, outcome, clock()))
        raise
    outcome = replace(outcome, error=hide(outcome.error, secrets), traceback=hide(outcome.traceback, secrets))
    failure = _export(executed, report, secrets, code=code)
    if failure and not outcome.error:
        outcome = replace(outcome, error=failure)
    ended = _ended(run, outcome, clock())
    store.runs.update(ended)
    return ended, outcome


@contextmanager
def heartbeat(run: Run, store: Store, clock: Callable[[], datetime]) -> Iterator[None]:
    """Show that a run is alive while the block runs, so that others neither start it again nor give it up."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(HEARTBEAT):
            try:
                store.runs.seen(run.id, clock())
            except ObservatoryError as error:
                log.warning("run %s could not show that it is alive: %s", run.id, error)

    thread = threading.Thread(target=beat, name="observatory-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _ended(run: Run, outcome: Outcome, now: datetime) -> Run:
    return replace(run, seen_at=now, ended_at=now, status=outcome.status, failed_cell=outcome.cell, error=outcome.error)


def _export(executed: Path, report: Path, hidden: list[str], *, code: bool) -> str:
    """Take secrets that the notebook printed out of it, and write the report; returns what went wrong."""
    import nbformat

    if not executed.is_file():
        return ""
    try:
        notebook = nbformat.read(executed, as_version=4)
        changed = drop_copies(notebook)
        if hidden:
            hide(notebook, hidden)
        if changed or hidden:
            nbformat.write(notebook, executed)
        write_report(notebook, report, code=code)
    except Exception as error:  # the run itself is over, and its notebook is kept
        log.exception("the report of %s could not be written", executed)
        return f"the report could not be written: {type(error).__name__}: {error}"
    return ""
