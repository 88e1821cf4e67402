"""Samples from CSV and Parquet files: the mapping of columns is checked, then every row, then all of it is stored.

A file has a column a metric (wide), or a row a value with the metric's name in a column (long). Nothing is guessed:
units are those of the catalogue unless said otherwise, and times need a zone. Whatever is wrong is told with its
column and row, and then nothing is stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

import pandas as pd

from observatory.catalog import METRICS, Metric
from observatory.collection.files import queries as sql
from observatory.collection.files.checks import Column, Plan, convert, facts
from observatory.collection.files.reader import SampleFile
from observatory.collection.names import settle_names
from observatory.errors import InvalidInputError
from observatory.model import IMPORTED, SERVICE, TIMESTAMP, Progress, Service, no_progress
from observatory.store import Store
from observatory.store.options import StoreOptions
from observatory.suggest import closest, did_you_mean
from observatory.times import parse_zone

UNITS: Mapping[str, Mapping[str, float]] = {
    "s": {"s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "min": 60},
    "ratio": {"ratio": 1, "%": 0.01, "percent": 0.01},
    "bytes": {"bytes": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30},
    "cores": {"cores": 1, "millicores": 1e-3},
    "req/s": {"req/s": 1, "req/min": 1 / 60},
}
"""Units a file may have, by the base unit they become."""
TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
PARTS = {"service": (SERVICE, "service"), "time": (TIMESTAMP, "time"), "metric": ("metric",), "value": ("value",)}
"""What is no metric, with the names columns may have without being mapped."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a file is to be read.

    Parameters
    ----------
    columns
        What the file calls a thing: ``service``, ``time``, ``metric``, ``value`` or a metric of the catalogue, each
        with a column's name, and for metrics ``:unit`` where it is not the base unit. In a long file a metric's
        name in the column ``metric`` is meant.
    service
        Name of the service, where the file has no column of them.
    zone
        Time zone of times that have none.
    time_unit
        Unit of times that are numbers since 1970.
    duplicates
        Which of two rows of one service and time counts; by default they are an error.
    ignore_unknown
        Leave out what has no counterpart in the catalogue instead of refusing the file.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    service: str | None = None
    zone: str | None = None
    time_unit: str | None = None
    duplicates: Literal["error", "first", "last"] = "error"
    ignore_unknown: bool = False


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What a file held: rows in it, samples (one a service and time), services, and a row a metric in `metrics`."""

    layout: str
    rows: int
    samples: int
    services: tuple[str, ...]
    first: datetime | None
    last: datetime | None
    metrics: pd.DataFrame
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
    _check_options(options)
    with SampleFile(path, store_options or StoreOptions(), progress) as file:
        plan = _plan(file.columns, options, catalog)
        rows = file.load(plan.raw_names())
        if not rows:
            raise InvalidInputError(f"{path} has no rows")
        warnings = convert(file, plan, now, catalog)
        metrics = list(plan.metrics)
        written = file.write(sql.pivoted(metrics) if plan.is_long else sql.wide(metrics))
        names = [str(name) for name in file.frame(sql.services(str(written)))[SERVICE]]
        extent = file.frame(sql.extent(str(written))).iloc[0]
        report = ImportReport(
            layout="long" if plan.is_long else "wide",
            rows=rows,
            samples=int(extent["samples"]),
            services=tuple(names),
            first=None if pd.isna(extent["first"]) else extent["first"].to_pydatetime(),
            last=None if pd.isna(extent["last"]) else extent["last"].to_pydatetime(),
            metrics=facts(file, written, plan),
            warnings=tuple(warnings),
            stored=not dry_run,
        )
        if report.first is None or report.last is None:
            raise InvalidInputError(f"{path} has no value in any of its {rows:,} rows")
        _refuse_excluded(store, names)
        if not dry_run:
            progress(0, 1, "storing")
            known = {service.name for service in store.services()}
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


# -- the mapping ------------------------------------------------------------------------------


def _check_options(options: ImportOptions) -> None:
    if options.time_unit is not None and options.time_unit not in TIME_UNITS:
        raise InvalidInputError(f"time unit {options.time_unit!r}: choose from {', '.join(TIME_UNITS)}")
    if options.zone is not None:
        parse_zone(options.zone)


def _plan(columns: Mapping[str, str], options: ImportOptions, catalog: Mapping[str, Metric]) -> Plan:
    """Who is who among a file's columns."""
    problems = [
        f"{target!r} is nothing a column can be: choose from {', '.join([*PARTS, *catalog])}"
        for target in options.columns
        if target not in PARTS and target not in catalog
    ]
    parts = _parts(columns, options, problems)
    is_long = "metric" in parts
    metrics = _metrics(columns, options, catalog, problems, is_long=is_long)
    taken = {*parts.values(), *(() if is_long else (column.name for column in metrics.values()))}
    unknown = tuple(name for name in columns if name not in taken)
    if unknown and not options.ignore_unknown:
        problems.append(f"nothing is known of column {', '.join(map(repr, unknown[:8]))}: {_hint(unknown[0], catalog)}")
    if not metrics and not is_long:
        problems.append(f"no column is a metric (columns: {_list(columns)}): map some of {', '.join(catalog)}")
    if problems:
        raise InvalidInputError("\n".join(problems))
    seconds = TIME_UNITS[options.time_unit] if options.time_unit else None
    return Plan(
        parts, metrics, unknown, options.service, options.zone, seconds, options.duplicates, options.ignore_unknown
    )


