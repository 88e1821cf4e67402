"""Which column of a table is what: service, time, and a column a metric, or a row a value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from observatory.catalog import METRICS, Metric
from observatory.collection.files.assignment import with_unit
from observatory.collection.files.options import ImportOptions
from observatory.collection.files.plan import Column, Plan
from observatory.collection.files.reader import INDEX
from observatory.collection.files.text import Head
from observatory.collection.files.units import COUNT, COUNTER, UNITS
from observatory.errors import InvalidInputError
from observatory.model import SERVICE, TIMESTAMP
from observatory.suggest import closest, did_you_mean

PARTS = {"service": (SERVICE, "service"), "time": (TIMESTAMP, "time"), "metric": ("metric",), "value": ("value",)}
"""What is no metric, with the names columns may have without being mapped."""

_DATE = re.compile(r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d")


def plan_of(
    columns: Mapping[str, str], head: Head | None, options: ImportOptions, catalog: Mapping[str, Metric]
) -> tuple[Plan, list[str]]:
    """Who is who among a table's columns, with notes on what was taken without being named; `head` is that of a text.

    Raises
    ------
    InvalidInputError
        A line for each thing that does not fit.
    """
    problems = [
        f"{target!r} is nothing a column can be: choose from {', '.join([*PARTS, *catalog])}"
        for target in options.columns
        if target not in PARTS and target not in catalog
    ]
    notes: list[str] = []
    columns, options = _with_index(columns, head, options, notes)
    options = _with_metric(columns, options, catalog, problems)
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
    return (
        Plan(
            parts,
            metrics,
            unknown,
            options.service,
            options.zone,
            options.seconds,
            options.duplicates,
            options.ignore_unknown,
            decimal=options.decimal,
            missing=options.missing,
            order=options.dates,
        ),
        notes,
    )


def _with_index(
    columns: Mapping[str, str], head: Head | None, options: ImportOptions, notes: list[str]
) -> tuple[Mapping[str, str], ImportOptions]:
    """A first column without a name is the index of a pandas frame: times, or a count of rows, which is left out."""
    if head is None or head.names[0].strip() or INDEX not in columns or INDEX in options.columns.values():
        return columns, options
    cells = [row[0] for row in head.rows[1:] if row]
    if cells == [str(number) for number in range(len(cells))]:
        notes.append("left out: the first column, which has no name and counts the rows")
        return {name: kind for name, kind in columns.items() if name != INDEX}, options
    named = {name.lower() for name in columns} & set(PARTS["time"])
    if cells and not named and "time" not in options.columns and all(_DATE.match(cell) for cell in cells):
        notes.append("times are in the first column, which has no name")
        return columns, replace(options, columns={**options.columns, "time": INDEX})
    return columns, options


def _with_metric(
    columns: Mapping[str, str], options: ImportOptions, catalog: Mapping[str, Metric], problems: list[str]
) -> ImportOptions:
    """``--metric`` of a table says what its only column ``value`` is."""
    if options.metric is None:
        return options
    name, colon, unit = options.metric.partition(":")
    value = options.columns.get("value") or next((one for one in columns if one.lower() == "value"), None)
    if name not in catalog:
        problems.append(f"--metric {name!r} is no metric: choose from {', '.join(catalog)}")
    elif value is None or name in options.columns:
        problems.append("--metric says what a column 'value' is, or all series: this table has neither")
    else:
        mapped = {key: text for key, text in options.columns.items() if key != "value"}
        return replace(options, columns={**mapped, name: value + colon + unit})
    return options


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
        problems.append(
            f"no column names the service (columns: {_list(columns)}): map one, or name the service"
            f"{_series_hint(columns)}"
        )
    if "time" not in parts:
        problems.append(f"no column has the time (columns: {_list(columns)}): map one")
    return parts


def _series_hint(columns: Mapping[str, str]) -> str:
    return (
        " (if each column is a service, say which metric they are: --metric request_rate)" if len(columns) > 1 else ""
    )


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
        column, unit = with_unit(options.columns.get(name, name), metric)
        if name in options.columns and not is_long and column not in columns:
            problems.append(_no_column(column, name, columns))
        elif unit in (COUNTER, COUNT):
            problems.append(f"{name}: a column of {unit}s is read as series (--format columns)")
        elif is_long or column in columns:
            units = UNITS.get(metric.unit, {})
            metrics[name] = Column(column, unit or metric.unit, units.get(unit, 1.0))
    return metrics


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
