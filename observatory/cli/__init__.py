"""The command line: ``observatory VERB``. Exit codes: 0 done, 1 failed, 2 wrong use.

Verbs import what they need when they run, so that ``--help`` answers at once.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from observatory import __version__
from observatory.cli.arguments import hide_arguments
from observatory.cli.changes import changes_app
from observatory.cli.collect import backfill, collect
from observatory.cli.common import say
from observatory.cli.detect import detect, health
from observatory.cli.doctor import doctor
from observatory.cli.evaluate import evaluate
from observatory.cli.feedback import feedback_app
from observatory.cli.guides import guides
from observatory.cli.importing import import_samples
from observatory.cli.incidents import incidents_app
from observatory.cli.keys import audit, keys_app
from observatory.cli.mcp import mcp
from observatory.cli.notify import notify_app
from observatory.cli.run import RunCommand, lab, run
from observatory.cli.schedule import schedule_app
from observatory.cli.serve import demo, serve
from observatory.cli.services import services_app
from observatory.cli.silences import silences_app
from observatory.cli.store import archive, store_app
from observatory.errors import ConfigError, InvalidInputError, ObservatoryError
from observatory.private import make_new_files_private

app = typer.Typer(
    help="CloudWatch Observatory: the health of your services, from Prometheus.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command(epilog="Example: `observatory serve --port 8080`")(serve)
app.command(epilog="Example: `observatory demo`")(demo)
app.command(epilog="Example: `observatory collect --service shop/checkout`")(collect)
app.command(epilog="Example: `observatory backfill --from 30d --to now --services 'shop/*' --step 60s`")(backfill)
app.command(epilog="Example: `observatory detect --from 2d`")(detect)
app.command(epilog="Example: `observatory health`")(health)
app.command(epilog="Example: `observatory archive --older-than 30d`")(archive)
app.command(epilog="Example: `observatory audit --since 7d --refused`")(audit)
app.command("import", epilog="Example: `observatory import history.csv --map latency_p95=p95:ms --dry-run`")(
    import_samples
)
app.add_typer(services_app, name="services")
app.add_typer(incidents_app, name="incidents")
app.add_typer(notify_app, name="notify")
app.add_typer(silences_app, name="silences")
app.add_typer(store_app, name="store")
app.add_typer(changes_app, name="changes")
app.add_typer(feedback_app, name="feedback")
app.command(epilog="Example: `observatory evaluate --detector seasonal --detector ensemble`")(evaluate)
app.command(epilog="Example: `observatory doctor`")(doctor)
app.command("help", epilog="Example: `observatory help access`, `observatory help too many anomalies`")(guides)
app.add_typer(keys_app, name="keys")
app.command(epilog="Example: `observatory mcp --http --port 5010`")(mcp)
app.add_typer(schedule_app, name="schedule")
app.command(cls=RunCommand, epilog="Example: `observatory run backfill -p days 30 -o reports/month`")(run)
app.command(
    epilog="Example: `observatory lab --no-browser`",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(lab)


def main() -> None:
    """Entry point: turns expected errors into one line on standard error."""
    hide_arguments()
    make_new_files_private()
    try:
        app()
    except ObservatoryError as error:
        say(f"error: {error}", err=True)
        sys.exit(2 if isinstance(error, ConfigError | InvalidInputError) else 1)
    except KeyboardInterrupt:
        sys.exit(130)


def _version(wanted: bool) -> None:
    if wanted:
        say(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """CloudWatch Observatory: the health of your services, from Prometheus."""
