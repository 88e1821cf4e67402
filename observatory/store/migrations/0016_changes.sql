-- Changes of services: deployments, restarts, settings, flags; found in metrics, or reported by people and programs.

CREATE TABLE IF NOT EXISTS changes (
    id VARCHAR NOT NULL,
    service_name VARCHAR NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    kind VARCHAR NOT NULL,
    version VARCHAR NOT NULL,
    summary VARCHAR NOT NULL,
    url VARCHAR NOT NULL,
    source VARCHAR NOT NULL
);
