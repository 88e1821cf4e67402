"""``observatory store``: look at a store, check it, back it up and bring it back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from observatory.cli.common import open_reader, open_store, read_settings, say, settings_to_read
from observatory.errors import InvalidInputError

if TYPE_CHECKING:
    from observatory.store import Store

store_app = typer.Typer(help="Look at the store, check it, back it up and bring it back.", no_args_is_help=True)


@store_app.command("info", epilog="Example: `observatory store info`")
def info() -> None:
    """Show where the store is, who has it open, and what it holds."""
    with _open() as store:
        for name, value in store.info().items():
            shown = "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
            say(f"{name:<18}{shown}")


@store_app.command("check", epilog="Example: `observatory store check`")
def check(
    repair: Annotated[bool, typer.Option("--repair", help="Make roll-ups anew from the samples.")] = False,
) -> None:
    """Read everything to its end and say what is damaged, and what to do; exit code 1 if something is."""
    from observatory.store.upkeep.check import check_apart

    if repair:
        with _open() as store:
            store.repair(datetime.now(UTC))
    damaged = 0
    for finding in check_apart(settings_to_read().store):
        say(f"{'ok' if finding.ok else 'DAMAGED':<9}{finding.what:<20}{finding.detail}")
        damaged += not finding.ok
    if damaged:
        raise typer.Exit(1)


@store_app.command("backup", epilog="Example: `observatory store backup ../backups/monday`")
def backup(folder: Annotated[Path, typer.Argument(help="A new folder; it is made whole or not at all.")]) -> None:
    """Save the store and its archive as they are now, while others go on using them."""
    with _open() as store:
        saved = store.backup(folder)
    say(f"{sum(saved.rows.values()):,} rows and {saved.files} archived months in {saved.folder}")


@store_app.command("restore", epilog="Example: `observatory store restore ../backups/monday --force`")
def restore(
    folder: Annotated[Path, typer.Argument(help="What `store backup` made.")],
    force: Annotated[bool, typer.Option("--force", help="Keep the present store aside and take its place.")] = False,
) -> None:
    """Check a backup and put it where OBSERVATORY_STORE says."""
    from observatory.store.options import StoreOptions
    from observatory.store.upkeep.backup import restore

    settings = read_settings()
    found = restore(folder, settings.store, StoreOptions.of(settings), force=force)
    say(f"{sum(found.rows.values()):,} rows and {found.files} archived months in {settings.store}")


def _open() -> Store:
    return open_store(settings_to_read())


def archive(
    older_than: Annotated[
        str | None, typer.Option(help="Age of what is moved, such as 30d; default: OBSERVATORY_ARCHIVE_DAYS.")
    ] = None,
) -> None:
    """Move old samples to Parquet files beside the store; they stay part of every answer."""
    from observatory.times import parse_duration

    with open_reader() as opened:
        days = opened.settings.archive_days
        if older_than is None and days is None:
            raise InvalidInputError("--older-than is needed where OBSERVATORY_ARCHIVE_DAYS is not set")
        age = parse_duration(older_than, "--older-than") if older_than else timedelta(days=days or 0)
        opened.store.maintain(opened.clock())
        moved = opened.store.archive.move(opened.clock() - age)
        for month in moved:
            say(f"{month.month:%Y-%m}  {month.row_count} samples in {month.file}")
        say(f"{len(moved)} months written to {opened.store.archive.folder}")
