"""SQL of what was fetched, and of how complete it is."""

from __future__ import annotations

from collections.abc import Sequence

from observatory.store.sql.builders import quoted

FETCHED = """
SELECT started_at, ended_at FROM fetches
WHERE source = $source AND asks = $asks AND step = $step AND (services = $services OR services = '')
ORDER BY started_at
"""

WARNINGS = """
SELECT source, started_at, ended_at, warnings FROM fetches
WHERE started_at <= ? AND ended_at >= ? AND warnings != '[]' ORDER BY started_at
"""

_CHOSEN = """timestamp BETWEEN $start AND $end
  AND ($services IS NULL OR list_contains(CAST($services AS VARCHAR[]), service_name))"""

# A gap lies between two neighbours, before the first and after the last. Half a step of tolerance, as nothing
# guarantees that samples of long ago lie on today's grid.
GAPS = f"""
WITH neighbours AS (
    SELECT service_name, timestamp,
        lag(timestamp) OVER (PARTITION BY service_name ORDER BY timestamp) AS before
    FROM samples WHERE {_CHOSEN}
),
edges AS (
    SELECT service_name, max(timestamp) AS newest FROM neighbours GROUP BY ALL
),
holes AS (
    SELECT service_name, coalesce(before + to_seconds($step), $start) AS first, timestamp - to_seconds($step) AS last
    FROM neighbours WHERE timestamp - coalesce(before, $start - to_seconds($step)) > to_seconds(1.5 * $step)
    UNION ALL
    SELECT service_name, newest + to_seconds($step), $end
    FROM edges WHERE $end - newest >= to_seconds($step)
)
SELECT first, last, any_value(CAST(floor(epoch(last - first) / $step) + 1 AS BIGINT)) AS missing,
    count(*) AS services, min(service_name) AS example
FROM holes GROUP BY first, last ORDER BY missing * services DESC, first LIMIT 1000
"""  # noqa: S608 - constants only


def counts(metrics: Sequence[str]) -> str:
    """How many values of each metric each service has in a range."""
    columns = ", ".join(f"count({name}) AS {name}" for name in quoted(metrics))
    return f"SELECT service_name, {columns} FROM samples WHERE {_CHOSEN} GROUP BY ALL ORDER BY ALL"  # noqa: S608
