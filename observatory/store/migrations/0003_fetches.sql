-- Which history was fetched from where, so that a backfill that was interrupted goes on where it was.
-- `asks` changes with the queries and `services` is a JSON list, empty for all. Both ends belong to the range.

CREATE TABLE IF NOT EXISTS fetches (
    source VARCHAR NOT NULL,
    asks VARCHAR NOT NULL,
    services VARCHAR NOT NULL,
    step DOUBLE NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ NOT NULL,
    samples BIGINT NOT NULL,
    warnings VARCHAR NOT NULL,
    fetched_at TIMESTAMPTZ NOT NULL
);
