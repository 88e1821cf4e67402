"""SQL of roll-ups, and of what is answered from them. Names come from the catalogue and this package only."""
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Mapping, Sequence

from observatory.store.sql.builders import quoted
from observatory.store.sql.samples import OF_SERVICE, SERVICE_KEY, service_key

PARTS = ("min", "max", "avg", "count")

SILENT = """
SELECT DISTINCT last FROM (
    SELECT max(newest) AS last FROM rollup_1h WHERE timestamp >= CAST($since AS TIMESTAMPTZ) - INTERVAL 1 HOUR
    GROUP BY service_name
) WHERE last >= CAST($since AS TIMESTAMPTZ) AND last < CAST($edge AS TIMESTAMPTZ)
"""
"""Times of the last samples of services that have none since."""

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

COMPARE = """
WITH edge AS (SELECT coalesce(max(done_until), '-infinity'::TIMESTAMPTZ) AS until FROM upkeep WHERE task = 'rollup')
SELECT (SELECT count(*) FROM samples WHERE timestamp < (SELECT until FROM edge)) AS samples,
    CAST((SELECT coalesce(sum(samples), 0) FROM rollup_1h) AS BIGINT) AS rolled_up
"""


def columns(metrics: Sequence[str]) -> list[str]:
    """Columns of a roll-up for some metrics."""
    return [f"{name}__{part}" for name in metrics for part in PARTS]


def forget(table: str) -> str:
    """Remove buckets in a range."""
    return f"DELETE FROM {table} WHERE timestamp >= ? AND timestamp < ?"


def prune(table: str) -> str:
    """Remove buckets before a time, but none whose samples are still there."""
    return f"DELETE FROM {table} WHERE timestamp < least(?, (SELECT min(timestamp) FROM samples))"


def roll_up(table: str, seconds: int, metrics: Sequence[str], which: str = "timestamp >= ? AND timestamp < ?") -> str:
    """Summarise the samples of a range over `seconds`."""
    parts = [
        f'{how}({name}) AS "{bare}__{how}"'
        for bare, name in zip(metrics, quoted(metrics), strict=True)
        for how in PARTS
    ]
    return f"""
INSERT INTO {table} BY NAME
SELECT service_name, {service_key()} AS {SERVICE_KEY},
    time_bucket(INTERVAL {seconds} SECOND, timestamp) AS timestamp,
    count(*) AS samples, min(timestamp) AS oldest, max(timestamp) AS newest, {", ".join(parts)}
FROM samples WHERE {which} GROUP BY ALL ORDER BY {SERVICE_KEY}, service_name, timestamp
"""


def refresh(table: str, seconds: int, metrics: Sequence[str], batch: str) -> list[str]:
    """Summarise again what late samples of a batch are part of (`?`: from, to before)."""
    late = f"timestamp >= ? AND timestamp < ? AND service_name IN (SELECT service_name FROM {batch})"
    return [f"DELETE FROM {table} WHERE {late}", roll_up(table, seconds, metrics, late)]


def buckets(table: str, seconds: int, aggregates: Mapping[str, str], *, extremes: bool = True) -> str:
    """What `samples.buckets` gives: whole buckets from a roll-up over `seconds`, both ends from samples."""
    step = f"INTERVAL {seconds} SECOND"
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
