"""``observatory run NOTEBOOK`` and ``observatory lab``: a notebook without and with a person at it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from observatory.cli.arguments import shown_arguments
from observatory.cli.common import open_store, progress_bar, say, settings_to_read
from observatory.errors import InvalidInputError
from observatory.plain import without_styles

if TYPE_CHECKING:
    from observatory.model import Run
    from observatory.notebooks.execute import Outcome


GIVEN = ("-p", "--parameter")


class RunCommand(TyperCommand):
    """A command whose ``-p`` takes two words, as papermill's does, or ``name=value``; no option of Typer repeats so."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Join the two words, before they are taken apart; a name has no ``=`` in it."""
        joined, left = [], list(args)
        while left:
            word = left.pop(0)
            joined.append(word)
            if word in GIVEN and len(left) >= 2 and "=" not in left[0]:
                joined.append(f"{left.pop(0)}={left.pop(0)}")
        return super().parse_args(ctx, joined)


def run(
    notebook: Annotated[str, typer.Argument(help="Name of a notebook, such as backfill, or a file of your own.")],
    parameters: Annotated[
        list[str] | None,
        typer.Option(*reversed(GIVEN), metavar="NAME VALUE", help="A parameter; may be repeated."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for the notebook and its report; default: a new one under runs."),
    ] = None,
    timeout: Annotated[str | None, typer.Option(help="Longest time the cells may take, such as 10m.")] = None,
    code: Annotated[bool, typer.Option("--code/--no-code", help="Show the code in the report.")] = False,
) -> None:
    """Run a notebook on the store of the settings, keep what came of it, and record the run."""
    from observatory.notebooks.run import Task, carry_out, make_folder
    from observatory.process import ends_on_sigterm
    from observatory.times import parse_duration, resolve_times, utc_now

    now = utc_now()
    seconds = parse_duration(timeout, "--timeout").total_seconds() if timeout else None
    task = Task.of(notebook, {name: resolve_times(value, now) for name, value in map(_pair, parameters or ())})
    settings = settings_to_read()
    started = task.run(settings.runs, now, folder=output)
    make_folder(Path(started.folder))
    with ends_on_sigterm(), open_store(settings) as store:
        store.runs.begin(started)
        with progress_bar() as show:
            ended, outcome = carry_out(
                started,
                task.notebook,
                store,
                utc_now,
                parameters=task.parameters,
                timeout=seconds,
                code=code,
                progress=show,
            )
    tell(ended, outcome)


def _pair(given: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not equals:
        raise InvalidInputError(f"-p {shown_arguments([given])[0]}: give the name of a parameter, and its value")
    return name, value


def tell(ended: Run, outcome: Outcome) -> None:
    """Say where the files of a run are, and what went wrong; leaves with 1 where it did not come to its end."""
    from observatory.model import RunStatus
    from observatory.notebooks.run import files_of

    for file in files_of(ended):
        if file.is_file():
            say(file)
    if outcome.error:
        where = f" in cell {outcome.cell}" if outcome.cell else ""
        if outcome.traceback:
            say(without_styles(outcome.traceback), err=True)
        say(f"error: {ended.notebook} {outcome.status}{where}: {outcome.error}", err=True)
    if ended.status is not RunStatus.DONE:
        raise typer.Exit(1)


def lab(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Option(help="Folder to open; default: notebooks, with those that are missing there.")
    ] = None,
) -> None:
    """Open JupyterLab on the store of the settings; further options go to JupyterLab."""
    from observatory.notebooks.catalog import to_edit
    from observatory.notebooks.lab import lab

    settings = settings_to_read()
    if folder is None:
        folder, copied = to_edit(Path("notebooks"))
        if copied:
            say(f"copied to {folder.absolute()}: {', '.join(copied)}", err=True)
    lab(settings, folder, context.args)
