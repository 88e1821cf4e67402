"""SQL of incidents. Values are bound parameters."""

from __future__ import annotations

INCIDENTS = """
SELECT * FROM incidents
WHERE ended_at >= coalesce(CAST($start AS TIMESTAMPTZ), '-infinity')
  AND started_at <= coalesce(CAST($end AS TIMESTAMPTZ), 'infinity')
  AND list_contains(CAST($states AS VARCHAR[]), state)
  AND ($services IS NULL OR id IN (
      SELECT incident_id FROM incident_symptoms WHERE list_contains(CAST($services AS VARCHAR[]), service_name)))
  AND ($severities IS NULL OR list_contains(CAST($severities AS VARCHAR[]), severity))
  AND (CAST($last AS TIMESTAMPTZ) IS NULL OR started_at < CAST($last AS TIMESTAMPTZ)
       OR (started_at = CAST($last AS TIMESTAMPTZ) AND id > CAST($last_id AS VARCHAR)))
  AND (state = 'merged' OR id IN (SELECT incident_id FROM incident_symptoms))
ORDER BY started_at DESC, id
LIMIT coalesce($limit, 1000000)
"""
INCIDENT = "SELECT * FROM incidents WHERE id = ?"
INCIDENTS_OF = "SELECT * FROM incidents WHERE list_contains(CAST(? AS VARCHAR[]), id)"
# What goes on, and what ended after a time or was found to have.
RECENT = """
SELECT * FROM incidents
WHERE state IN ('open', 'acknowledged')
   OR (state IN ('resolved', 'merged') AND greatest(ended_at, coalesce(resolved_at, ended_at)) >= ?)
   OR id IN (SELECT incident_id FROM incident_symptoms WHERE is_open)
ORDER BY opened_at, id
"""
NEWEST_CHANGE = "SELECT max(changed_at) FROM incidents"

SYMPTOMS = """
SELECT * FROM incident_symptoms WHERE list_contains(CAST(? AS VARCHAR[]), incident_id)
ORDER BY started_at, service_name, detector
"""
CAUSES = """
SELECT * FROM incident_causes WHERE list_contains(CAST(? AS VARCHAR[]), incident_id) ORDER BY incident_id, place
"""
FORGET_CAUSES = "DELETE FROM incident_causes WHERE incident_id = ?"
EVENTS = "SELECT * FROM incident_events WHERE incident_id = ? ORDER BY happened_at, number"
LAST_NUMBER = "SELECT coalesce(max(number), 0) FROM incident_events WHERE incident_id = ?"

OLD = """
SELECT id FROM incidents WHERE state NOT IN ('open', 'acknowledged') AND greatest(ended_at, changed_at) < ?
"""
FORGET = (
    "DELETE FROM incidents WHERE list_contains(CAST(? AS VARCHAR[]), id)",
    "DELETE FROM incident_symptoms WHERE list_contains(CAST(? AS VARCHAR[]), incident_id)",
    "DELETE FROM incident_causes WHERE list_contains(CAST(? AS VARCHAR[]), incident_id)",
    "DELETE FROM incident_events WHERE list_contains(CAST(? AS VARCHAR[]), incident_id)",
    "DELETE FROM outbox WHERE list_contains(CAST(? AS VARCHAR[]), incident_id)",
    "DELETE FROM deliveries WHERE list_contains(CAST(? AS VARCHAR[]), incident_id)",
)
