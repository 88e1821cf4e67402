-- Roll-ups and the archive. The roll-ups' columns for each metric (min, max, avg, count) come from the catalogue.

CREATE TABLE IF NOT EXISTS rollup_5m (
    service_name VARCHAR NOT NULL,
    timestamp TIMESTAMPTZ NOT NULL,
    samples BIGINT NOT NULL,
    oldest TIMESTAMPTZ NOT NULL,
    newest TIMESTAMPTZ NOT NULL /* numbers of rollup_5m */
);

CREATE TABLE IF NOT EXISTS rollup_1h (
    service_name VARCHAR NOT NULL,
    timestamp TIMESTAMPTZ NOT NULL,
    samples BIGINT NOT NULL,
    oldest TIMESTAMPTZ NOT NULL,
    newest TIMESTAMPTZ NOT NULL /* numbers of rollup_1h */
);

-- How far each task has come: everything before is done.
CREATE TABLE IF NOT EXISTS upkeep (
    task VARCHAR NOT NULL,
    done_until TIMESTAMPTZ NOT NULL
);

CREATE TABLE IF NOT EXISTS archive_files (
    file VARCHAR NOT NULL,
    month TIMESTAMPTZ NOT NULL,
    row_count BIGINT NOT NULL,
    checksum VARCHAR NOT NULL
);

-- Every write changes this row first. Two writers at once then conflict, and one of them begins again and sees what
-- the other wrote: without a key on the tables, both might insert the same row.
CREATE TABLE IF NOT EXISTS write_lock (
    taken BIGINT NOT NULL,
    revision BIGINT NOT NULL
);

INSERT INTO write_lock SELECT 0, 0 WHERE NOT EXISTS (FROM write_lock);
