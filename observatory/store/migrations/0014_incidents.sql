-- Incidents, with the symptoms they are made of, their likeliest causes and their timelines.
-- `started_at` and `ended_at` follow from the symptoms, and are here to be searched by.

CREATE TABLE IF NOT EXISTS incidents (
    id VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    severity VARCHAR NOT NULL,
    peak VARCHAR NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ NOT NULL,
    opened_at TIMESTAMPTZ NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    acknowledged_at TIMESTAMPTZ,
    acknowledged_by VARCHAR NOT NULL,
    assignee VARCHAR NOT NULL,
    resolved_at TIMESTAMPTZ,
    resolved_by VARCHAR NOT NULL,
    merged_into VARCHAR
);

-- Each symptom belongs to one incident. One that the health score tells has the detector 'health'.
CREATE TABLE IF NOT EXISTS incident_symptoms (
    service_name VARCHAR NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    detector VARCHAR NOT NULL,
    incident_id VARCHAR NOT NULL,
    ended_at TIMESTAMPTZ NOT NULL,
    is_open BOOLEAN NOT NULL,
    severity VARCHAR NOT NULL,
    message VARCHAR NOT NULL
);

CREATE TABLE IF NOT EXISTS incident_causes (
    incident_id VARCHAR NOT NULL,
    service_name VARCHAR NOT NULL,
    place INTEGER NOT NULL,
    score DOUBLE NOT NULL,
    is_clear BOOLEAN NOT NULL,
    metric VARCHAR,
    onset TIMESTAMPTZ,
    words VARCHAR NOT NULL,
    reasons VARCHAR NOT NULL
);

CREATE TABLE IF NOT EXISTS incident_events (
    incident_id VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    happened_at TIMESTAMPTZ NOT NULL,
    kind VARCHAR NOT NULL,
    who VARCHAR NOT NULL,
    service_name VARCHAR,
    text VARCHAR NOT NULL
);
