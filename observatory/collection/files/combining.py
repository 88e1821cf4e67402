"""SQL that makes rates of counters, and one series of several."""
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Sequence

from observatory.collection.files.queries import VALUES
from observatory.store.sql.literals import literal


def rates(series: Sequence[tuple[str, str]]) -> str:
    """Rates per second in place of the values of counters, and of counts in each period: series and unit of each.

    A counter that fell was reset, and counts from 0. The first value has no rate, nor has one after a gap of more than
    five times the usual step: nobody knows when what it counts happened. The period of counts is their usual step.
    """
    rows = ", ".join(f"({', '.join(map(literal, one))})" for one in series)
    return f"""
CREATE OR REPLACE TABLE {VALUES} AS
WITH told AS (
    FROM (VALUES {rows}) AS told(series_text, unit)
), steps AS (
    SELECT *, (epoch_us(timestamp) - lag(epoch_us(timestamp)) OVER series) / 1e6 AS step,
        value - lag(value) OVER series AS grown
    FROM {VALUES} JOIN told USING (series_text) WHERE isfinite(value)
    WINDOW series AS (PARTITION BY series_text ORDER BY timestamp)
), usual AS (
    SELECT series_text, quantile_disc(step, 0.5) AS period FROM steps GROUP BY ALL
)
SELECT * FROM {VALUES} ANTI JOIN told USING (series_text)
UNION ALL BY NAME
SELECT "row", service_name, timestamp, metric, series_text, CASE
    WHEN unit = 'count' THEN value / period
    WHEN step <= 5 * period THEN (CASE WHEN grown < 0 THEN value ELSE grown END) / step END AS value
FROM steps JOIN usual USING (series_text)
"""


_THERE = "(value IS NULL OR isfinite(value))"
"""A series is there also where its value is not known, as at the start of a counter; NaN says that it has ended."""
_ALIVE = f"""
known AS (
    FROM {VALUES} WHERE isfinite(value)
), spans AS (
    SELECT service_name, metric, series_text, min(timestamp) AS first, max(timestamp) AS last
    FROM {VALUES} WHERE {_THERE} GROUP BY ALL
), alive AS (
    SELECT times.service_name, times.metric, times.timestamp, count(*) AS series
    FROM (SELECT DISTINCT service_name, metric, timestamp FROM known) AS times JOIN spans
        ON times.service_name = spans.service_name AND times.metric = spans.metric AND timestamp BETWEEN first AND last
    GROUP BY ALL
), summed AS (
    SELECT service_name, metric, timestamp, min("row") AS "row", sum(value) AS value, count(*) AS given
    FROM known GROUP BY service_name, metric, timestamp
)"""
"""The sum of all series of a service and metric at a time, and how many there are between their first and last."""

COUNT_PARTIAL = f"""
WITH {_ALIVE} SELECT count(*) FROM summed JOIN alive USING (service_name, metric, timestamp) WHERE given < series
"""
"""Times at which a series that comes before and after has no value, so that a sum would be too small."""

SUM = f"""
CREATE OR REPLACE TABLE {VALUES} AS WITH {_ALIVE}
SELECT "row", service_name, timestamp, metric, CASE WHEN given = series THEN value END AS value
FROM summed JOIN alive USING (service_name, metric, timestamp)
"""
"""One series for each service and metric; missing where one of them is."""

ALIGN = f"""
CREATE OR REPLACE TABLE {VALUES} AS
WITH steps AS (
    SELECT service_name, metric, series_text,
        epoch_us(timestamp) - lag(epoch_us(timestamp)) OVER (PARTITION BY series_text ORDER BY timestamp) AS step
    FROM {VALUES} WHERE isfinite(value)
), usual AS (
    SELECT service_name, metric, series_text, quantile_disc(step, 0.5) AS step FROM steps GROUP BY ALL
), periods AS (
    SELECT service_name, metric, max(step)::BIGINT AS period FROM usual GROUP BY ALL
)
SELECT min("row") AS "row", service_name, series_text, metric, avg(value) AS value,
    make_timestamptz(epoch_us(timestamp) // period * period) AS timestamp
FROM {VALUES} JOIN periods USING (service_name, metric)
WHERE {_THERE} AND period > 0 GROUP BY ALL
"""
"""Values of series that were read at different moments, at the beginning of the period that they are in."""
