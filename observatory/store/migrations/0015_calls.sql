-- How each call is known, since when, and what its ends are: a service, or something outside such as a database.
-- `first_seen` and `last_seen` are NULL where nobody said when. What an older version kept counts from now on.

ALTER TABLE calls ADD COLUMN IF NOT EXISTS kind VARCHAR;
ALTER TABLE calls ADD COLUMN IF NOT EXISTS source VARCHAR;
ALTER TABLE calls ADD COLUMN IF NOT EXISTS first_seen TIMESTAMPTZ;
ALTER TABLE calls ADD COLUMN IF NOT EXISTS last_seen TIMESTAMPTZ;
ALTER TABLE calls ADD COLUMN IF NOT EXISTS caller_is VARCHAR;
ALTER TABLE calls ADD COLUMN IF NOT EXISTS callee_is VARCHAR;

UPDATE calls SET kind = 'unknown', source = '', last_seen = current_timestamp, caller_is = 'service', callee_is = 'service'
WHERE kind IS NULL;
