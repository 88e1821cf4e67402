"""How samples of several services at one time become one: what adds up is added, what cannot be known is missing.

>>> combining({}, ["queue_depth"])["queue_depth"]
'CASE WHEN count("queue_depth") = 1 OR min("queue_depth") = max("queue_depth") THEN max("queue_depth") END'
"""
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Mapping, Sequence

from observatory.catalog import Metric
from observatory.store.sql.builders import quoted

WEIGHT = "request_rate"
ADD_UP = ("req/s", "cores", "bytes", "")
"""Units of which there is more where there are more services: rates, resources and counts."""


def combining(catalog: Mapping[str, Metric], columns: Sequence[str]) -> dict[str, str]:
    """By column an expression over the rows of one time.

    Rates, resources and counts are summed. Ratios are weighted by requests. A quantile of two services does not follow
    from theirs: it is that of the only one with requests, else missing, as is what nothing is known of.
    """
    weight = quoted([WEIGHT])[0] if WEIGHT in columns else "CAST(NULL AS DOUBLE)"
    return {
        column: _expression(catalog.get(column), name, weight)
        for column, name in zip(columns, quoted(columns), strict=True)
    }


def combined_rows(rows: str, metrics: Mapping[str, str]) -> str:
    """Rows of a table with one for each service and time."""
    values = "".join(
        f", {expression} AS {name}" for expression, name in zip(metrics.values(), quoted(metrics), strict=True)
    )
    return f"SELECT service_name, timestamp{values} FROM {rows} GROUP BY ALL ORDER BY service_name, timestamp"


def _expression(metric: Metric | None, name: str, weight: str) -> str:
    same = f"CASE WHEN count({name}) = 1 OR min({name}) = max({name}) THEN max({name}) END"
    if metric is None:
        return same
    if metric.unit in ADD_UP:
        return f"sum({name})"
    if not metric.needs_traffic:
        return same
    if metric.unit == "ratio":
        requests = f"nullif(sum({weight}) FILTER ({name} IS NOT NULL), 0)"
        return f"coalesce(sum({name} * {weight}) / {requests}, {same})"
    busy = f"FILTER ({weight} > 0)"
    return f"CASE WHEN count({name}) {busy} = 1 THEN max({name}) {busy} ELSE {same} END"
