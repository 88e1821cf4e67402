-- What sources remarked about the samples they gave, such as that some of their stores did not answer: so that a
-- range can be seen to be partial. And cycles that did not run because the one before took too long.

CREATE TABLE IF NOT EXISTS remarks (
    source VARCHAR NOT NULL,
    warning VARCHAR NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ NOT NULL
);

ALTER TABLE cycles ADD COLUMN IF NOT EXISTS skipped BIGINT;
