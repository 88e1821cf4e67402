"""Checks over the rows of a file of samples; each complaint names the column, the row and what is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from observatory.catalog import Metric
from observatory.collection.files import combining
from observatory.collection.files import queries as sql
from observatory.collection.files.dates import DateStyle
from observatory.collection.files.numbers import NumberStyle, is_missing
from observatory.collection.files.plan import Plan
from observatory.collection.files.reader import SampleFile, Violation
from observatory.collection.files.styles import find_styles
from observatory.collection.files.units import TIME_UNITS, UNITS
from observatory.errors import InvalidInputError
from observatory.model import LONGEST_NAME, SERVICE, TIMESTAMP, is_usable_name
from observatory.store.sql.builders import quoted
from observatory.store.sql.literals import literal
from observatory.suggest import did_you_mean

OLDEST = "TIMESTAMPTZ '1970-01-01 00:00:00+00'"
FUTURE = timedelta(days=1)
RECENT = timedelta(days=30 * 365)
PLAUSIBLE = datetime(2000, 1, 1, tzinfo=UTC)
"""A time before this was taken for another unit."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Values:
    """SQL of a value in each column of them, and how numbers and times are written."""

    sql: Mapping[str, str]
    numbers: NumberStyle
    dates: DateStyle | None


def convert(file: SampleFile, plan: Plan, now: datetime, catalog: Mapping[str, Metric]) -> tuple[list[str], list[str]]:
    """Make the table of samples out of the raw rows; returns notes on how it was read, and warnings.

    Raises
    ------
    InvalidInputError
        A line for each thing that is wrong.
    """
    kinds = file.columns
    texts = {ours: theirs for ours, theirs in _value_columns(plan).items() if kinds[theirs] == "VARCHAR"}
    time_kind = kinds[plan.parts["time"]]
    found = find_styles(
        file,
        texts,
        ("time_text", plan.parts["time"]) if time_kind == "VARCHAR" else None,
        plan.decimal,
        plan.missing,
        plan.order,
    )
    values = Values(_values(plan, kinds, catalog, found.numbers), found.numbers, found.dates)
    service = sql.service("service_text" if "service" in plan.parts else None, plan.service)
    time = sql.time("time_text", time_kind, plan.zone, plan.seconds, found.dates)
    problems = [
        *found.problems,
        *_bad_services(file, plan, service),
        *_bad_times(file, plan, time, now, found.dates),
        *(_bad_names(file, plan) if plan.layout == "long" else ()),
        *(() if found.problems else _bad_numbers(file, plan, values, catalog)),
    ]
    if not problems:
        made = {SERVICE: service, TIMESTAMP: time}
        if plan.series:
            made |= {"metric": "metric_text", "series_text": "series_text", "value": values.sql["value_text"]}
        elif plan.is_long:
            ours = {column.name: literal(name) for name, column in plan.metrics.items()}
            made |= {"metric": sql.by_name(ours, "metric_text"), "value": values.sql["value_text"]}
        else:
            made |= dict(values.sql)
        file.convert(sql.convert(made))
        problems += [*_out_of_range(file, plan, catalog, now), *_doubled(file, plan)]
    if problems:
        raise InvalidInputError("\n".join(f"{file.path}: {problem}" for problem in problems))
    rates = [(one.text, one.unit) for one in plan.series if one.is_rate]
    warnings = [*_left_out(file, plan), *_missing(file, plan, values), *_not_finite(file, plan)]
    if rates:
        file.convert(combining.rates(rates))
    if plan.has_parts:
        warnings += _add_up(file)
    return list(found.notes), warnings


def _value_columns(plan: Plan) -> dict[str, str]:
    """Columns of numbers as they are called here, and what the file calls them."""
    return {"value_text": plan.parts["value"]} if plan.is_long else {n: c.name for n, c in plan.metrics.items()}


