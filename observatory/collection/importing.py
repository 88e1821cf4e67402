"""Samples from files: what is in them is understood, then every row is checked, then all of it is stored.

A table of ours has a column a metric (wide), or a row a value with the metric's name in a column (long). A file of
another program has series, see `observatory.collection.files.formats`. Nothing is guessed: units are those of the
catalogue unless said otherwise, and times need a zone. Whatever is wrong is told with its column and row, and then
nothing is stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pandas as pd

from observatory.catalog import METRICS, Metric
from observatory.collection.files import queries as sql
from observatory.collection.files.assignment import Assigned, Assignment, assign
from observatory.collection.files.checks import PLAUSIBLE, convert, facts
from observatory.collection.files.formats import FORMATS, recognise
from observatory.collection.files.formats.grafana import value_columns
from observatory.collection.files.options import ImportOptions
from observatory.collection.files.plan import Column, Plan
from observatory.collection.files.reader import SampleFile
from observatory.collection.files.series import Reading
from observatory.collection.files.tables import PARTS, plan_of
from observatory.collection.files.text import TextFile
from observatory.collection.names import settle_names
from observatory.errors import InvalidInputError
from observatory.model import IMPORTED, SERVICE, Progress, Service, no_progress
from observatory.store import Store
from observatory.store.options import StoreOptions

__all__ = ["ImportOptions", "ImportReport", "import_file"]

PARQUET = (".parquet", ".pq")
TEXTS = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".prom", ".om", ".log", ".dump", "")
"""Endings of files that are read as text; what is in them is found out by their first lines."""
SHOWN_ROWS = 5


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What a file held: rows in it, samples (one a service and time), services, and a row a metric in `metrics`.

    `format` is what it is; `series` has a row a series: what the file calls it, its service, metric and unit, for
    files of other programs; `preview` the first samples; `notes` how it was read where there was a choice.
    """

    format: str
    layout: str
    rows: int
    samples: int
    services: tuple[str, ...]
    first: datetime | None
    last: datetime | None
    metrics: pd.DataFrame
    series: pd.DataFrame
    preview: pd.DataFrame
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    stored: bool


def import_file(
    store: Store,
    path: Path,
    options: ImportOptions,
    now: datetime,
    source: str = IMPORTED,
    progress: Progress = no_progress,
    *,
    dry_run: bool = False,
    store_options: StoreOptions | None = None,
    catalog: Mapping[str, Metric] = METRICS,
) -> ImportReport:
    """Store the samples of a file, all of them or none; known values are replaced, missing ones replace nothing.

    New services belong to `source`. With `dry_run` everything is checked and nothing stored.

    Raises
    ------
    InvalidInputError
        A line for each thing that is wrong with the file or its mapping.
    """
    options.check()
    text = _open(path, options)
    kind = _format_of(text, options, catalog) if text is not None else None
    with SampleFile(path, store_options or StoreOptions(), progress, text, is_table=kind is None) as file:
        if text is None or kind is None:
            read = _read_table(file, text, options, catalog)
        else:
            read = _read_series(file, text, kind, options, catalog)
        if not read.rows:
            raise InvalidInputError(f"{path} has no rows")
        notes, warnings = convert(file, read.plan, now, catalog)
        metrics = list(read.plan.metrics)
        written = file.write(sql.pivoted(metrics) if read.plan.is_long else sql.wide(metrics))
        names = [str(name) for name in file.frame(sql.services(str(written)))[SERVICE]]
        extent = file.frame(sql.extent(str(written))).iloc[0]
        report = ImportReport(
            format=read.format,
            layout=read.plan.layout,
            rows=read.rows,
            samples=int(extent["samples"]),
            services=tuple(names),
            first=None if pd.isna(extent["first"]) else extent["first"].to_pydatetime(),
            last=None if pd.isna(extent["last"]) else extent["last"].to_pydatetime(),
            metrics=facts(file, written, read.plan),
            series=read.series,
            preview=file.frame(sql.first_samples(str(written), SHOWN_ROWS)),
            notes=(*read.notes, *file.notes, *notes),
            warnings=(*read.warnings, *warnings),
            stored=not dry_run,
        )
        if report.first is None or report.last is None:
            raise InvalidInputError(f"{path} has no value in any of its {read.rows:,} rows")
        _refuse_excluded(store, names)
        if not dry_run:
            progress(0, 1, "storing")
            known = set(store.service_names())
            new = [Service(name, source) for name in names if name not in known]
            store.write_file(written, metrics, report.first, report.last, new)
            said = settle_names(store, now, [service.name for service in new])
            report = replace(report, warnings=(*report.warnings, *said))
            progress(1, 1, "storing")
        return report


def _refuse_excluded(store: Store, names: Sequence[str]) -> None:
    rules = store.names.rules()
    excluded = {name: pattern for name in names if (pattern := rules.excluding(rules.name_of(name)))}
    if excluded:
        name, pattern = next(iter(excluded.items()))
        more = f", and {len(excluded) - 1} more are excluded" if len(excluded) > 1 else ""
        raise InvalidInputError(
            f"service {name!r} is excluded by {pattern!r}{more}: `observatory services restore` lets it in again"
        )


