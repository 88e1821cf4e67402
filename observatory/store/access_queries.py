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
