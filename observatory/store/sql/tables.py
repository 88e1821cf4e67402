"""All SQL of the store. Values are bound parameters; names of columns come from the catalogue only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from observatory.store.sql.literals import literal

COLUMNS = "SELECT column_name FROM duckdb_columns() WHERE database_name = current_database() AND table_name = ?"

SAMPLES = "service_metrics"
SERVICE_KEY = "service_key"
"""A number for `service_name`, which DuckDB finds quickly; see the migration that adds it."""


def service_key(name: str = "service_name") -> str:
    """The expression for the key of a service whose name is that expression; MD5 stays what it is."""
    return f"CAST(md5_number_lower({name}) >> 32 AS UINTEGER)"


OF_SERVICE = f"{SERVICE_KEY} = {service_key('CAST($service AS VARCHAR)')} AND service_name = $service"
COMPUTED = {SAMPLES: {SERVICE_KEY: service_key("b.service_name")}}
"""Columns that follow from those of a batch ``b``, by table."""

STAGING = "incoming_"
STAGED = f"SELECT table_name FROM duckdb_tables() WHERE table_name LIKE '{STAGING}%'"  # noqa: S608
OPEN_TRANSACTIONS = """
SELECT connection_id, CAST(query_started_at AS VARCHAR), state, query FROM quack_active_connections()
WHERE contains(query, $tag)
"""
TABLES = f"""
SELECT table_name FROM duckdb_tables()
WHERE database_name = current_database() AND NOT internal AND table_name NOT LIKE '{STAGING}%'
  AND table_name NOT IN ('schema_migrations', 'write_lock')
"""  # noqa: S608
NUMBERS = COLUMNS + " AND data_type IN ('DOUBLE', 'FLOAT')"
LOCK = "UPDATE write_lock SET taken = taken + 1, revision = revision + ?"
REVISION = "SELECT CAST(sum(revision) AS BIGINT) FROM write_lock"

CREATE_MIGRATIONS = """
CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER NOT NULL, applied_at TIMESTAMPTZ NOT NULL)
"""
APPLIED_MIGRATION = "SELECT coalesce(max(version), 0) FROM schema_migrations"
RECORD_MIGRATION = """
INSERT INTO schema_migrations SELECT CAST(? AS INTEGER), now()
WHERE NOT EXISTS (FROM schema_migrations WHERE version = ?)
"""

SERVICES = """
SELECT service_name AS name, source, team, tier, objective, latency_target, cpu_limit, memory_limit, desired_pods
FROM services ORDER BY service_name
"""
SERVICE = SERVICES.replace("ORDER BY service_name", "WHERE service_name = ?")

ANOMALIES = """
SELECT * FROM metrics_anomalies
WHERE ended_at >= coalesce(CAST($start AS TIMESTAMPTZ), '-infinity')
  AND timestamp <= coalesce(CAST($end AS TIMESTAMPTZ), 'infinity')
  AND ($services IS NULL OR list_contains(CAST($services AS VARCHAR[]), service_name))
  AND ($severities IS NULL OR list_contains(CAST($severities AS VARCHAR[]), severity))
  AND (is_open OR NOT $open_only)
  AND (CAST($last AS TIMESTAMPTZ) IS NULL OR timestamp < CAST($last AS TIMESTAMPTZ)
       OR (timestamp = CAST($last AS TIMESTAMPTZ) AND (service_name > CAST($last_service AS VARCHAR)
           OR (service_name = CAST($last_service AS VARCHAR) AND detector > CAST($last_detector AS VARCHAR)))))
ORDER BY timestamp DESC, service_name, detector
LIMIT coalesce($limit, 1000000)
"""

CALLS = "SELECT caller, callee FROM calls ORDER BY caller, callee"

FAULTS = """
SELECT * FROM faults
WHERE ended_at >= coalesce(CAST($start AS TIMESTAMPTZ), '-infinity')
  AND started_at <= coalesce(CAST($end AS TIMESTAMPTZ), 'infinity')
