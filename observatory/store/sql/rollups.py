"""SQL of roll-ups, of the order of rows, and of the archive. Names come from the catalogue and this package only."""
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from observatory.store.sql.literals import literal
from observatory.store.sql.tables import OF_SERVICE, SERVICE_KEY, quoted, service_key

ROLLUPS = {"rollup_5m": 300, "rollup_1h": 3600}
"""Tables and their resolution [s], the finest first."""
PARTS = ("min", "max", "avg", "count")

DONE = "SELECT done_until FROM upkeep WHERE task = ?"
FORGET = "DELETE FROM upkeep WHERE task = ?"
REMEMBER = "INSERT INTO upkeep VALUES (?, ?)"
OLDEST = "SELECT min(timestamp) AS oldest FROM samples"
OLDEST_LIVE = "SELECT min(timestamp) AS oldest FROM service_metrics"
SILENT = """
SELECT DISTINCT last FROM (
    SELECT max(newest) AS last FROM rollup_1h WHERE timestamp >= CAST($since AS TIMESTAMPTZ) - INTERVAL 1 HOUR
    GROUP BY service_name
) WHERE last >= CAST($since AS TIMESTAMPTZ) AND last < CAST($edge AS TIMESTAMPTZ)
"""
"""Times of the last samples of services that have none since."""
ROWS_BETWEEN = "SELECT count(*) FROM service_metrics WHERE timestamp >= ? AND timestamp < ?"
DELETE_BEFORE = "DELETE FROM service_metrics WHERE timestamp < ?"
DELETE_BETWEEN = "DELETE FROM service_metrics WHERE timestamp >= ? AND timestamp < ?"

ARCHIVE_FILES = "SELECT file, month, row_count, checksum FROM archive_files ORDER BY month"
FORGET_FILE = "DELETE FROM archive_files WHERE file = ?"
REMEMBER_FILE = "INSERT INTO archive_files VALUES (?, ?, ?, ?)"
PRUNE_ANOMALIES = "DELETE FROM metrics_anomalies WHERE ended_at < ? AND NOT is_open"

COUNTS = """
WITH edge AS (SELECT coalesce(max(done_until), '-infinity'::TIMESTAMPTZ) AS until FROM upkeep WHERE task = 'rollup'),
parts AS (
    SELECT service_name, samples, oldest, newest FROM rollup_1h WHERE timestamp < (SELECT until FROM edge)
    UNION ALL
    SELECT service_name, count(*), min(timestamp), max(timestamp) FROM samples
    WHERE timestamp >= (SELECT until FROM edge) GROUP BY ALL
)
SELECT service_name, CAST(sum(samples) AS BIGINT) AS samples, min(oldest) AS first, max(newest) AS last
FROM parts GROUP BY ALL ORDER BY service_name
"""

COMPARE_ROLLUPS = """
WITH edge AS (SELECT coalesce(max(done_until), '-infinity'::TIMESTAMPTZ) AS until FROM upkeep WHERE task = 'rollup')
SELECT (SELECT count(*) FROM samples WHERE timestamp < (SELECT until FROM edge)) AS samples,
    CAST((SELECT coalesce(sum(samples), 0) FROM rollup_1h) AS BIGINT) AS rolled_up
"""


def rollup_columns(metrics: Sequence[str]) -> list[str]:
    """Columns of a roll-up for some metrics."""
    return [f"{name}__{part}" for name in metrics for part in PARTS]


def forget_rollup(table: str) -> str:
    """Remove buckets in a range."""
    return f"DELETE FROM {table} WHERE timestamp >= ? AND timestamp < ?"


def prune_rollup(table: str) -> str:
    """Remove buckets before a time, but none whose samples are still there."""
    return f"DELETE FROM {table} WHERE timestamp < least(?, (SELECT min(timestamp) FROM samples))"


def roll_up(table: str, metrics: Sequence[str], which: str = "timestamp >= ? AND timestamp < ?") -> str:
    """Summarise the samples of a range."""
    parts = [
        f'{how}({name}) AS "{bare}__{how}"'
        for bare, name in zip(metrics, quoted(metrics), strict=True)
        for how in PARTS
    ]
    return f"""
INSERT INTO {table} BY NAME
SELECT service_name, {service_key()} AS {SERVICE_KEY},
    time_bucket(INTERVAL {ROLLUPS[table]} SECOND, timestamp) AS timestamp,
    count(*) AS samples, min(timestamp) AS oldest, max(timestamp) AS newest, {", ".join(parts)}
FROM samples WHERE {which} GROUP BY ALL ORDER BY {SERVICE_KEY}, service_name, timestamp
"""


def refresh(table: str, metrics: Sequence[str], batch: str) -> list[str]:
    """Summarise again what late samples of a batch are part of (`?`: from, to before)."""
    late = f"timestamp >= ? AND timestamp < ? AND service_name IN (SELECT service_name FROM {batch})"
    return [f"DELETE FROM {table} WHERE {late}", roll_up(table, metrics, late)]


