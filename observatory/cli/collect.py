"""``observatory collect`` and ``observatory backfill``: samples of now, and of the past."""

from __future__ import annotations

from typing import Annotated

import typer

from observatory.cli.common import (
    FromOption,
    ServiceOption,
    ServicesOption,
    ToOption,
    chosen_services,
    open_runtime,
    print_table,
    progress_bar,
    say,
    time_range,
)


def collect(service: ServiceOption = None) -> None:
    """Collect one sample a service, now; of all services also who calls whom."""
    with open_runtime() as runtime:
        reports = [runtime.collect(name) for name in service] if service else [runtime.collect()]
        for report in reports:
            say(
                f"{report.samples} samples of {report.services} services "
                f"with {report.queries} queries in {report.seconds:.2f} s"
            )
            for warning in report.warnings:
                say(f"warning: {warning}", err=True)
            for failure in report.failures:
                say(f"failed: {failure.what}: {failure.error}", err=True)
        unread = [] if service else runtime.read_calls()
        for failure in unread:
            say(f"failed: {failure.what}: {failure.error}", err=True)
        if unread or any(report.failures for report in reports):
            raise typer.Exit(1)


def backfill(
    start: FromOption = "1d",
    end: ToOption = "now",
    step: Annotated[
        str | None, typer.Option(help="Time between samples; default: the interval of the settings.")
    ] = None,
    service: ServicesOption = None,
    source: Annotated[list[str] | None, typer.Option("--source", help="Only this source; may be repeated.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Fetch also what was fetched before.")] = False,
) -> None:
    """Fetch history from the sources; an interrupted run goes on where it was, and a second one changes nothing."""
    from observatory.collection.backfill import backfill
    from observatory.collection.changes import backfill_changes
    from observatory.display.samples import coverage_table, gap_table
    from observatory.times import parse_duration

    with open_runtime() as runtime:
        first, last = time_range(runtime.clock(), start, end)
        seconds = parse_duration(step, "--step").total_seconds() if step else runtime.settings.interval
        with progress_bar() as show:
            sources = runtime.sources_called(source)
            names = chosen_services(runtime.store, service)
            report = backfill(sources, runtime.store, first, last, seconds, names, show, again=again)
        failures = list(report.failures)
        changes = [one for each in sources for one in backfill_changes(each, runtime.store, first, last, failures)]
        say(
            f"{report.samples:,} rows in {report.chunks} chunks and {report.seconds:.1f} s "
            f"({report.samples / report.seconds:,.0f} a second); {report.stored:.0%} of the range was stored before"
        )
        if changes:
            say(f"{len(changes)} changes of services: `observatory changes list` shows them")
        for warning in report.warnings:
            say(f"warning: {warning}", err=True)
        say("\nShare of the expected samples that is stored")
        print_table(coverage_table(report.coverage))
        say("\nGaps" if len(report.gaps) else "\nNo gaps")
        if len(report.gaps):
            print_table(gap_table(report.gaps))
        for failure in failures:
            say(f"failed: {failure.what}: {failure.error}", err=True)
        if failures:
            raise typer.Exit(1)
