"""SQL of samples, raw and in buckets. Names come from the catalogue and this package only."""
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Mapping, Sequence

from observatory.store.sql.builders import quoted

SERVICE_KEY = "service_key"
"""A number for `service_name`, which DuckDB finds quickly; see the migration that adds it."""


def service_key(name: str = "service_name") -> str:
    """The expression for the key of a service whose name is that expression; MD5 stays what it is."""
    return f"CAST(md5_number_lower({name}) >> 32 AS UINTEGER)"


OF_SERVICE = f"{SERVICE_KEY} = {service_key('CAST($service AS VARCHAR)')} AND service_name = $service"

OLDEST = "SELECT min(timestamp) AS oldest FROM samples"
OLDEST_LIVE = "SELECT min(timestamp) AS oldest FROM service_metrics"
ROWS_BETWEEN = "SELECT count(*) FROM service_metrics WHERE timestamp >= ? AND timestamp < ?"
DELETE_BEFORE = "DELETE FROM service_metrics WHERE timestamp < ?"
DELETE_BETWEEN = "DELETE FROM service_metrics WHERE timestamp >= ? AND timestamp < ?"


def samples(metrics: Sequence[str]) -> str:
    """Raw samples of one service, oldest first."""
    return f"""
SELECT timestamp, {", ".join(quoted(metrics))} FROM samples
WHERE {OF_SERVICE} AND timestamp BETWEEN $start AND $end ORDER BY timestamp
"""


def samples_of_all(metrics: Sequence[str]) -> str:
    """Raw samples of many services, by service and time."""
    return f"""
SELECT service_name, timestamp, {", ".join(quoted(metrics))} FROM samples
WHERE timestamp BETWEEN $start AND $end
  AND ($services IS NULL OR list_contains(CAST($services AS VARCHAR[]), service_name))
ORDER BY service_name, timestamp
"""


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
"""


def trends(aggregates: Mapping[str, str]) -> str:
    """Samples of all services in buckets of `$width` microseconds since 1970."""
    columns = ", ".join(
        f"{how}({name}) AS {name}" for how, name in zip(aggregates.values(), quoted(aggregates), strict=True)
    )
    return f"""
SELECT service_name, make_timestamptz(epoch_us(timestamp) // $width * $width) AS timestamp, {columns} FROM samples
WHERE timestamp BETWEEN $start AND $end GROUP BY ALL
"""


def latest(metrics: Sequence[str], *, older: bool) -> str:
    """The newest sample of every service since `$edge`; a metric missing in it is NULL, not an older value.

    `older`: also of those whose last samples were taken at `$times`.
    """
    columns = ", ".join(["service_name", "timestamp", *quoted(metrics)])
    more = f"""
UNION ALL SELECT {columns} FROM samples WHERE timestamp IN (SELECT unnest(CAST($times AS TIMESTAMPTZ[])))"""
    return f"""
FROM (SELECT {columns} FROM samples WHERE timestamp >= $edge {more if older else ""})
QUALIFY row_number() OVER (PARTITION BY service_name ORDER BY timestamp DESC) = 1
ORDER BY service_name
"""


def reorder(copy: str) -> list[str]:
    """Rows of a range (`?` twice) written again, each service's together."""
    return [
        f"CREATE TABLE {copy} AS SELECT * FROM service_metrics WHERE timestamp >= ? AND timestamp < ?",
        DELETE_BETWEEN,
        f"INSERT INTO service_metrics SELECT * FROM {copy} ORDER BY {SERVICE_KEY}, service_name, timestamp",
        f"DROP TABLE {copy}",
    ]
