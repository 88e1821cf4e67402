"""``observatory doctor``: what stands in the way, and what to do about it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from observatory.cli.common import read_settings


def doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help="As JSON: a list of findings with level, what, detail and todo.")
    ] = False,
) -> None:
    """Look at sources, log-in, TLS, clocks, windows, presets, store, passwords. What does most harm comes first.

    The exit code is 1 if something is broken: a service would be shown wrong, or not at all.
    """
    from observatory.logs import quiet
    from observatory.runtime.doctor import Level, by_harm, examine

    with quiet("observatory.sources"):  # the findings say it
        findings = by_harm(examine(read_settings(), datetime.now(UTC)))
    if as_json:
        found = [asdict(finding) | {"level": finding.level.lower()} for finding in findings]
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        for finding in findings:
            typer.echo(f"{finding.level:<9}{finding.what:<24}{finding.detail}")
            if finding.todo:
                typer.echo(f"{'':<9}{'':<24}→ {finding.todo}")
    if any(finding.level is Level.BROKEN for finding in findings):
        raise typer.Exit(1)