def _values(plan: Plan, kinds: Mapping[str, str], catalog: Mapping[str, Metric], style: NumberStyle) -> dict[str, str]:
    """SQL of each column of numbers, in base units."""
    bases = [catalog[name].unit for name in plan.metrics]
    if plan.series:
        return {"value_text": sql.number("value_text", "VARCHAR", "factor", bases, style, "base")}
    if plan.is_long:
        factor = sql.by_name({c.name: f"{c.factor!r}::DOUBLE" for c in plan.metrics.values()}, "metric_text", "1")
        base = sql.by_name({c.name: literal(catalog[n].unit) for n, c in plan.metrics.items()}, "metric_text", "''")
        return {"value_text": sql.number("value_text", kinds[plan.parts["value"]], factor, [*bases, ""], style, base)}
    return {
        name: sql.number(name, kinds[c.name], f"{c.factor!r}::DOUBLE", [catalog[name].unit], style, None)
        for name, c in plan.metrics.items()
    }


def _bad_services(file: SampleFile, plan: Plan, service: str) -> Iterator[str]:
    where = f"column {plan.parts['service']!r}" if "service" in plan.parts else "the name of the service"
    where = "a series" if plan.series else where
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


def _bad_times(file: SampleFile, plan: Plan, time: str, now: datetime, dates: DateStyle | None) -> Iterator[str]:
    found = file.violation("raw", f"({time}) IS NULL", "CAST(time_text AS VARCHAR)")
    if found is None:
        return
    where, value = f"column {plan.parts['time']!r}{_at(found)}", found.value
    in_utc = sql.time("time_text", file.columns[plan.parts["time"]], "UTC", None, dates)
    if value in ("None", ""):
        yield f"{where}: there is no time"
    elif plan.seconds is None and (number := _number(value)) is not None:
        unit = _unit_that_fits(number, now)
        yield f"{where}: {value} is a number: say its unit since 1970 (--time-unit s, ms, us or ns){unit}"
    elif plan.zone is None and file.violation("raw", f'"row" = {found.row} AND ({in_utc}) IS NOT NULL', "''"):
        yield f"{where}: {value!r} has no time zone: say which it is in (--timezone Europe/Berlin, or UTC)"
    else:
        yield f"{where}: {value!r} is no time" + (f" in {plan.zone}" if plan.zone else " such as 2026-01-31T08:00:00Z")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _unit_that_fits(number: float, now: datetime) -> str:
    """The only unit in which a time since 1970 lies in the last 30 years, as a proposal."""
    fits = {
        unit: datetime.fromtimestamp(number * seconds, UTC)
        for unit, seconds in TIME_UNITS.items()
        if now - RECENT <= EPOCH + timedelta(seconds=min(number * seconds, 1e11)) <= now + FUTURE
    }
    return "".join(f"; {unit} makes it {time:%Y-%m-%d %H:%M:%S} UTC" for unit, time in fits.items())


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


def _bad_numbers(file: SampleFile, plan: Plan, values: Values, catalog: Mapping[str, Metric]) -> Iterator[str]:
    for ours, theirs in _value_columns(plan).items():
        kind = file.columns[theirs]
        bad = f"({values.sql[ours]}) IS NULL AND {sql.is_given(ours, kind, values.numbers)}"
        if found := file.violation("raw", bad, f"CAST({quoted([ours])[0]} AS VARCHAR)"):
            where = f"column {theirs!r}" if not plan.series else f"series {_series_at(file, found.row, bad)!r}"
            metrics = [name for name in plan.metrics if name == ours] or list(plan.metrics)
            yield f"{where}{_at(found)}: {found.value[:40]!r} is no number{_why(found.value, metrics, catalog)}"


def _why(value: str, metrics: Sequence[str], catalog: Mapping[str, Metric]) -> str:
    """What may be meant by a text that is no number, if that is plain."""
    text = value.strip()
    if text and not any(letter.isalnum() for letter in text):
        return f": if it means that there is none, say so (--missing={text})"
    digits = text.lstrip("+-").replace(".", "").replace(",", "").replace(" ", "")
    if digits[:1].isdigit() and len(metrics) == 1:
        units = ", ".join(UNITS.get(catalog[metrics[0]].unit, {}))
        return f" of {metrics[0]}" + (f": its units are {units}" if units else ", which has no unit")
    return ""


def _series_at(file: SampleFile, row: int, condition: str) -> str:
    found = file.violation("raw", f'"row" = {row} AND {condition}', "series_text")
    return found.value if found else ""


