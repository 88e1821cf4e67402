"""Carry out a run that a scheduler has claimed: ``python -m observatory.schedule RUN SECONDS code|no-code``.

A process of its own, so that whatever a run does to its process ends with it.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from observatory.config import load_settings
from observatory.model import RunStatus
from observatory.notebooks.run import carry_out
from observatory.process import ends_on_sigterm, this_process
from observatory.schedule.jobs import job_called
from observatory.store import open_store
from observatory.store.options import StoreOptions
from observatory.times import utc_now


def main(run_id: str, seconds: str, code: str) -> int:
    """Exit code: 0 where the notebook came to its end."""
    settings = load_settings()
    with open_store(settings.store, options=StoreOptions.of(settings)) as store:
        run = store.runs.get(run_id)
        if run is None or run.status is not RunStatus.RUNNING:
            sys.stderr.write(f"run {run_id} is not one that waits to be carried out\n")
            return 2
        job = job_called(settings, run.job)
        task = job.task(run.due_at or run.started_at)  # the record of the run has no secrets
        run = replace(run, process=this_process())
        store.runs.update(replace(run, seen_at=utc_now()))
        with_code = code == "code"
        ended, outcome = carry_out(
            run, task.notebook, store, utc_now, parameters=task.parameters, timeout=float(seconds), code=with_code
        )
    sys.stderr.write(f"{outcome.traceback}\n{outcome.status} {outcome.error}\n")
    return 0 if ended.status is RunStatus.DONE else 1


if __name__ == "__main__":
    with ends_on_sigterm():
        sys.exit(main(*sys.argv[1:]))
