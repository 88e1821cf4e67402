-- Rules about names: which services go by another name than their source's, and which are not watched.
-- `kind` is rename, deploy, apart or exclude; `becomes` is empty where a service is excluded.

CREATE TABLE IF NOT EXISTS name_rules (
    kind VARCHAR NOT NULL,
    pattern VARCHAR NOT NULL,
    becomes VARCHAR NOT NULL,
    made_at TIMESTAMPTZ
);

-- Services that were renamed after a month was archived: its file stays as it is, and is read by their new names.
-- A service that is gone has none. Written anew, a month has the new names itself.
CREATE TABLE IF NOT EXISTS archived_names (
    month TIMESTAMPTZ NOT NULL,
    month_end TIMESTAMPTZ NOT NULL,
    service_name VARCHAR NOT NULL,
    becomes VARCHAR
);
