-- What people are told of incidents. A transition goes to the outbox in the transaction that makes it; from there it
-- becomes a delivery to each destination that wants it.

CREATE TABLE IF NOT EXISTS outbox (
    incident_id VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    happened_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE IF NOT EXISTS deliveries (
    destination VARCHAR NOT NULL,
    incident_id VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    happened_at TIMESTAMPTZ NOT NULL,
    state VARCHAR NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    attempts INTEGER NOT NULL,
    reason VARCHAR NOT NULL
);
