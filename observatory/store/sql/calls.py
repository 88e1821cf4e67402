"""SQL of calls. A call counts as long as it was seen within some days of the newest cycle, or of the newest call.

The clock is that of what is stored: a store whose source stands still keeps its calls, as it keeps its health.
"""
# ruff: noqa: S608

from __future__ import annotations

CALLS = """
WITH newest AS (
    SELECT greatest((SELECT max(last_seen) FROM calls), (SELECT max(started_at) FROM cycles)) AS at
)
SELECT c.* FROM calls AS c, newest
WHERE $everything OR c.last_seen IS NULL OR c.last_seen >= newest.at - to_days(CAST($days AS INTEGER))
ORDER BY c.caller, c.callee, c.caller_is, c.callee_is, c.kind, c.source
"""
FORGET_UNTOLD = "DELETE FROM calls WHERE source = $source AND (last_seen IS NULL OR last_seen < $at)"
PRUNE = "DELETE FROM calls WHERE last_seen < ?"

KEYS = ("caller", "callee", "kind", "source", "caller_is", "callee_is")


def merge(batch: str) -> str:
    """Upsert of a batch. `least` and `greatest` leave out what is NULL: not known when."""
    on = " AND ".join(f"t.{key} = b.{key}" for key in KEYS)
    columns = [*KEYS, "first_seen", "last_seen"]
    return f"""
MERGE INTO calls AS t USING {batch} AS b ON {on}
WHEN MATCHED THEN UPDATE SET
    first_seen = least(t.first_seen, b.first_seen), last_seen = greatest(t.last_seen, b.last_seen)
WHEN NOT MATCHED THEN INSERT ({", ".join(columns)}) VALUES ({", ".join(f"b.{column}" for column in columns)})
"""
