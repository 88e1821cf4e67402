"""``observatory notify``: who is told of incidents, what was sent to whom, and to try it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from observatory.cli.common import open_reader, print_table, say

notify_app = typer.Typer(
    help="Who is told of incidents: try a destination, and see what was sent to whom.",
    no_args_is_help=True,
)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Of the destination, as in `[notify.NAME]`.")]


class StateChoice(StrEnum):
    """As `observatory.model.DeliveryState`, which would bring pandas with it."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    SUMMED = "summed"
    DROPPED = "dropped"
    SILENCED = "silenced"


@notify_app.command("list", epilog="Example: `observatory notify list`")
def list_destinations() -> None:
    """List destinations: where each goes, what it is told of, and how its deliveries go."""
    from observatory.display.notifications import destination_table

    with open_reader() as runtime:
        table = destination_table(runtime.notifier.told, runtime.store.notifications.counts())
    if table.empty:
        say("nobody is told: set up a destination, see `observatory help notifications`")
    else:
        print_table(table)


@notify_app.command("test", epilog="Example: `observatory notify test oncall`")
def test(name: NameArgument) -> None:
    """Send a test message now, past quiet hours and filters. Exit code 1 where it is not taken."""
    from observatory.access.audit import shell_caller
    from observatory.notifications.message import trial_message

    with open_reader() as runtime:
        told = runtime.notifier.of(name)
        now = runtime.clock()
        told.destination.send(trial_message(name, shell_caller(), now, str(runtime.settings.public_url or "")))
    say(f"{name}: taken by {told.destination.where or 'it'}")


@notify_app.command("log", epilog="Example: `observatory notify log oncall --state failed`")
def log(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Only of this destination.")] = None,
    state: Annotated[list[StateChoice] | None, typer.Option(help="Only these; may be repeated.")] = None,
    incident: Annotated[str | None, typer.Option(help="Only about this incident.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
) -> None:
    """Show what was sent, waits, or was given up, the newest first."""
    from observatory.display.notifications import delivery_table
    from observatory.model import DeliveryState

    states = [DeliveryState(one.value) for one in state] if state else None
    with open_reader() as runtime:
        found = runtime.store.notifications.log(name, states, incident, limit)
    if found:
        print_table(delivery_table(found))
    else:
        say("nothing was sent, and nothing waits")


@notify_app.command("retry", epilog="Example: `observatory notify retry oncall`")
def retry(
    name: NameArgument,
    incident: Annotated[str | None, typer.Option(help="Only what is about this incident.")] = None,
) -> None:
    """Have what was given up sent again, by the server that sends."""
    with open_reader() as runtime:
        runtime.notifier.of(name)
        count = runtime.store.notifications.retry(name, runtime.clock(), incident)
    say(f"{name}: {count} to be sent again" if count else f"{name}: nothing was given up")
