"""``observatory import``: samples from files, ours and those of other programs."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from observatory.cli.common import print_table, progress_bar, read_settings, say
from observatory.errors import InvalidInputError


class DayOrder(StrEnum):
    """What comes first in dates such as 03/04/2026."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


class Duplicates(StrEnum):
    """Which of two rows of one service and time counts."""

    ERROR = "error"
    FIRST = "first"
    LAST = "last"


def import_samples(
    file: Annotated[Path, typer.Argument(help="CSV, Parquet, JSON or text; see `observatory help import`.")],
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", "-m", help="THING=COLUMN or METRIC=COLUMN:UNIT; repeated: see `observatory help import`"),
    ] = None,
    metric: Annotated[
        str | None, typer.Option(help="Metric (or METRIC:UNIT) that all series of the file are, or its column `value`.")
    ] = None,
    service: Annotated[str | None, typer.Option(help="Name of the service, if no column has it.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Zone of times that have none, such as UTC.")] = None,
    time_unit: Annotated[str | None, typer.Option(help="Unit of times that are numbers: s, ms, us or ns.")] = None,
    duplicates: Annotated[
        Duplicates, typer.Option(help="Which of two rows of one service and time counts.")
    ] = Duplicates.ERROR,
    ignore_unknown: Annotated[
        bool, typer.Option("--ignore-unknown", help="Leave out what is no known metric.")
    ] = False,
    format_: Annotated[
        str | None, typer.Option("--format", help="Format of the file, where it is not to be recognised.")
    ] = None,
    decimal: Annotated[
        str | None, typer.Option(help="Decimal sign, `.` or `,`, where no value shows which it is.")
    ] = None,
    missing: Annotated[
        list[str] | None, typer.Option(help="A text that stands for no value, such as -; may be repeated.")
    ] = None,
    dates: Annotated[
        DayOrder | None, typer.Option(help="Order of day and month, where no date shows which it is.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding, if neither UTF-8 nor UTF-16: cp1252.")] = None,
    add_up: Annotated[
        bool, typer.Option("--sum", help="Add up series of one service and metric, instead of refusing them.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, show what was understood, store nothing.")
    ] = False,
) -> None:
    """Store the samples of a file: all of them, or none and what is wrong with it."""
    from observatory.collection.importing import ImportOptions, import_file
    from observatory.display.samples import import_table, preview_table, series_table
    from observatory.model import IMPORTED
    from observatory.store import open_store
    from observatory.store.options import StoreOptions

    settings = read_settings()
    store_options = StoreOptions.of(settings)
    options = ImportOptions(
        _pairs(mapping or []),
        service,
        timezone,
        time_unit,
        duplicates.value,
        ignore_unknown,
        metric=metric,
        format=format_,
        decimal=decimal,
        missing=tuple(missing or ()),
        dates=dates.value if dates else None,
        encoding=encoding,
        add_up=add_up,
    )
    url = (
        settings.store if "store" in settings.model_fields_set or settings.prometheus_servers else "observatory.duckdb"
    )
    source = next(iter(settings.prometheus_servers), IMPORTED)
    with open_store(
        ":memory:" if dry_run and not Path(url).exists() and "://" not in url else url, options=store_options
    ) as store:
        held = store.note("source")
        if held is not None and held.startswith("demo"):
            raise InvalidInputError(f"store {url} holds the demo shop: name another file with OBSERVATORY_STORE")
        with progress_bar() as show:
            report = import_file(
                store, file, options, datetime.now(UTC), source, show, dry_run=dry_run, store_options=store_options
            )
        if held is None and not dry_run:
            store.write_note("source", settings.source_name if settings.prometheus_servers else IMPORTED)
    for warning in report.warnings:
        say(f"warning: {warning}", err=True)
    say(f"{file} is {report.format}")
    for note in report.notes:
        say(note)
    if not report.series.empty:
        say()
        print_table(series_table(report.series))
    say()
    print_table(import_table(report.metrics))
    if dry_run:
        say("\nthe first samples:")
        print_table(preview_table(report.preview))
    say(
        f"\n{report.rows:,} rows, a {'service and time' if report.layout == 'wide' else 'value'} each: "
        f"{report.samples:,} samples of {len(report.services)} services, {report.first:%Y-%m-%d %H:%M} to "
        f"{report.last:%Y-%m-%d %H:%M} UTC"
    )
    say("dry run: nothing was stored" if dry_run else f"stored in {url}")


def _pairs(mapping: list[str]) -> dict[str, str]:
    """``latency_p95=p95:ms`` as a pair; raises InvalidInputError."""
    pairs: dict[str, str] = {}
    for text in mapping:
        thing, equals, column = text.partition("=")
        if not (equals and thing and column):
            raise InvalidInputError(f"--map {text!r}: give it as THING=COLUMN, such as latency_p95=p95:ms")
        if thing in pairs:
            raise InvalidInputError(f"--map {thing} is given twice")
        pairs[thing] = column
    return pairs
