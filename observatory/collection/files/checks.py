"""Checks over the rows of a file of samples; each complaint names the column, the row and what is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

from observatory.catalog import Metric
from observatory.collection.files import queries as sql
from observatory.collection.files.reader import SampleFile, Violation
from observatory.errors import InvalidInputError
from observatory.model import LONGEST_NAME, SERVICE, TIMESTAMP, is_usable_name
from observatory.store.sql.builders import quoted
from observatory.store.sql.literals import literal
from observatory.suggest import did_you_mean

OLDEST = "TIMESTAMPTZ '1970-01-01 00:00:00+00'"
FUTURE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Column:
    """A metric in a file: what it is called there, its unit, and what makes that the base unit."""

    name: str
    unit: str
    factor: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Where everything is in a file.

    `parts` names the columns of ``service``, ``time``, and in a file with a row a value ``metric`` and ``value``;
    `metrics` the columns, or the names in the column ``metric``; `unknown` are columns nobody needs. `service` is the
    one all rows are of; `zone` that of times without one; `seconds` the unit of times that are numbers.
    """

    parts: Mapping[str, str]
    metrics: Mapping[str, Column]
    unknown: tuple[str, ...] = ()
    service: str | None = None
    zone: str | None = None
    seconds: float | None = None
    duplicates: str = "error"
    ignore_unknown: bool = False

    @property
    def is_long(self) -> bool:
        """Whether there is a row a value."""
        return "metric" in self.parts

    def raw_names(self) -> dict[str, str]:
        """Columns of the file by what they are called while it is checked."""
        names = {column: f"{part}_text" for part, column in self.parts.items()}
        return names if self.is_long else names | {column.name: name for name, column in self.metrics.items()}


def convert(file: SampleFile, plan: Plan, now: datetime, catalog: Mapping[str, Metric]) -> list[str]:
    """Make the table of samples out of the raw rows; returns warnings.

    Raises
    ------
    InvalidInputError
        A line for each thing that is wrong.
    """
    kinds = file.columns
    service = sql.service("service_text" if "service" in plan.parts else None, plan.service)
    time = sql.time("time_text", kinds[plan.parts["time"]], plan.zone, plan.seconds)
    problems = [
        *_bad_services(file, plan, service),
        *_bad_times(file, plan, time),
        *(_bad_names(file, plan) if plan.is_long else ()),
        *_bad_numbers(file, plan),
    ]
    if not problems:
        made = {SERVICE: service, TIMESTAMP: time}
        if plan.is_long:
            number = sql.number("value_text", kinds[plan.parts["value"]], 1)
            by_name = {column.name: (name, column.factor) for name, column in plan.metrics.items()}
            metric, value = sql.factors(by_name, "metric_text", number)
            made |= {"metric": metric, "value": value}
        else:
            made |= {name: sql.number(name, kinds[c.name], c.factor) for name, c in plan.metrics.items()}
        file.convert(sql.convert(made))
        problems += [*_out_of_range(file, plan, catalog, now), *_doubled(file, plan)]
    if problems:
        raise InvalidInputError("\n".join(f"{file.path}: {problem}" for problem in problems))
    return [*_left_out(file, plan), *_not_finite(file, plan)]


def _bad_services(file: SampleFile, plan: Plan, service: str) -> Iterator[str]:
    where = f"column {plan.parts['service']!r}" if "service" in plan.parts else "the name of the service"
    if found := file.violation("raw", f"{service} IS NULL", "''"):
        yield f"{where}{_at(found)}: no service is named"
    names = file.frame(sql.names(service))
    for name, row in zip(names["name"], names["first"], strict=True):
        if not is_usable_name(str(name)):
            yield (
                f"{where}, row {row}: {str(name)[:40]!r} cannot be a name: "
                f"it has more than {LONGEST_NAME} characters, or some that cannot be printed"
            )
            return


def _bad_times(file: SampleFile, plan: Plan, time: str) -> Iterator[str]:
    found = file.violation("raw", f"({time}) IS NULL", "CAST(time_text AS VARCHAR)")
    if found is None:
        return
    where, value = f"column {plan.parts['time']!r}{_at(found)}", found.value
    in_utc = sql.time("time_text", file.columns[plan.parts["time"]], "UTC", None)
    if value in ("None", ""):
        yield f"{where}: there is no time"
    elif plan.seconds is None and value.replace(".", "", 1).isdigit():
        yield f"{where}: {value} is a number: say its unit since 1970 (--time-unit s, ms, us or ns)"
    elif plan.zone is None and file.violation("raw", f'"row" = {found.row} AND ({in_utc}) IS NOT NULL', "''"):
        yield f"{where}: {value!r} has no time zone: say which it is in (--timezone Europe/Berlin, or UTC)"
    else:
        yield f"{where}: {value!r} is no time" + (f" in {plan.zone}" if plan.zone else " such as 2026-01-31T08:00:00Z")


