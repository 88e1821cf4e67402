"""SQL of the runs of notebooks and of those who schedule them."""

from __future__ import annotations

# A job's run is claimed where nobody has claimed the same time, and no other run of the job is still alive.
# Whoever had to wait for the store may have read the clock before the last run had ended: it starts when that had.
CLAIM = """
INSERT INTO runs BY NAME
SELECT $id AS id, $notebook AS notebook, $parameters AS parameters, $job AS job,
    CAST($due_at AS TIMESTAMPTZ) AS due_at, $seen_at AS seen_at,
    greatest($started_at, (
        SELECT max(ended_at) FROM runs WHERE $job != '' AND job = $job AND $status = 'running' AND status != 'skipped'
    )) AS started_at,
    CAST($ended_at AS TIMESTAMPTZ) AS ended_at, $status AS status, CAST($failed_cell AS INTEGER) AS failed_cell,
    $error AS error, $folder AS folder, $process AS process
WHERE NOT EXISTS (FROM runs WHERE id = $id)
  AND NOT EXISTS (
    FROM runs WHERE $job != '' AND job = $job
      AND (due_at = CAST($due_at AS TIMESTAMPTZ)
        OR ($status = 'running' AND status = 'running' AND seen_at > $alive_since))
  )
"""

RUN = "SELECT * FROM runs WHERE id = ?"

RUNS = """
SELECT * FROM runs
WHERE ($notebook = '' OR notebook = $notebook) AND ($job = '' OR job = $job)
ORDER BY started_at DESC, id DESC LIMIT $limit
"""

ALIVE = "SELECT * FROM runs WHERE job = $job AND status = 'running' AND seen_at > $alive_since"

UPDATE = """
UPDATE runs SET seen_at = $seen_at, ended_at = CAST($ended_at AS TIMESTAMPTZ), status = $status,
    failed_cell = CAST($failed_cell AS INTEGER), error = $error, process = $process
WHERE id = $id
"""

SEEN = "UPDATE runs SET seen_at = $at WHERE id = $id AND status = 'running'"

LAST_DUE = "SELECT max(due_at) AS due_at FROM runs WHERE job = ?"

LOST = """
UPDATE runs SET status = 'lost', ended_at = seen_at, error = $error WHERE status = 'running' AND seen_at <= $alive_since
"""
RUNNING_SINCE = "SELECT count(*) AS row_count FROM runs WHERE status = 'running' AND seen_at <= ?"

PRUNE = "DELETE FROM runs WHERE started_at < ? AND status != 'running'"
OLDER = "SELECT * FROM runs WHERE started_at < ? AND status != 'running' ORDER BY started_at"

SCHEDULERS = "SELECT process, started_at, seen_at FROM schedulers WHERE seen_at > ? ORDER BY started_at"
FORGET_SCHEDULERS = "DELETE FROM schedulers WHERE seen_at <= ?"
