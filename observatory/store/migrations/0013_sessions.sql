-- Who is signed in to the dashboard. Of the id in a cookie only a hash is kept: no cookie can be made of a row.
-- `subject` is the key or the user, with a mark that changes with the secret; `services` is a JSON list of patterns.

CREATE TABLE IF NOT EXISTS login_sessions (
    id_hash VARCHAR NOT NULL,
    way VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    services VARCHAR NOT NULL,
    began_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);

-- What a run was told of addresses had their passwords.
UPDATE runs SET parameters = regexp_replace(parameters, '://[^/\s:@"]*:[^/\s@"]+@', '://***@', 'g')
WHERE parameters LIKE '%://%@%';
