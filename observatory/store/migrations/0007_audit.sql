-- Who did what, when, from where, and how it ended: every write and every refused access.

CREATE TABLE IF NOT EXISTS audit_log (
    id VARCHAR NOT NULL,
    done_at TIMESTAMPTZ NOT NULL,
    who VARCHAR NOT NULL,
    address VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    target VARCHAR NOT NULL,
    result VARCHAR NOT NULL,
    detail VARCHAR NOT NULL
);
