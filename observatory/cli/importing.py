"""``observatory import``: samples from CSV and Parquet files."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from observatory.cli.common import print_table, progress_bar, read_settings
from observatory.errors import InvalidInputError


class Duplicates(StrEnum):
    """Which of two rows of one service and time counts."""

    ERROR = "error"
    FIRST = "first"
    LAST = "last"


def import_samples(
    file: Annotated[Path, typer.Argument(help="A .csv (or .csv.gz) or .parquet file.")],
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", "-m", help="THING=COLUMN or METRIC=COLUMN:UNIT; repeated: see `observatory help import`"),
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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, store nothing.")] = False,
) -> None:
    """Store the samples of a CSV or Parquet file: all of them, or none and what is wrong with it."""
    from observatory.collection.importing import ImportOptions, import_file
    from observatory.display.samples import import_table
    from observatory.model import IMPORTED
    from observatory.store import open_store
    from observatory.store.options import StoreOptions

    settings = read_settings()
    store_options = StoreOptions.of(settings)
    options = ImportOptions(_pairs(mapping or []), service, timezone, time_unit, duplicates.value, ignore_unknown)
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
        typer.echo(f"warning: {warning}", err=True)
    print_table(import_table(report.metrics))
    typer.echo(
        f"\n{report.rows:,} rows, a {'value' if report.layout == 'long' else 'service and time'} each: "
        f"{report.samples:,} samples of {len(report.services)} services, {report.first:%Y-%m-%d %H:%M} to "
        f"{report.last:%Y-%m-%d %H:%M} UTC"
    )
    typer.echo("dry run: nothing was stored" if dry_run else f"stored in {url}")


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