ORDER BY started_at, service_name
"""

FEEDBACK = """
SELECT * FROM feedback
WHERE ended_at >= coalesce(CAST($start AS TIMESTAMPTZ), '-infinity')
  AND started_at <= coalesce(CAST($end AS TIMESTAMPTZ), 'infinity')
  AND ($services IS NULL OR list_contains(CAST($services AS VARCHAR[]), service_name))
ORDER BY started_at, service_name, detector
"""

CYCLES = """
SELECT * REPLACE (coalesce(skipped, 0) AS skipped) FROM cycles ORDER BY started_at DESC LIMIT ?
"""
SKIPPED = "SELECT CAST(coalesce(sum(skipped), 0) AS BIGINT) FROM cycles WHERE started_at >= ?"
DETECTOR_STATES = "SELECT * FROM detector_states WHERE detector = ? ORDER BY service_name"
OLD_STATES = "SELECT count(*) FROM detector_states WHERE learned_until < ?"
FORGET_STATES = "DELETE FROM detector_states WHERE learned_until < ?"
PRUNE_CYCLES = "DELETE FROM cycles WHERE started_at < ?"

REMARKS = """
SELECT warning, started_at, ended_at FROM remarks
WHERE source = ? AND started_at <= ? AND ended_at >= ? ORDER BY started_at, warning
"""

META = "SELECT value FROM meta WHERE key = ?"
VIEW_MADE_AS = """
SELECT value FROM meta WHERE key = ?
  AND EXISTS (FROM duckdb_views() WHERE database_name = current_database() AND view_name = 'samples')
"""
FORGET_META = "DELETE FROM meta WHERE key = ?"
REMEMBER_META = "INSERT INTO meta VALUES (?, ?)"


def quoted(names: Iterable[str]) -> list[str]:
    """Identifiers in double quotes."""
    return ['"' + name.replace('"', '""') + '"' for name in names]


def add_column(table: str, column: str) -> str:
    """A nullable column of numbers; seven digits are enough for a summary, and take half the space."""
    kind = "FLOAT" if table.startswith("rollup_") else "DOUBLE"
    return f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {quoted([column])[0]} {kind}"


def drop_table(name: str) -> str:
    """Forget a batch."""
    return f"DROP TABLE IF EXISTS {quoted([name])[0]}"


def view_of_file(name: str, file: Path) -> str:
    """Read a Parquet file as a table, for this session."""
    return f"CREATE OR REPLACE TEMP VIEW {quoted([name])[0]} AS FROM read_parquet({literal(str(file))})"


def copy_to_file(name: str, file: Path) -> str:
    """A table into a Parquet file that is read soon and once."""
    return f"COPY (FROM {quoted([name])[0]}) TO {literal(str(file))} (FORMAT parquet, COMPRESSION uncompressed)"


def drop_view(name: str) -> str:
    """Forget a file that was a table."""
    return f"DROP VIEW IF EXISTS {quoted([name])[0]}"


def copy_rows(table: str, target: str) -> str:
    """All rows of a table into another of the same columns."""
    return f"INSERT INTO {target} BY NAME SELECT * FROM {table}"  # noqa: S608


def count_rows(table: str) -> str:
    """Number of rows."""
    return f"SELECT count(*) AS row_count FROM {table}"  # noqa: S608


def table_facts(table: str) -> str:
    """Number of rows, and a sum over their hashes; every value is read."""
    return f"""
SELECT count(*) AS row_count, CAST(coalesce(sum(CAST(hash(t) AS HUGEINT)), 0) AS VARCHAR) AS checksum FROM {table} AS t
"""  # noqa: S608


def duplicates(table: str, keys: Iterable[str]) -> str:
    """Number of keys that are there more than once."""
    return f"SELECT count(*) FROM (SELECT 1 FROM {table} GROUP BY {', '.join(keys)} HAVING count(*) > 1)"  # noqa: S608


def merge(table: str, batch: str, keys: list[str], values: list[str], *, keep_known: bool = False) -> str:
    """Upsert of the rows of `batch` into `table`; `keep_known`: a NULL never replaces a value."""
    k, v = quoted(keys), quoted(values)
    new = "coalesce(b.{0}, t.{0})" if keep_known else "b.{0}"
    matched = f"WHEN MATCHED THEN UPDATE SET {', '.join(f'{c} = {new.format(c)}' for c in v)}" if v else ""
    columns, expressions = _inserted(table, k + v)
    return f"""
