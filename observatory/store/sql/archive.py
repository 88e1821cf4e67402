"""SQL of the archive, and of the views over live and archived samples."""
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from observatory.store.sql.builders import quoted
from observatory.store.sql.literals import file_literal, literal
from observatory.store.sql.samples import SERVICE_KEY, service_key

FILES = "SELECT file, month, row_count, checksum FROM archive_files ORDER BY month"
FORGET_FILE = "DELETE FROM archive_files WHERE file = ?"
REMEMBER_FILE = "INSERT INTO archive_files VALUES (?, ?, ?, ?)"
VIEW_FINGERPRINT = """
SELECT value FROM meta WHERE key = ?
  AND EXISTS (FROM duckdb_views() WHERE database_name = current_database() AND view_name = 'samples')
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
FROM archived AS a ANTI JOIN ({hidden}) AS l USING (service_name, timestamp)"""
    return [archived + named(files), samples + union]


def parquet(files: Sequence[str]) -> str:
    """Archived samples, whatever columns their time had."""
    return f"read_parquet([{', '.join(map(file_literal, files))}], union_by_name := true, hive_partitioning := false)"


def named(files: Sequence[str]) -> str:
    """Archived samples by the names that services have now, without those of services that are gone.

    Two parts, so that the first, which is nearly everything, is searched by the names in the files.
    """
    renamed = "n.service_name = a.service_name AND a.timestamp >= n.month AND a.timestamp < n.month_end"
    return f"""
SELECT a.* FROM {parquet(files)} AS a ANTI JOIN archived_names AS n ON {renamed}
UNION ALL BY NAME
SELECT a.* REPLACE (n.becomes AS service_name) FROM {parquet(files)} AS a JOIN archived_names AS n ON {renamed}
WHERE n.becomes IS NOT NULL"""


def month_rows(metrics: Sequence[str], old: Sequence[str], first: datetime, last: datetime) -> str:
    """All of a month: its live rows from `first` to before `last`, and archived ones they do not replace."""
    columns = ", ".join(["service_name", "timestamp", *quoted(metrics)])
    between = f"timestamp >= {literal(first)} AND timestamp < {literal(last)}"
    live = f"SELECT {columns} FROM service_metrics WHERE {between}"
    if not old:
        return live
    return f"""
{live} UNION ALL BY NAME
SELECT * FROM ({named(old)}) AS a
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
