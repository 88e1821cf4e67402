"""``observatory doctor``: what stands in the way, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from observatory.cli.common import read_settings, say
from observatory.plain import plain_json


def doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help="As JSON: a list of findings with level, what, detail and todo.")
    ] = False,
    security: Annotated[
        bool,
        typer.Option(
            "--security", help="Look at how safe it is instead: binding, TLS, keys, files, headers, sources, sign-in."
        ),
    ] = False,
) -> None:
    """Look at sources, log-in, TLS, clocks, windows, presets, store, passwords. What does most harm comes first.

    The exit code is 1 if something is broken: a service would be shown wrong, or not at all.
    """
    from observatory.logs import quiet
    from observatory.runtime.doctor import Level, by_harm, examine

    settings, now = read_settings(), datetime.now(UTC)
    if security:
        from observatory.runtime.security import examine_security

        findings = by_harm(examine_security(settings, now))
    else:
        with quiet("observatory.sources"):  # the findings say it
            findings = by_harm(examine(settings, now))
    if as_json:
        found = [asdict(finding) | {"level": finding.level.lower()} for finding in findings]
        say(plain_json(found, indent=2))
    else:
        for finding in findings:
            say(f"{finding.level:<9}{finding.what:<24}{finding.detail}")
            if finding.todo:
                say(f"{'':<9}{'':<24}→ {finding.todo}")
    if any(finding.level is Level.BROKEN for finding in findings):
        raise typer.Exit(1)
