"""``observatory detect`` and ``observatory health``: what is unusual, and how services are."""

from __future__ import annotations

import typer

from observatory.cli.common import (
    FromOption,
    ServiceOption,
    ToOption,
    open_reader,
    print_table,
    progress_bar,
    say,
    time_range,
)


def detect(start: FromOption = "1d", end: ToOption = "now", service: ServiceOption = None) -> None:
    """Detect anomalies on stored samples, as if they had come in live, and keep them."""
    with open_reader() as runtime:
        first, last = time_range(runtime.clock(), start, end)
        names = [runtime.store.service(name).name for name in service] if service else None
        with progress_bar() as show:
            found, failures = runtime.pipeline.replay(first, last, names, show)
        for anomaly in found:
            say(f"{anomaly.started_at:%Y-%m-%d %H:%M}  {anomaly.severity:<8}  {anomaly.message}")
        say(f"{len(found)} anomalies")
        for failure in failures:
            say(f"failed: {failure.what}: {failure.error}", err=True)
        if failures:
            raise typer.Exit(1)


def health() -> None:
    """Show every service's health, the worst first."""
    from observatory.display.health import health_table

    with open_reader() as runtime:
        table = health_table(runtime.overview())
    if table.empty:
        say("no services yet: run `observatory collect`, or `observatory demo`, first")
    else:
        print_table(table)
