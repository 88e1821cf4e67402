"""SQL about the database itself: its tables and columns, migrations, the lock of writers, open transactions."""

from __future__ import annotations

COLUMNS = "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = current_database()"
NUMBERS = COLUMNS + " AND table_name = ? AND data_type IN ('DOUBLE', 'FLOAT')"

STAGING = "incoming_"
"""How the names of batches begin."""
ITS_OWN = ("login_sessions", "schema_migrations", "write_lock")
"""Tables about the database they are in, and who looks into it now: another one has its own."""
STAGED = f"SELECT table_name FROM duckdb_tables() WHERE table_name LIKE '{STAGING}%'"  # noqa: S608
TABLES = f"""
SELECT table_name FROM duckdb_tables()
WHERE database_name = current_database() AND NOT internal AND table_name NOT LIKE '{STAGING}%'
  AND table_name NOT IN {ITS_OWN}
"""  # noqa: S608
OPEN_TRANSACTIONS = """
SELECT connection_id, CAST(query_started_at AS VARCHAR), state, query FROM quack_active_connections()
WHERE contains(query, $tag)
"""

LOCK = "UPDATE write_lock SET taken = taken + 1, revision = revision + ?"
REVISION = "SELECT CAST(sum(revision) AS BIGINT) FROM write_lock"

CREATE_MIGRATIONS = """
CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER NOT NULL, applied_at TIMESTAMPTZ NOT NULL)
"""
APPLIED_MIGRATION = "SELECT coalesce(max(version), 0) FROM schema_migrations"
RECORD_MIGRATION = """
INSERT INTO schema_migrations SELECT CAST(? AS INTEGER), now()
WHERE NOT EXISTS (FROM schema_migrations WHERE version = ?)
"""