def _bad_names(file: SampleFile, plan: Plan) -> Iterator[str]:
    names = [column.name for column in plan.metrics.values()]
    unknown = _is_unknown(names)
    if not plan.ignore_unknown and (found := file.violation("raw", unknown, "metric_text")):
        hint = did_you_mean(found.value, names)
        example = f"--map {next(iter(plan.metrics))}={found.value!r}"
        yield (
            f"column {plan.parts['metric']!r}{_at(found)}: {found.value!r} is no metric: "
            f"{hint and f'{hint} Else '}say what it is ({example}), or --ignore-unknown"
        )


def _is_unknown(names: Sequence[str]) -> str:
    return f"coalesce(trim(metric_text), '') NOT IN ({', '.join(map(literal, names))})"


def _bad_numbers(file: SampleFile, plan: Plan) -> Iterator[str]:
    columns = {"value_text": plan.parts["value"]} if plan.is_long else {n: c.name for n, c in plan.metrics.items()}
    for ours, theirs in columns.items():
        kind = file.columns[theirs]
        bad = f"{sql.is_given(ours, kind)} AND ({sql.number(ours, kind, 1)}) IS NULL"
        if found := file.violation("raw", bad, f"CAST({quoted([ours])[0]} AS VARCHAR)"):
            yield f"column {theirs!r}{_at(found)}: {found.value[:40]!r} is no number"


def _out_of_range(file: SampleFile, plan: Plan, catalog: Mapping[str, Metric], now: datetime) -> Iterator[str]:
    latest = literal(now + FUTURE)
    bad = f"timestamp < {OLDEST} OR timestamp > {latest}"
    if found := file.violation(sql.VALUES, bad, "CAST(timestamp AS VARCHAR)"):
        where = f"column {plan.parts['time']!r}{_at(found)}"
        yield f"{where}: {found.value} is not between 1970 and now: is its unit right?"
    for name, column in plan.metrics.items():
        value, mine = ("value", f"metric = {literal(name)} AND ") if plan.is_long else (quoted([name])[0], "")
        where = f"{column.name!r} in column {plan.parts['metric']!r}" if plan.is_long else f"column {column.name!r}"
        if found := file.violation(sql.VALUES, f"{mine}isfinite({value}) AND {value} < 0", value):
            yield f"{where}{_at(found)}: {name} = {found.value} is negative"
        if catalog[name].unit != "ratio":
            continue
        if found := file.violation(sql.VALUES, f"{mine}isfinite({value}) AND {value} > 1", value):
            yield (
                f"{where}{_at(found)}: {name} = {found.value} is more than 1, the whole: "
                f"if it is in per cent, say so (--map {name}='{column.name}:%')"
            )


def _doubled(file: SampleFile, plan: Plan) -> Iterator[str]:
    keys = [SERVICE, TIMESTAMP, *(["metric"] if plan.is_long else [])]
    found = file.frame(sql.duplicates(keys))
    if found.empty:
        return
    one = found.iloc[0]
    if plan.duplicates == "error":
        what = " ".join(str(one[key]) for key in keys)
        yield (
            f"rows {one['first']} and {one['second']} are both of {what} ({one['keys']:,} such): "
            "say which counts (--duplicates first, or last)"
        )
    else:
        file.convert(sql.keep(keys, plan.duplicates))


def _left_out(file: SampleFile, plan: Plan) -> Iterator[str]:
    if plan.unknown:
        yield f"left out: {'columns' if len(plan.unknown) > 1 else 'column'} {', '.join(map(repr, plan.unknown))}"
    if plan.is_long:
        found = file.violation("raw", _is_unknown([column.name for column in plan.metrics.values()]), "metric_text")
        if found:
            yield f"left out: {found.rows:,} rows of other metrics, such as {found.value!r} in row {found.row}"


def _not_finite(file: SampleFile, plan: Plan) -> Iterator[str]:
    for name, label in {"value": "value"}.items() if plan.is_long else plan.metrics.items():
        shown = plan.parts["value"] if isinstance(label, str) else label.name
        if found := file.violation(sql.VALUES, f"NOT isfinite({quoted([name])[0]})", quoted([name])[0]):
            yield f"column {shown!r}{_at(found)}: {found.value} is stored as missing"


def _at(found: Violation) -> str:
    return f", row {found.row}" + (f" and {found.rows - 1:,} more" if found.rows > 1 else "")


def facts(file: SampleFile, written: Path, plan: Plan) -> pd.DataFrame:
    """A row a metric: where it came from, in what unit, how many values, and their range in base units."""
    frame = file.frame(sql.facts(str(written), list(plan.metrics)))
    frame.insert(1, "column", [plan.metrics[name].name for name in frame["metric"]])
    frame.insert(2, "unit", [plan.metrics[name].unit for name in frame["metric"]])
    return frame[frame["known"] > 0].reset_index(drop=True) if plan.is_long else frame
