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

-- What was last seen running of each service, so that its next change is known for one: one row a mark (a version label,
-- the image of a container). `last_seen` is JSON: when each value that is remembered was there.
CREATE TABLE IF NOT EXISTS running (
    service_name VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    mark VARCHAR NOT NULL,
    target VARCHAR NOT NULL,
    seen_values VARCHAR NOT NULL,
    last_seen VARCHAR NOT NULL,
    since TIMESTAMPTZ,
    lost_at TIMESTAMPTZ,
    changed_at TIMESTAMPTZ
);
