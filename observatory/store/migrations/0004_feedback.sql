-- What people say of anomalies, and what they missed: truth to judge detectors by.

CREATE TABLE IF NOT EXISTS feedback (
    service_name VARCHAR NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    detector VARCHAR NOT NULL,
    verdict VARCHAR NOT NULL,
    ended_at TIMESTAMPTZ NOT NULL,
    given_at TIMESTAMPTZ NOT NULL,
    note VARCHAR NOT NULL
);