MERGE INTO {table} AS t USING {batch} AS b ON {" AND ".join(f"t.{c} = b.{c}" for c in k)}
{matched}
WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({expressions})
"""  # noqa: S608 - names come from the catalogue and this package, never from a user


def insert(table: str, batch: str, columns: list[str]) -> str:
    """All rows of `batch` into `table`, which has none of them yet."""
    names, expressions = _inserted(table, quoted(columns))
    return f"INSERT INTO {table} ({names}) SELECT {expressions} FROM {batch} AS b"  # noqa: S608 - names as in merge


def _inserted(table: str, columns: list[str]) -> tuple[str, str]:
    """Columns of a new row, and what they get from a batch ``b``."""
    computed = COMPUTED.get(table, {})
    return ", ".join([*columns, *computed]), ", ".join([*(f"b.{c}" for c in columns), *computed.values()])


def are_new(table: str, batch: str, keys: list[str]) -> str:
    """Whether `table` has no row of `batch`, looking at timestamps from `?` to `?` only."""
    there = (
        f"FROM {table} AS t SEMI JOIN {batch} AS b USING ({', '.join(quoted(keys))}) WHERE timestamp BETWEEN ? AND ?"
    )
    return f"SELECT NOT EXISTS ({there})"


def samples(metrics: list[str]) -> str:
    """Raw samples of one service, oldest first."""
    return f"""
SELECT timestamp, {", ".join(quoted(metrics))} FROM samples
WHERE {OF_SERVICE} AND timestamp BETWEEN $start AND $end ORDER BY timestamp
"""  # noqa: S608


def samples_of_all(metrics: list[str]) -> str:
    """Raw samples of many services, by service and time."""
    return f"""
SELECT service_name, timestamp, {", ".join(quoted(metrics))} FROM samples
WHERE timestamp BETWEEN $start AND $end
  AND ($services IS NULL OR list_contains(CAST($services AS VARCHAR[]), service_name))
ORDER BY service_name, timestamp
"""  # noqa: S608


def buckets(aggregates: Mapping[str, str], *, extremes: bool = True) -> str:
    """Samples of one service in buckets of `$seconds`: aggregate, and lowest and highest value if asked for."""
    more = ', min({1}) AS "{0}__min", max({1}) AS "{0}__max"' if extremes else ""
    columns = ", ".join(
        f"{how}({name}) AS {name}" + more.format(bare, name)
        for (bare, how), name in zip(aggregates.items(), quoted(aggregates), strict=True)
    )
    return f"""
SELECT time_bucket(to_seconds($seconds), timestamp) AS timestamp, {columns} FROM samples
WHERE {OF_SERVICE} AND timestamp BETWEEN $start AND $end GROUP BY 1 ORDER BY 1
"""  # noqa: S608


def trends(aggregates: Mapping[str, str]) -> str:
    """Samples of all services in buckets of `$width` microseconds since 1970."""
    columns = ", ".join(
        f"{how}({name}) AS {name}" for how, name in zip(aggregates.values(), quoted(aggregates), strict=True)
    )
    return f"""
SELECT service_name, make_timestamptz(epoch_us(timestamp) // $width * $width) AS timestamp, {columns} FROM samples
WHERE timestamp BETWEEN $start AND $end GROUP BY ALL
"""  # noqa: S608


def latest(metrics: list[str], *, older: bool) -> str:
    """The newest sample of every service since `$edge`; a metric missing in it is NULL, not an older value.

    `older`: also of those whose last samples were taken at `$times`.
    """
    columns = ", ".join(["service_name", "timestamp", *quoted(metrics)])
    more = f"""
UNION ALL SELECT {columns} FROM samples WHERE timestamp IN (SELECT unnest(CAST($times AS TIMESTAMPTZ[])))"""  # noqa: S608
    return f"""
FROM (SELECT {columns} FROM samples WHERE timestamp >= $edge {more if older else ""})
QUALIFY row_number() OVER (PARTITION BY service_name ORDER BY timestamp DESC) = 1
ORDER BY service_name
"""  # noqa: S608
