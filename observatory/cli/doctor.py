"""``observatory doctor``: what stands in the way, and what to do about it."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from observatory.cli.common import read_settings


def doctor() -> None:
    """Look at sources, log-in, TLS, clocks, windows, presets, store, passwords; exit code 1 if something is broken."""
    from observatory.logs import quiet
    from observatory.runtime.doctor import Level, examine

    settings, broken = read_settings(), 0
    with quiet("observatory.sources"):  # the findings say it
        for finding in examine(settings, datetime.now(UTC)):
            typer.echo(f"{finding.level:<9}{finding.what:<24}{finding.detail}")
            if finding.todo:
                typer.echo(f"{'':<9}{'':<24}→ {finding.todo}")
            broken += finding.level is Level.BROKEN
    if broken:
        raise typer.Exit(1)
