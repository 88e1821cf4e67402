-- Runs of notebooks. A run that a schedule asks for is claimed by its row, as only one may have its `job` and `due_at`.
-- `seen_at` is moved on while its process lives, and `parameters` is JSON.

CREATE TABLE IF NOT EXISTS runs (
    id VARCHAR NOT NULL,
    notebook VARCHAR NOT NULL,
    parameters VARCHAR NOT NULL,
    job VARCHAR NOT NULL,
    due_at TIMESTAMPTZ,
    started_at TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    status VARCHAR NOT NULL,
    failed_cell INTEGER,
    error VARCHAR NOT NULL,
    folder VARCHAR NOT NULL,
    process VARCHAR NOT NULL
);

-- Who runs schedules.
CREATE TABLE IF NOT EXISTS schedulers (
    process VARCHAR NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL
);
