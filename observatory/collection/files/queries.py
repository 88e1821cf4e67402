"""SQL over files of samples. Names in it come from a file's own columns, quoted, and from the catalogue."""
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Mapping, Sequence

from observatory.collection.files import numbers
from observatory.collection.files.dates import DateStyle
from observatory.collection.files.numbers import NumberStyle
from observatory.store.sql.builders import quoted
from observatory.store.sql.literals import file_literal, literal

COUNT_RAW = "SELECT count(*) FROM raw"
ZONED = r"(Z|z|UTC|[+-]\d{2}(:?\d{2})?)$"
NUMBER = r"^[+-]?\d+(\.\d*)?([eE][+-]?\d+)?$"
NO_SECONDS, WITH_SECONDS = r"^(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2})([^:\d].*|)$", r"\1:00\2"
VALUES = "samples"
"""The table of what was converted: ``row``, service, time, and metrics, or ``metric`` and ``value``."""


def load(reader: str, columns: Mapping[str, str]) -> str:
    """A file's columns under our names, with the number of each row."""
    chosen = ", ".join(f"{old} AS {new}" for old, new in zip(quoted(columns), quoted(columns.values()), strict=True))
    return f'CREATE OR REPLACE TABLE raw AS SELECT row_number() OVER () AS "row", {chosen} FROM {reader}'


def violation(table: str, condition: str, value: str) -> str:
    """How many rows meet a condition, the first of them, and what it has."""
    return f'SELECT count(*), min("row"), arg_min({value}, "row") FROM {table} WHERE {condition}'


def service(column: str | None, constant: str | None) -> str:
    """Names without blanks around them; NULL for none."""
    text = literal(constant) if column is None else f"CAST({quoted([column])[0]} AS VARCHAR)"
    return f"nullif(trim({text}), '')"


def names(service: str) -> str:
    """Names of services, and the first row of each."""
    return f'SELECT {service} AS name, min("row") AS first FROM raw WHERE {service} IS NOT NULL GROUP BY 1 ORDER BY 2'


def number(column: str, kind: str, factor: str, bases: Sequence[str], style: NumberStyle, base: str | None) -> str:
    """A value in base units; NULL where there is none, or no number. `factor` and `base` are SQL, as in `numbers`."""
    if kind == "VARCHAR":
        return numbers.value(column, factor, bases, style, base)
    return f"TRY_CAST({quoted([column])[0]} AS DOUBLE) * {factor}"


def is_given(column: str, kind: str, style: NumberStyle) -> str:
    """Whether there is something in a column, and not a word for nothing."""
    name = quoted([column])[0]
    if kind != "VARCHAR":
        return f"{name} IS NOT NULL"
    return f"({numbers.tidied(column)} != '' AND NOT {numbers.is_missing(column, style)})"


def time(column: str, kind: str, zone: str | None, seconds: float | None, dates: DateStyle | None = None) -> str:
    """A point in time; NULL where it cannot be read.

    `seconds` is the unit of numbers, `zone` that of texts without one, `dates` how they are written beside ISO 8601.
    """
    name = quoted([column])[0]
    if kind.startswith("TIMESTAMP WITH TIME ZONE"):
        return name
    if kind.startswith(("TIMESTAMP", "DATE")):
        return _local(f"CAST({name} AS TIMESTAMP)", zone)
    text = time_text(column)
    epoch = (
        "NULL"
        if seconds is None
        else f"TRY(make_timestamptz(CAST(round({text}::DOUBLE * {seconds * 1e6!r}) AS BIGINT)))"
    )
    return f"""CASE
    WHEN regexp_matches({text}, {literal(NUMBER)}) THEN {epoch}
    WHEN regexp_matches({text}, {literal(ZONED)}) THEN TRY_CAST({text} AS TIMESTAMPTZ)
    ELSE {_local(_clock(text, dates), zone)} END"""


def time_text(column: str) -> str:
    """What is written in a column of times, with seconds where it has only minutes."""
    name = quoted([column])[0]
    return f"regexp_replace(trim(CAST({name} AS VARCHAR)), {literal(NO_SECONDS)}, {literal(WITH_SECONDS)})"


def _clock(text: str, dates: DateStyle | None) -> str:
    iso = f"TRY_CAST({text} AS TIMESTAMP)"
    return iso if dates is None else f"coalesce({iso}, {dates.parsed(text)})"


def _local(time: str, zone: str | None) -> str:
    """Clock time of a zone; NULL for what its clocks skip."""
    if zone is None:
        return "NULL"
    there = literal(zone)
    back = f"({time} AT TIME ZONE {there}) AT TIME ZONE {there}"
    return f"(CASE WHEN {back} = {time} THEN {time} AT TIME ZONE {there} END)"


def convert(columns: Mapping[str, str]) -> str:
    """A table of samples out of the raw rows: expressions by name."""
    chosen = ", ".join(f"{what} AS {name}" for name, what in zip(quoted(columns), columns.values(), strict=True))
    return f'CREATE OR REPLACE TABLE {VALUES} AS SELECT "row", {chosen} FROM raw'


