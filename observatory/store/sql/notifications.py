"""SQL of what people are told. Values are bound parameters."""
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Sequence

from observatory.store.sql.builders import quoted

OUTBOX = "SELECT * FROM outbox ORDER BY happened_at, incident_id, number"

# Of each incident only the first that waits: what came later is told later.
DUE = """
SELECT * FROM (
    SELECT * FROM deliveries WHERE destination = $destination AND state = 'waiting'
    QUALIFY row_number() OVER (PARTITION BY incident_id ORDER BY number) = 1
)
WHERE due_at <= $now
ORDER BY happened_at, incident_id
LIMIT $limit
"""
WAITING = """
SELECT * FROM deliveries WHERE destination = ? AND state = 'waiting' ORDER BY happened_at, incident_id, number
"""
SETTLED = """
SELECT * FROM deliveries WHERE incident_id = ? AND state <> 'waiting' ORDER BY changed_at, destination, number
"""
WAITING_OF = """
SELECT * FROM deliveries WHERE destination = ? AND incident_id = ? AND state = 'waiting' ORDER BY number
"""
# What was summed up without an attempt was left to a later message.
TOLD = """
SELECT DISTINCT incident_id FROM deliveries
WHERE destination = $destination AND list_contains(CAST($incidents AS VARCHAR[]), incident_id)
  AND (state = 'sent' OR (state = 'summed' AND attempts > 0))
"""
HAS_WORK = "SELECT EXISTS (FROM outbox) OR EXISTS (FROM deliveries WHERE state = 'waiting')"
ONE = "SELECT * FROM deliveries WHERE destination = ? AND incident_id = ? AND number = ?"
LOG = """
SELECT * FROM deliveries
WHERE ($destination IS NULL OR destination = $destination)
  AND ($states IS NULL OR list_contains(CAST($states AS VARCHAR[]), state))
  AND ($incident IS NULL OR incident_id = $incident)
ORDER BY changed_at DESC, happened_at DESC, destination, incident_id, number DESC
LIMIT $limit
"""
RETRY = """
UPDATE deliveries SET state = 'waiting', due_at = $now, changed_at = $now, attempts = 0
WHERE state = 'failed' AND destination = $destination AND ($incident IS NULL OR incident_id = $incident)
"""
COUNTS = """
SELECT destination, state, count(*) AS deliveries, min(happened_at) AS oldest, max(changed_at) AS newest
FROM deliveries GROUP BY destination, state ORDER BY destination, state
"""
# What quiet hours or silences hold back is not overdue: it is put off by a minute again and again.
OLDEST_OVERDUE = """
SELECT min(happened_at) FROM (
    SELECT happened_at FROM outbox
    UNION ALL
    SELECT happened_at FROM deliveries WHERE state = 'waiting' AND (attempts > 0 OR due_at < $before)
)
"""
FORGET = "DELETE FROM deliveries WHERE state <> 'waiting' AND changed_at < ?"


def keep_handed_out(batch: str, columns: Sequence[str]) -> str:
    """Insert a batch of deliveries, but for those of transitions that are in the outbox no more."""
    (name,) = quoted([batch])
    names = ", ".join(quoted(columns))
    return f"INSERT INTO deliveries ({names}) SELECT {names} FROM {name} SEMI JOIN outbox USING (incident_id, number)"


def take_out(batch: str) -> str:
    """Remove the transitions of a batch from the outbox."""
    (name,) = quoted([batch])
    same = "b.incident_id = outbox.incident_id AND b.number = outbox.number"
    return f"DELETE FROM outbox WHERE EXISTS (FROM {name} AS b WHERE {same})"
