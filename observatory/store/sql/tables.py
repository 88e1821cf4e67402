"""Queries of single tables. Values are bound parameters."""

from __future__ import annotations

SERVICES = "SELECT * FROM services ORDER BY service_name"
SERVICE_NAMES = "SELECT service_name FROM services ORDER BY service_name"
SERVICE = "SELECT * FROM services WHERE service_name = ?"

ANOMALIES = """
SELECT * FROM metrics_anomalies
WHERE ended_at >= coalesce(CAST($start AS TIMESTAMPTZ), '-infinity')
  AND timestamp <= coalesce(CAST($end AS TIMESTAMPTZ), 'infinity')
  AND ($services IS NULL OR list_contains(CAST($services AS VARCHAR[]), service_name))
  AND ($severities IS NULL OR list_contains(CAST($severities AS VARCHAR[]), severity))
  AND (is_open OR NOT $open_only)
  AND (CAST($last AS TIMESTAMPTZ) IS NULL OR timestamp < CAST($last AS TIMESTAMPTZ)
       OR (timestamp = CAST($last AS TIMESTAMPTZ) AND (service_name > CAST($last_service AS VARCHAR)
           OR (service_name = CAST($last_service AS VARCHAR) AND detector > CAST($last_detector AS VARCHAR)))))
ORDER BY timestamp DESC, service_name, detector
LIMIT coalesce($limit, 1000000)
"""
PRUNE_ANOMALIES = "DELETE FROM metrics_anomalies WHERE ended_at < ? AND NOT is_open"

FAULTS = """
SELECT * FROM faults
WHERE ended_at >= coalesce(CAST($start AS TIMESTAMPTZ), '-infinity')
  AND started_at <= coalesce(CAST($end AS TIMESTAMPTZ), 'infinity')
ORDER BY started_at, service_name
"""

FEEDBACK = """
SELECT * FROM feedback
WHERE ended_at >= coalesce(CAST($start AS TIMESTAMPTZ), '-infinity')
  AND started_at <= coalesce(CAST($end AS TIMESTAMPTZ), 'infinity')
  AND ($services IS NULL OR list_contains(CAST($services AS VARCHAR[]), service_name))
ORDER BY started_at, service_name, detector
"""

CHANGES = """
SELECT * FROM changes
WHERE changed_at >= coalesce(CAST($start AS TIMESTAMPTZ), '-infinity')
  AND changed_at <= coalesce(CAST($end AS TIMESTAMPTZ), 'infinity')
  AND ($services IS NULL OR list_contains(CAST($services AS VARCHAR[]), service_name))
ORDER BY changed_at, service_name, id
"""
CHANGE = "SELECT * FROM changes WHERE id = ?"
PRUNE_CHANGES = "DELETE FROM changes WHERE changed_at < ?"

ALERTS = """
SELECT * FROM alerts
WHERE coalesce(ended_at, expires_at) >= coalesce(CAST($start AS TIMESTAMPTZ), '-infinity')
  AND started_at <= coalesce(CAST($end AS TIMESTAMPTZ), 'infinity')
  AND ($services IS NULL OR list_contains(CAST($services AS VARCHAR[]), service_name))
ORDER BY started_at DESC, fingerprint
LIMIT $limit
"""
PRUNE_ALERTS = "DELETE FROM alerts WHERE seen_at < ?"

SILENCES = """
SELECT * FROM silences
WHERE ends_at > coalesce(CAST($start AS TIMESTAMPTZ), '-infinity')
  AND starts_at < coalesce(CAST($end AS TIMESTAMPTZ), 'infinity')
ORDER BY starts_at, id
"""
SILENCE = "SELECT * FROM silences WHERE id = ?"
PRUNE_SILENCES = "DELETE FROM silences WHERE ends_at < ?"

RUNNING = "SELECT * FROM running WHERE source = ? ORDER BY service_name, kind, mark"

CYCLES = "SELECT * FROM cycles ORDER BY started_at DESC LIMIT ?"
SKIPPED = "SELECT CAST(coalesce(sum(skipped), 0) AS BIGINT) FROM cycles WHERE started_at >= ?"
PRUNE_CYCLES = "DELETE FROM cycles WHERE started_at < ?"

DETECTOR_STATES = "SELECT * FROM detector_states WHERE detector = ? ORDER BY service_name"
STATES_KEPT_AT = "SELECT service_name, kept_at FROM detector_states WHERE detector = ?"
OLD_STATES = "SELECT count(*) FROM detector_states WHERE learned_until < ?"
FORGET_STATES_OF = """
DELETE FROM detector_states WHERE detector = $detector AND list_contains(CAST($services AS VARCHAR[]), service_name)
"""
FORGET_STATES = "DELETE FROM detector_states WHERE learned_until < ?"

REMARKS = """
SELECT * FROM remarks
WHERE source = ? AND started_at <= ? AND ended_at >= ? ORDER BY started_at, warning
"""

NOTE = "SELECT value FROM meta WHERE key = ?"
FORGET_NOTE = "DELETE FROM meta WHERE key = ?"
REMEMBER_NOTE = "INSERT INTO meta VALUES (?, ?)"

WATERMARK = "SELECT done_until FROM upkeep WHERE task = ?"
FORGET_WATERMARK = "DELETE FROM upkeep WHERE task = ?"
REMEMBER_WATERMARK = "INSERT INTO upkeep VALUES (?, ?)"
