"""SQL about who may use the workbench."""

KEYS = "SELECT * FROM api_keys ORDER BY created_at, id"
ADD_KEY = """
INSERT INTO api_keys (id, name, role, services, salt, hash, created_at, expires_at)
SELECT CAST($id AS VARCHAR), $name, $role, $services, $salt, $hash,
       CAST($created_at AS TIMESTAMPTZ), CAST($expires_at AS TIMESTAMPTZ)
WHERE NOT EXISTS (FROM api_keys WHERE id = $id)
"""
RENEW_KEY = """
UPDATE api_keys SET salt = $salt, hash = $hash, expires_at = CAST($expires_at AS TIMESTAMPTZ) WHERE id = $id
"""
REVOKE_KEY = """
UPDATE api_keys SET revoked_at = CAST($at AS TIMESTAMPTZ) WHERE id = $id AND revoked_at IS NULL
"""
TOUCH_KEY = "UPDATE api_keys SET last_used_at = CAST($at AS TIMESTAMPTZ) WHERE id = $id"

SESSIONS = "SELECT * FROM login_sessions ORDER BY began_at, id_hash"
ADD_SESSION = """
INSERT INTO login_sessions (id_hash, way, subject, role, services, began_at, expires_at)
SELECT CAST($id_hash AS VARCHAR), $way, $subject, $role, $services,
       CAST($began_at AS TIMESTAMPTZ), CAST($expires_at AS TIMESTAMPTZ)
WHERE NOT EXISTS (FROM login_sessions WHERE id_hash = $id_hash)
"""
END_SESSION = "DELETE FROM login_sessions WHERE id_hash = $id_hash"
PRUNE_SESSIONS = "DELETE FROM login_sessions WHERE expires_at <= CAST($now AS TIMESTAMPTZ)"

AUDIT = """
SELECT * FROM audit_log
WHERE done_at >= CAST($since AS TIMESTAMPTZ) AND (CAST($who AS VARCHAR) IS NULL OR who = CAST($who AS VARCHAR))
  AND (NOT $refused OR result IN ('401', '403', '421', '429', 'refused'))
ORDER BY done_at DESC, id LIMIT $limit
"""
PRUNE_AUDIT = "DELETE FROM audit_log WHERE done_at < ?"

TAKE_LEASE = """
UPDATE leases SET holder = $holder, until = CAST($until AS TIMESTAMPTZ)
WHERE name = $name AND (holder = $holder OR until <= CAST($now AS TIMESTAMPTZ))
"""
MAKE_LEASE = """
INSERT INTO leases SELECT CAST($name AS VARCHAR), $holder, CAST($until AS TIMESTAMPTZ)
WHERE NOT EXISTS (FROM leases WHERE name = $name)
"""
LEASE_HOLDER = "SELECT holder FROM leases WHERE name = ?"
END_LEASE = "DELETE FROM leases WHERE name = ? AND holder = ?"
