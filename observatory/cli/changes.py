"""``observatory changes``: deployments and other changes of services, to report and to look at."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from observatory.cli.common import (
    FromOption,
    ServicesOption,
    ToOption,
    chosen_services,
    open_reader,
    print_table,
    say,
    time_range,
)

changes_app = typer.Typer(
    help="Report deployments and other changes of services, and look at them; most are found in the metrics.",
    no_args_is_help=True,
)


class Kind(StrEnum):
    """As `observatory.model.changes.ChangeKind`, which would bring pandas with it."""

    DEPLOYMENT = "deployment"
    RESTART = "restart"
    CONFIG = "config"
    FLAG = "flag"
    SCALING = "scaling"
    OTHER = "other"


@changes_app.command("add", epilog="Example: `observatory changes add shop/checkout 1.4.2 --summary 'faster carts'`")
def add(
    service: Annotated[str, typer.Argument(help="Name of the service.")],
    version: Annotated[str, typer.Argument(help="What runs after it, such as the tag of an image.")] = "",
    kind: Annotated[Kind, typer.Option(help="What was done.")] = Kind.DEPLOYMENT,
    at: Annotated[str, typer.Option(help="When it began: RFC 3339, or a time ago such as 10m.")] = "now",
    summary: Annotated[str, typer.Option(help="A line for people.")] = "",
    url: Annotated[str, typer.Option(help="Where to read more.")] = "",
) -> None:
    """Report a change; one that is reported again, or was found already, is kept once."""
    from observatory.access.audit import shell_caller
    from observatory.annotations.changes import add_change
    from observatory.model import ChangeKind
    from observatory.times import TIME, parse_time

    with open_reader() as runtime:
        now = runtime.clock()
        kept = add_change(
            runtime.store,
            service,
            ChangeKind(kind.value),
            parse_time(at, now, "--at"),
            now,
            version=version,
            summary=summary,
            url=url,
            source=shell_caller(),
        )
    say(f"{kept.service_name}: {kept.title} at {kept.at:{TIME}} UTC, {kept.id}")


@changes_app.command("show", epilog="Example: `observatory changes show c5d1f0a9be3c7246`")
def show(
    change: Annotated[str, typer.Argument(metavar="ID", help="Of the change, as `changes list` shows it.")],
) -> None:
    """Show what each metric did before and after a change, and what of that is more than noise."""
    from observatory.analysis.before_after import before_after

    with open_reader() as runtime:
        found = before_after(runtime.store, runtime.settings, change, runtime.clock())
    say(found.summary)
    for line in (found.change.summary, found.change.url):
        if line and line != found.change.title:
            say(line)
    if not found.table.empty:
        say()
        print_table(found.table, right=("before", "after", "expected"))


@changes_app.command("list", epilog="Example: `observatory changes list --from 7d --service 'shop/*'`")
def list_changes(service: ServicesOption = None, start: FromOption = "24h", end: ToOption = "now") -> None:
    """List changes, the newest first."""
    from observatory.display.changes import change_table

    with open_reader() as runtime:
        first, last = time_range(runtime.clock(), start, end)
        names = chosen_services(runtime.store, service)
        found = runtime.store.changes.read(first, last, names)
    if found:
        print_table(change_table(reversed(found)))
    else:
        say("no changes in this time: they are found in the metrics, or reported with `observatory changes add`")
