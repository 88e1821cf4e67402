"""SQL of services that get another name.

A batch has a row for each service concerned: its `service_name`, what it `becomes`, NULL where it is removed, and its
`place`: of two rows that cannot both stay, that of the lowest place does. A service that others join becomes itself.
"""
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from observatory.store.sql.builders import quoted
from observatory.store.sql.literals import literal
from observatory.store.sql.rollups import PARTS
from observatory.store.sql.samples import SERVICE_KEY, service_key

RULES = "SELECT * FROM name_rules ORDER BY made_at, kind, pattern"
FORGET_RULES = "DELETE FROM name_rules"
ADD_RULES = """
INSERT INTO name_rules BY NAME
SELECT unnest(CAST($kind AS VARCHAR[])) AS kind, unnest(CAST($pattern AS VARCHAR[])) AS pattern,
    unnest(CAST($becomes AS VARCHAR[])) AS becomes, unnest(CAST($made_at AS TIMESTAMPTZ[])) AS made_at
"""

FORGET_ARCHIVED = "DELETE FROM archived_names WHERE month = ?"


def follow_archived(batch: str) -> str:
    """What had another name in the archive already is called as it is now."""
    return f"""
UPDATE archived_names SET becomes = b.becomes FROM {batch} AS b WHERE archived_names.becomes = b.service_name
"""


def add_archived(batch: str) -> str:
    """What is called in the archive as the services of a batch."""
    return f"""
INSERT INTO archived_names BY NAME
SELECT f.month, f.month + INTERVAL 1 MONTH AS month_end, b.service_name, b.becomes
FROM archive_files AS f, {batch} AS b
WHERE b.becomes IS DISTINCT FROM b.service_name AND NOT EXISTS (
    FROM archived_names AS n WHERE n.month = f.month AND n.service_name = b.service_name
)
"""


def overlaps(batch: str) -> str:
    """How many times more than one service has a sample that becomes that of one, the first and the last of them."""
    return f"""
SELECT count(*) AS times, min(timestamp) AS first, max(timestamp) AS last, min(becomes) AS example FROM (
    SELECT b.becomes, s.timestamp FROM samples AS s JOIN {batch} AS b USING (service_name)
    GROUP BY ALL HAVING count(*) > 1
)
"""


def overlapping_rollups(batch: str) -> str:
    """The same of summaries whose samples are gone; two that follow each other within one summary do not overlap."""
    return f"""
SELECT count(*) AS times, min(timestamp) AS first, max(timestamp) AS last, min(becomes) AS example FROM (
    SELECT b.becomes, timestamp, {_crosses()} AS crosses FROM rollup_1h AS r JOIN {batch} AS b USING (service_name)
) WHERE crosses AND timestamp < (SELECT coalesce(min(timestamp), 'infinity') FROM samples)
"""


def join_samples(copy: str, batch: str, metrics: Mapping[str, str], *, combine: bool) -> str:
    """The rows at times at which several services have one: combined by the expressions of `metrics`, or the first."""
    columns = ", ".join(quoted(metrics))
    several = f"""
SELECT b.becomes AS service_name, s.timestamp, b.place, {columns}
FROM samples AS s JOIN {batch} AS b USING (service_name)
QUALIFY count(*) OVER (PARTITION BY b.becomes, s.timestamp) > 1"""
    if not combine:
        one = "QUALIFY row_number() OVER (PARTITION BY service_name, timestamp ORDER BY place) = 1"
        return f"CREATE TEMP TABLE {copy} AS SELECT * EXCLUDE (place) FROM ({several}) {one}"
    values = ", ".join(
        f"{expression} AS {name}" for expression, name in zip(metrics.values(), quoted(metrics), strict=True)
    )
    return f"CREATE TEMP TABLE {copy} AS SELECT service_name, timestamp, {values} FROM ({several}) GROUP BY ALL"


def rename_samples(batch: str) -> str:
    """Samples that are not archived get their new name."""
    return f"""
UPDATE service_metrics SET service_name = b.becomes, {SERVICE_KEY} = {service_key("b.becomes")}
FROM {batch} AS b WHERE service_metrics.service_name = b.service_name AND b.becomes != b.service_name
"""


def replace_samples(copy: str) -> list[str]:
    """Put the rows of a copy in the place of those with the same service and time."""
    return [
        f"""
DELETE FROM service_metrics WHERE EXISTS (
    FROM {copy} AS c WHERE c.service_name = service_metrics.service_name AND c.timestamp = service_metrics.timestamp
)""",
        f"""
INSERT INTO service_metrics BY NAME SELECT *, {service_key()} AS {SERVICE_KEY} FROM {copy}
ORDER BY {SERVICE_KEY}, service_name, timestamp""",
    ]