def _parts(columns: Mapping[str, str], options: ImportOptions, problems: list[str]) -> dict[str, str]:
    """The columns of service, time, and in a long file metric and value; what is wrong is added to `problems`."""
    parts = {}
    for part, names in PARTS.items():
        wanted = options.columns.get(part)
        if wanted is not None and wanted not in columns:
            problems.append(_no_column(wanted, part, columns))
        found = wanted or next((name for name in columns if name.lower() in names), None)
        if found is not None:
            parts[part] = found
    _drop_half_a_pair(parts, options, problems)
    if options.service is not None:
        if "service" in options.columns:
            problems.append("--service and a column of services exclude each other")
        parts.pop("service", None)
    elif "service" not in parts:
        problems.append(f"no column names the service (columns: {_list(columns)}): map one, or name the service")
    if "time" not in parts:
        problems.append(f"no column has the time (columns: {_list(columns)}): map one")
    return parts


def _drop_half_a_pair(parts: dict[str, str], options: ImportOptions, problems: list[str]) -> None:
    """A column ``metric`` means nothing without one ``value``; a problem only where it was asked for."""
    if ("metric" in parts) == ("value" in parts):
        return
    has, lacks = ("metric", "value") if "metric" in parts else ("value", "metric")
    if has in options.columns:
        problems.append(f"a file with a row a value needs both: {has} is {parts[has]!r}, but where is {lacks}?")
    del parts[has]


def _metrics(
    columns: Mapping[str, str],
    options: ImportOptions,
    catalog: Mapping[str, Metric],
    problems: list[str],
    *,
    is_long: bool,
) -> dict[str, Column]:
    """The column of each metric with its unit; in a long file a metric's name stands for it."""
    metrics = {}
    for name, metric in catalog.items():
        column, unit = _with_unit(options.columns.get(name, name), metric)
        if name in options.columns and not is_long and column not in columns:
            problems.append(_no_column(column, name, columns))
        elif is_long or column in columns:
            units = UNITS.get(metric.unit, {})
            metrics[name] = Column(column, unit, units.get(unit, 1.0))
    return metrics


def _with_unit(text: str, metric: Metric) -> tuple[str, str]:
    """``p95:ms`` is a column and its unit; a colon that no unit follows belongs to the name."""
    column, colon, unit = text.rpartition(":")
    return (column, unit) if colon and unit in UNITS.get(metric.unit, {}) else (text, metric.unit)


def _no_column(column: str, target: str, columns: Mapping[str, str]) -> str:
    base, colon, unit = column.rpartition(":")
    if colon and base in columns:
        allowed = UNITS.get(METRICS[target].unit, {}) if target in METRICS else {}
        return f"{target} cannot be in {unit!r}: {'choose from ' + ', '.join(allowed) if allowed else 'it has no unit'}"
    hint = did_you_mean(column, columns)
    return f"there is no column {column!r} for {target}{hint and f': {hint}'}"


def _hint(column: str, catalog: Mapping[str, Metric]) -> str:
    example = next(iter([*closest(column, catalog), *catalog]))
    return f"say what it is (--map {example}={column!r}), or --ignore-unknown"


def _list(names: Mapping[str, str]) -> str:
    return ", ".join(map(repr, list(names)[:12]))
