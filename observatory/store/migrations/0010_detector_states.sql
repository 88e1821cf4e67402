-- What a streaming detector has learned of each service up to a time, so that a restart goes on from there.
-- `made_as` says by which version, metrics and parameters: a state made otherwise is of no use.

CREATE TABLE IF NOT EXISTS detector_states (
    service_name VARCHAR NOT NULL,
    detector VARCHAR NOT NULL,
    made_as VARCHAR NOT NULL,
    learned_until TIMESTAMPTZ NOT NULL,
    kept_at TIMESTAMPTZ NOT NULL,
    state BLOB NOT NULL
);
