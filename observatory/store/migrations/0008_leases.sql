-- Which process does what only one may do, and until when.

CREATE TABLE IF NOT EXISTS leases (
    name VARCHAR NOT NULL,
    holder VARCHAR NOT NULL,
    until TIMESTAMPTZ NOT NULL
);