def join_rollups(copy: str, table: str, batch: str, metrics: Sequence[str]) -> str:
    """Summaries by their new names; of two that overlap that of the most samples, for they tell no sums."""
    values = []
    for metric in metrics:
        low, high, mean, count = quoted([f"{metric}__{part}" for part in PARTS])
        together = {
            low: f"min({low})",
            high: f"max({high})",
            mean: f"sum({mean} * {count}) / nullif(sum({count}), 0)",
            count: f"sum({count})",
        }
        values += [
            f"CASE WHEN bool_or(crosses) THEN arg_max({name}, samples) ELSE {how} END AS {name}"
            for name, how in together.items()
        ]
    numbers = "".join(f", {value}" for value in values)
    return f"""
CREATE TEMP TABLE {copy} AS
SELECT becomes AS service_name, {service_key("becomes")} AS {SERVICE_KEY}, timestamp,
    CAST(CASE WHEN bool_or(crosses) THEN max(samples) ELSE sum(samples) END AS BIGINT) AS samples,
    min(oldest) AS oldest, max(newest) AS newest{numbers}
FROM (
    SELECT b.becomes, r.* EXCLUDE (service_name), {_crosses()} AS crosses
    FROM {table} AS r JOIN {batch} AS b USING (service_name)
) GROUP BY becomes, timestamp
"""


def join_services(copy: str, batch: str, facts: Sequence[str]) -> str:
    """Services by their new names; what is not known of the one that stays is taken from those that join it."""
    known = "".join(f", arg_min({name}, b.place) AS {name}" for name in quoted(facts))
    return f"""
CREATE TEMP TABLE {copy} AS
SELECT b.becomes AS service_name{known} FROM services AS t JOIN {batch} AS b USING (service_name) GROUP BY ALL
"""


Mark = tuple[str, str] | None
"""Of a column that may hold other names than those of services: the column that tells, and what it has then."""


def join_rows(
    copy: str,
    table: str,
    column: str,
    keys: Sequence[str],
    batch: str,
    order: str,
    mark: Mark = None,
    joined: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Rows of a table by new names in a column; of those with the same keys the first, with what `joined` says."""
    name = quoted([column])[0]
    same = ", ".join("b.becomes" if key == column else f"t.{key}" for key in keys)
    changed = [f"b.becomes AS {name}"]
    changed += [f"{how}(t.{other}) OVER (PARTITION BY {same}) AS {other}" for other, how in joined.items()]
    return f"""
CREATE TEMP TABLE {copy} AS
SELECT t.* REPLACE ({", ".join(changed)})
FROM {table} AS t JOIN {batch} AS b ON t.{name} = b.service_name{_and(mark, "t.")}
QUALIFY row_number() OVER (PARTITION BY {same} ORDER BY {order}) = 1
"""


def replace_rows(copy: str, table: str, column: str, batch: str, mark: Mark = None) -> list[str]:
    """Put the rows of a copy in the place of those of the services of a batch."""
    return [delete_rows(table, column, batch, mark), f"INSERT INTO {table} BY NAME SELECT * FROM {copy}"]


def delete_rows(table: str, column: str, batch: str, mark: Mark = None) -> str:
    """Remove the rows of the services of a batch."""
    return f"DELETE FROM {table} WHERE {quoted([column])[0]} IN (SELECT service_name FROM {batch}){_and(mark)}"


def blank(table: str, column: str, batch: str) -> str:
    """Take the names of the services of a batch out of rows of others."""
    name = quoted([column])[0]
    return f"UPDATE {table} SET {name} = '' WHERE {name} IN (SELECT service_name FROM {batch})"


def rename_values(table: str, column: str, batch: str) -> str:
    """New names in a column that is no key."""
    name = quoted([column])[0]
    return f"UPDATE {table} SET {name} = b.becomes FROM {batch} AS b WHERE {table}.{name} = b.service_name"


def close_older_anomalies(batch: str) -> str:
    """Of each service of a batch only the newest anomaly goes on."""
    return f"""
UPDATE metrics_anomalies SET is_open = false
WHERE is_open AND service_name IN (SELECT becomes FROM {batch}) AND (service_name, timestamp) NOT IN (
    SELECT (service_name, max(timestamp)) FROM metrics_anomalies WHERE is_open GROUP BY service_name
)
"""


def forget_own_calls(batch: str) -> str:
    """A service that was joined with one that it calls does not call itself."""
    return f"""
DELETE FROM calls WHERE caller = callee AND caller_is = callee_is AND caller IN (SELECT becomes FROM {batch})
"""


FORGET_FETCHES = "DELETE FROM fetches WHERE list_contains(CAST($asked AS VARCHAR[]), services)"


def drop(copy: str) -> str:
    """Forget a copy."""
    return f"DROP TABLE {copy}"


def _and(mark: Mark, of: str = "") -> str:
    """Only where the column holds the name of a service."""
    return f" AND {of}{mark[0]} = {literal(mark[1])}" if mark else ""


def _crosses() -> str:
    return (
        "coalesce(lag(r.newest) OVER (PARTITION BY b.becomes, r.timestamp ORDER BY r.oldest, b.place) >= r.oldest, "
        "false)"
    )