def _out_of_range(file: SampleFile, plan: Plan, catalog: Mapping[str, Metric], now: datetime) -> Iterator[str]:
    latest = literal(now + FUTURE)
    bad = f"timestamp < {OLDEST} OR timestamp > {latest}"
    if found := file.violation(sql.VALUES, bad, "CAST(timestamp AS VARCHAR)"):
        where = f"column {plan.parts['time']!r}{_at(found)}"
        yield f"{where}: {found.value} is not between 1970 and now: is its unit right?"
    if plan.oldest and (
        found := file.violation(sql.VALUES, f"timestamp < {literal(plan.oldest)}", "CAST(timestamp AS VARCHAR)")
    ):
        yield (
            f"column {plan.parts['time']!r}{_at(found)}: in the unit that this format has, the time is {found.value}: "
            "say its unit (--time-unit s, ms, us or ns)"
        )
    for name, column in plan.metrics.items():
        value, mine = ("value", f"metric = {literal(name)} AND ") if plan.is_long else (quoted([name])[0], "")
        where = f"{column.name!r} in column {plan.parts['metric']!r}" if plan.is_long else f"column {column.name!r}"
        where = f"series {column.name!r}" if plan.series else where
        if found := file.violation(sql.VALUES, f"{mine}isfinite({value}) AND {value} < 0", value):
            yield f"{where}{_at(found)}: {name} = {found.value} is negative"
        if catalog[name].unit != "ratio":
            continue
        if found := file.violation(sql.VALUES, f"{mine}isfinite({value}) AND {value} > 1", value):
            yield (
                f"{where}{_at(found)}: {name} = {found.value} is more than 1, the whole: "
                f"if it is in per cent, say so ({plan.hint(name, '%')})"
            )


def _doubled(file: SampleFile, plan: Plan) -> Iterator[str]:
    keys = [SERVICE, TIMESTAMP, *(["metric"] if plan.is_long else []), *(["series_text"] if plan.series else [])]
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
    if plan.layout == "long":
        found = file.violation("raw", _is_unknown([column.name for column in plan.metrics.values()]), "metric_text")
        if found:
            yield f"left out: {found.rows:,} rows of other metrics, such as {found.value!r} in row {found.row}"


def _missing(file: SampleFile, plan: Plan, values: Values) -> Iterator[str]:
    for ours, theirs in _value_columns(plan).items():
        if file.columns[theirs] != "VARCHAR":
            continue
        missing = is_missing(ours, values.numbers)
        if found := file.violation("raw", missing, quoted([ours])[0]):
            where = f"series {_series_at(file, found.row, missing)!r}" if plan.series else f"column {theirs!r}"
            yield f"{where}{_at(found)}: {found.value!r} is stored as missing"


def _not_finite(file: SampleFile, plan: Plan) -> Iterator[str]:
    for name, label in {"value": "value"}.items() if plan.is_long else plan.metrics.items():
        shown = plan.parts["value"] if isinstance(label, str) else label.name
        if found := file.violation(sql.VALUES, f"NOT isfinite({quoted([name])[0]})", quoted([name])[0]):
            yield f"{'series' if plan.series else f'column {shown!r}'}{_at(found)}: {found.value} is stored as missing"


def _add_up(file: SampleFile) -> Iterator[str]:
    """Put series of one service and metric together: at equal times, or at the beginning of their periods."""
    if file.count(combining.COUNT_PARTIAL):
        file.convert(combining.ALIGN)
    if partial := file.count(combining.COUNT_PARTIAL):
        yield f"{partial:,} sums are missing: at their times one of the series has no value"
    file.convert(combining.SUM)


def _at(found: Violation) -> str:
    return f", row {found.row}" + (f" and {found.rows - 1:,} more" if found.rows > 1 else "")


def facts(file: SampleFile, written: Path, plan: Plan) -> pd.DataFrame:
    """A row a metric: where it came from, in what unit, how many values, and their range in base units."""
    frame = file.frame(sql.facts(str(written), list(plan.metrics)))
    frame.insert(1, "column", [plan.metrics[name].name for name in frame["metric"]])
    frame.insert(2, "unit", [plan.metrics[name].unit for name in frame["metric"]])
    return frame[frame["known"] > 0].reset_index(drop=True) if plan.layout == "long" else frame