def buckets(table: str, aggregates: Mapping[str, str], *, extremes: bool = True) -> str:
    """What `queries.buckets` gives, mostly from a roll-up: whole buckets from there, both ends from samples."""
    step = f"INTERVAL {ROLLUPS[table]} SECOND"
    stored, raw, columns = [], [], []
    for bare, name in zip(aggregates, quoted(aggregates), strict=True):
        low, high, mean, count = quoted([f"{bare}__{part}" for part in PARTS])
        total, number = quoted([f"{bare}__sum", f"{bare}__count"])
        stored.append(f"{low}, {high}, CAST({mean} AS DOUBLE) * {count} AS {total}, {count} AS {number}")
        raw.append(
            f"{name} AS {low}, {name} AS {high}, {name} AS {total}, CAST({name} IS NOT NULL AS BIGINT) AS {number}"
        )
        how = {
            "avg": f"sum({total}) / nullif(sum({number}), 0)",
            "sum": f"sum({total})",
            "max": f"max({high})",
        }[aggregates[bare]]
        columns.append(f"{how} AS {name}" + (f", min({low}) AS {low}, max({high}) AS {high}" if extremes else ""))
    return f"""
WITH edge AS (
    SELECT time_bucket({step}, CAST($start AS TIMESTAMPTZ) + {step} - INTERVAL 1 MICROSECOND) AS first,
        least(time_bucket({step}, CAST($end AS TIMESTAMPTZ)), coalesce(max(done_until), '-infinity')) AS last
    FROM upkeep WHERE task = 'rollup'
),
parts AS (
    SELECT timestamp, {", ".join(stored)} FROM {table}
    WHERE {OF_SERVICE} AND timestamp >= (SELECT first FROM edge) AND timestamp < (SELECT last FROM edge)
    UNION ALL BY NAME
    SELECT timestamp, {", ".join(raw)} FROM samples
    WHERE {OF_SERVICE} AND timestamp BETWEEN $start AND $end
      AND (timestamp < (SELECT first FROM edge) OR timestamp >= (SELECT last FROM edge))
)
SELECT time_bucket(to_seconds($seconds), timestamp) AS timestamp, {", ".join(columns)}
FROM parts GROUP BY 1 ORDER BY 1
"""


def sample_views(metrics: Sequence[str], files: Sequence[str], before: datetime | None) -> list[str]:
    """The views ``archived``, and ``samples`` over live and archived ones; a live one hides its archived copy."""
    columns = ", ".join(["service_name", "timestamp", *quoted(metrics)])
    archived = "CREATE OR REPLACE VIEW archived AS "
    samples = f"CREATE OR REPLACE VIEW samples AS SELECT {columns}, {SERVICE_KEY} FROM service_metrics"
    if not files:
        return [archived + f"SELECT {columns} FROM service_metrics WHERE false", samples]
    hidden = f"SELECT service_name, timestamp FROM service_metrics WHERE timestamp < {literal(before)}"
    union = f"""
UNION ALL BY NAME
SELECT a.*, {service_key("a.service_name")} AS {SERVICE_KEY}
FROM {parquet(files)} AS a ANTI JOIN ({hidden}) AS l USING (service_name, timestamp)"""
    return [archived + f"FROM {parquet(files)}", samples + union]


def parquet(files: Sequence[str]) -> str:
    """Archived samples, whatever columns their time had."""
    return f"read_parquet({literal(list(files))}, union_by_name := true, hive_partitioning := false)"


def month_rows(metrics: Sequence[str], old: Sequence[str], first: datetime, last: datetime) -> str:
    """All of a month: its live rows from `first` to before `last`, and archived ones they do not replace."""
    columns = ", ".join(["service_name", "timestamp", *quoted(metrics)])
    between = f"timestamp >= {literal(first)} AND timestamp < {literal(last)}"
    live = f"SELECT {columns} FROM service_metrics WHERE {between}"
    if not old:
        return live
    return f"""
{live} UNION ALL BY NAME
SELECT * FROM {parquet(old)} AS a
ANTI JOIN (SELECT service_name, timestamp FROM service_metrics WHERE {between}) AS l USING (service_name, timestamp)"""


def write_parquet(rows: str, file: str) -> str:
    """Rows into a Parquet file, each service's together."""
    return (
        f"COPY (FROM ({rows}) ORDER BY service_name, timestamp) TO {literal(file)} "
        "(FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)"
    )


def checksum(rows: str, metrics: Sequence[str]) -> str:
    """Number of rows, and a sum over their hashes that does not depend on their order."""
    values = ", ".join(["service_name", "epoch_us(timestamp)", *quoted(metrics)])
    total = f"CAST(coalesce(sum(CAST(hash({values}) AS HUGEINT)), 0) AS VARCHAR)"
    return f"SELECT count(*) AS row_count, {total} AS checksum FROM ({rows})"


def restore_late(batch: str) -> str:
    """Fetch the archived rows that a late batch touches, so that it changes only what it knows."""
    return f"""
INSERT INTO service_metrics BY NAME
SELECT a.*, {service_key("a.service_name")} AS {SERVICE_KEY} FROM archived AS a
SEMI JOIN {batch} AS b USING (service_name, timestamp)
ANTI JOIN service_metrics AS t USING (service_name, timestamp)
"""


def reorder(copy: str) -> list[str]:
    """Rows of a range (`?` twice) written again, each service's together."""
    return [
        f"CREATE TABLE {copy} AS SELECT * FROM service_metrics WHERE timestamp >= ? AND timestamp < ?",
        DELETE_BETWEEN,
        f"INSERT INTO service_metrics SELECT * FROM {copy} ORDER BY {SERVICE_KEY}, service_name, timestamp",
        f"DROP TABLE {copy}",
    ]