@dataclass(frozen=True, slots=True)
class _Read:
    """A file whose rows are in ``raw``: where everything is in it, and what was said of it."""

    plan: Plan
    format: str
    rows: int
    series: pd.DataFrame
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


# -- what it is -------------------------------------------------------------------------------


def _open(path: Path, options: ImportOptions) -> TextFile | None:
    """The file as text; None if it is Parquet."""
    if not path.is_file():
        raise InvalidInputError(f"{path} is no file")
    ending = next((end.lower() for end in reversed(path.suffixes) if end.lower() != ".gz"), "")
    if ending in PARQUET:
        return None
    if ending not in TEXTS and options.format is None:
        raise InvalidInputError(
            f"{path}: what it holds is told by its ending: {', '.join((*TEXTS[:-1], *PARQUET))}, or with .gz; "
            "for another, say which format it is (--format)"
        )
    return TextFile(path, options.encoding)


def _format_of(text: TextFile, options: ImportOptions, catalog: Mapping[str, Metric]) -> str | None:
    """The format of another program; None for a table of ours."""
    kind = options.format or recognise(text.head)
    if kind == "grafana" and options.columns.get("service") in text.head.names and not value_columns(text.head.names):
        return None  # a table of somebody who writes Time with a capital, too
    if kind is None and _has_columns_of_series(text.head.names, options, catalog):
        return "columns"
    return kind


def _has_columns_of_series(names: list[str], options: ImportOptions, catalog: Mapping[str, Metric]) -> bool:
    """Whether a table has a column a series: its user says so, or names of columns do."""
    of_services = {name.lower() for name in names} & set(PARTS["service"])
    if of_services or options.columns.get("service") in names or set(names) & set(catalog):
        return False
    told = options.metric is not None or any(":" in key for key in options.columns)
    return told or any("{" in name and "}" in name for name in names)


# -- how it is read ---------------------------------------------------------------------------


def _read_table(
    file: SampleFile, text: TextFile | None, options: ImportOptions, catalog: Mapping[str, Metric]
) -> _Read:
    plan, notes = plan_of(file.columns, text.head if text else None, options, catalog)
    rows = file.load(plan.raw_names())
    return _Read(plan, "a table" if text else "a table (Parquet)", rows, _series_frame(()), tuple(notes))


def _read_series(
    file: SampleFile, text: TextFile, kind: str, options: ImportOptions, catalog: Mapping[str, Metric]
) -> _Read:
    form = FORMATS.get(kind)
    reading = Reading(wanted_time=options.columns.get("time"))
    file.load_points(form.read(text, reading))
    if not reading.series:
        left = "".join(f"; left out: {count:,} {what}" for what, (count, _) in reading.left_out.items())
        raise InvalidInputError(f"{file.path} has no series: it seems to be {form.title}{left}")
    allowed = {"service", "time", *catalog}
    problems = [
        f"{key!r} is nothing a series can be: choose from {', '.join(['service', *catalog])}, or SERVICE:METRIC"
        for key in options.columns
        if key.rpartition(":")[2] not in allowed
    ]
    found = assign(
        reading.series,
        options.columns,
        options.metric,
        options.service,
        catalog,
        ignore_unknown=options.ignore_unknown,
        add_up=options.add_up,
    )
    problems += found.problems
    if problems:
        raise InvalidInputError("\n".join([f"{file.path} is {form.title}", *problems]))
    rows = file.load_series(
        [(one.series, one.text, one.service, one.metric, catalog[one.metric].unit, one.factor) for one in found.taken]
    )
    plan = _series_plan(found, reading, options, catalog)
    file.columns = dict.fromkeys(plan.parts.values(), "VARCHAR")
    unused = [f"left out: {text}: {why}" for text, why in found.left_out]
    unused += [f"left out: {count:,} {what}, such as {example}" for what, (count, example) in reading.left_out.items()]
    units = [f"{one.text} is in {one.unit!r} in the file" for one in reading.series if one.unit]
    said = [f"services are named by: {found.named_by}", *units]
    return _Read(
        plan, f"{form.title} ({kind})", rows, _series_frame(found.taken), tuple(said), (*reading.notes, *unused)
    )


def _series_plan(found: Assignment, reading: Reading, options: ImportOptions, catalog: Mapping[str, Metric]) -> Plan:
    metrics = {}
    for name in catalog:
        mine = [one for one in found.taken if one.metric == name]
        if mine:
            text = mine[0].text if len(mine) == 1 else f"{len(mine)} series"
            metrics[name] = Column(text, " ".join(dict.fromkeys(one.unit for one in mine)), mine[0].factor)
    return Plan(
        {"service": "service", "time": reading.time, "metric": "series", "value": "value"},
        metrics,
        zone=options.zone,
        seconds=options.seconds or reading.seconds,
        oldest=None if options.seconds else PLAUSIBLE,
        duplicates=options.duplicates,
        ignore_unknown=options.ignore_unknown,
        series=found.taken,
        decimal=options.decimal,
        missing=options.missing,
        order=options.dates,
    )


def _series_frame(taken: Sequence[Assigned]) -> pd.DataFrame:
    """A row a series: what the file calls it, its service, metric and unit."""
    rows = [(one.text, one.service, one.metric, one.unit) for one in taken]
    return pd.DataFrame(rows, columns=["series", "service", "metric", "unit"])
