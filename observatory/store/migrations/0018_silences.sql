-- What is not told, not judged, or not learned from, and when. `services`, `severities`, `metrics` and `incidents` are
-- JSON lists; `duration` is in seconds, NULL where a silence does not come again.

CREATE TABLE IF NOT EXISTS silences (
    id VARCHAR NOT NULL,
    services VARCHAR NOT NULL,
    severities VARCHAR NOT NULL,
    metrics VARCHAR NOT NULL,
    effect VARCHAR NOT NULL,
    starts_at TIMESTAMPTZ NOT NULL,
    ends_at TIMESTAMPTZ NOT NULL,
    cron VARCHAR NOT NULL,
    duration DOUBLE,
    timezone VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    created_by VARCHAR NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    source VARCHAR NOT NULL,
    origin VARCHAR NOT NULL,
    incidents VARCHAR NOT NULL,
    ended_by VARCHAR NOT NULL
);

ALTER TABLE deliveries ADD COLUMN IF NOT EXISTS silenced_by VARCHAR;
