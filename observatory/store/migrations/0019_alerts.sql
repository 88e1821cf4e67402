-- Alerts of others. `service_name` is empty where no service here was found, `severity` where it only informs; `labels`
-- is JSON.

CREATE TABLE IF NOT EXISTS alerts (
    fingerprint VARCHAR NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    service_name VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    severity VARCHAR NOT NULL,
    summary VARCHAR NOT NULL,
    url VARCHAR NOT NULL,
    sender VARCHAR NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    labels VARCHAR NOT NULL
);
