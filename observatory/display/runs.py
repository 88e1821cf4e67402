"""Jobs and runs as tables."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import pandas as pd

from observatory.frames import ReadableFrame
from observatory.model import Failure, Run
from observatory.schedule.jobs import Job
from observatory.store import Store


def failure_table(failures: Iterable[Failure]) -> pd.DataFrame:
    """A row a failure: what did not work, and why."""
    rows = [(failure.what, failure.error) for failure in failures]
    return ReadableFrame(rows, columns=["what", "error"], nothing="nothing failed")


def run_table(runs: Iterable[Run], now: datetime) -> pd.DataFrame:
    """A row a run of a notebook: when, which job and notebook, how it went and how long it took, where it is."""
    rows = [
        {
            "started": run.started_at.strftime("%Y-%m-%d %H:%M:%S"),
            "job": run.job,
            "notebook": run.notebook,
            "status": str(run.status),
            "seconds": round(((run.ended_at or now) - run.started_at).total_seconds(), 1),
            "error": f"cell {run.failed_cell}: {run.error}" if run.failed_cell and run.error else run.error,
            "folder": run.folder,
        }
        for run in runs
    ]
    return pd.DataFrame(rows, columns=["started", "job", "notebook", "status", "seconds", "error", "folder"])


def job_table(jobs: Iterable[Job], store: Store, now: datetime) -> pd.DataFrame:
    """A row a job of the schedule: what and when, the next time, how the last run went."""
    rows = []
    for job in jobs:
        due, last = job.cadence.after(now), next(iter(store.runs.last(1, job=job.name)), None)
        rows.append(
            {
                "job": job.name,
                "notebook": job.settings.notebook,
                "when": str(job.cadence),
                "next (UTC)": f"{due:%Y-%m-%d %H:%M:%S}" if due else "never",
                "last": f"{last.status} {last.started_at:%Y-%m-%d %H:%M:%S}" if last else "not yet",
            }
        )
    return pd.DataFrame(rows, columns=["job", "notebook", "when", "next (UTC)", "last"])