def by_name(names: Mapping[str, str], column: str, otherwise: str = "NULL") -> str:
    """SQL that is said of each name in a column."""
    whens = " ".join(f"WHEN {literal(name)} THEN {what}" for name, what in names.items())
    return f"CASE trim({quoted([column])[0]}) {whens} ELSE {otherwise} END"


def duplicates(keys: Sequence[str]) -> str:
    """Keys that are there more than once: how many, the first two rows of the first, and what they name."""
    names = ", ".join(quoted(keys))
    return f"""
WITH twice AS (
    SELECT {names}, min("row") AS first, min("row", 2)[2] AS second FROM {VALUES} GROUP BY {names} HAVING count(*) > 1
)
SELECT count(*) OVER () AS keys, first, second, * EXCLUDE (first, second) FROM twice ORDER BY second LIMIT 1
"""


def keep(keys: Sequence[str], which: str) -> str:
    """Remove all but the first or the last row of each key."""
    order = "ASC" if which == "first" else "DESC"
    names = ", ".join(quoted(keys))
    return f"""
CREATE OR REPLACE TABLE {VALUES} AS FROM {VALUES}
QUALIFY row_number() OVER (PARTITION BY {names} ORDER BY "row" {order}) = 1
"""


def finite(column: str) -> str:
    """A value, or NULL where it is NaN or infinite."""
    return f"CASE WHEN isfinite({column}) THEN {column} END"


def wide(metrics: Sequence[str]) -> str:
    """Samples as the store takes them, from a column a metric."""
    values = ", ".join(f"{finite(name)} AS {name}" for name in quoted(metrics))
    known = " OR ".join(f"isfinite({name})" for name in quoted(metrics))
    return f"SELECT service_name, timestamp, {values} FROM {VALUES} WHERE {known} ORDER BY service_name, timestamp"


def pivoted(metrics: Sequence[str]) -> str:
    """Samples as the store takes them, from a row a value."""
    values = ", ".join(
        f"any_value({finite('value')}) FILTER (metric = {literal(bare)}) AS {name}"
        for bare, name in zip(metrics, quoted(metrics), strict=True)
    )
    return f"""
SELECT service_name, timestamp, {values} FROM {VALUES} WHERE isfinite(value) AND metric IS NOT NULL
GROUP BY service_name, timestamp ORDER BY service_name, timestamp
"""


def facts(file: str, metrics: Sequence[str]) -> str:
    """What a Parquet file of samples holds: a row a metric."""
    rows = " UNION ALL ".join(
        f"SELECT {literal(bare)} AS metric, count({name}) AS known, min({name}) AS low, median({name}) AS middle, "
        f"max({name}) AS high FROM samples"
        for bare, name in zip(metrics, quoted(metrics), strict=True)
    )
    return f"WITH samples AS (FROM read_parquet({file_literal(file)})) {rows}"


def extent(file: str) -> str:
    """Number of rows, first and last time, of a Parquet file of samples."""
    return f"""
SELECT count(*) AS samples, min(timestamp) AS first, max(timestamp) AS last FROM read_parquet({file_literal(file)})
"""


def services(file: str) -> str:
    """Names in a Parquet file of samples."""
    return f"SELECT DISTINCT service_name FROM read_parquet({file_literal(file)}) ORDER BY service_name"


POINTS = "points"
"""The table of what a format read: ``row``, ``series``, ``time`` and ``value`` as they are written."""


def load_points(file: str) -> str:
    """The rows that a format wrote into a CSV file."""
    columns = "{'row': 'BIGINT', 'series': 'INTEGER', 'time': 'VARCHAR', 'value': 'VARCHAR'}"
    return (
        f"CREATE OR REPLACE TABLE {POINTS} AS FROM read_csv({file_literal(file)}, "
        f"auto_detect := false, header := false, delim := ',', quote := '\"', escape := '\"', columns := {columns})"
    )


def join_series(rows: Sequence[tuple[int, str, str, str, str, float]]) -> str:
    """The table ``raw`` of points whose series are taken: number, text, service, metric, base, factor of each."""
    values = ", ".join(
        f"({number}, {literal(text)}, {literal(service)}, {literal(metric)}, {literal(base)}, {factor!r}::DOUBLE)"
        for number, text, service, metric, base, factor in rows
    )
    return f"""
CREATE OR REPLACE TABLE raw AS
SELECT "row", time AS time_text, value AS value_text, text AS series_text, service AS service_text,
    metric AS metric_text, base, factor
FROM {POINTS} JOIN (VALUES {values}) AS s(number, text, service, metric, base, factor) ON series = number
"""


def first_samples(file: str, most: int) -> str:
    """The first rows of a Parquet file of samples."""
    return f"FROM read_parquet({file_literal(file)}) LIMIT {most}"


def magnitude(column: str) -> str:
    """A number in a column of times, as it is."""
    return f'SELECT TRY_CAST({quoted([column])[0]} AS DOUBLE) AS number FROM raw ORDER BY "row" LIMIT 1'
