"""Real schedulers in processes of their own: runs are carried out once, whoever dies and whoever else is there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from notebooks.conftest import write_trial
from store.tables.test_runs import NOON, a_run
from support.servers import wait_until

from observatory.config import Settings
from observatory.errors import ConfigError
from observatory.model import Run, RunStatus
from observatory.schedule.scheduler import Scheduler, forget_old
from observatory.store import Store, open_store
from observatory.times import utc_now

CONFIG = """
store = "shop.duckdb"
[schedule.quick]
notebook = "trial.ipynb"
every = "8s"
grace = "1m"
[schedule.stuck]
notebook = "trial.ipynb"
every = "1s"
parameters = {how = "wait"}
"""


@contextmanager
def scheduling(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``observatory schedule`` in `folder` while the block runs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OBSERVATORY_")}
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "observatory", "schedule"], cwd=folder, env=environment, stdout=log, stderr=log
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait()


def runs_of(store: Store, job: str, status: RunStatus) -> list[Run]:
    return [run for run in store.runs.last(500, job=job) if run.status is status]


@pytest.mark.slow
def test_two_schedulers_share_the_work_one_dies_and_the_other_goes_on(tmp_path: Path) -> None:
    write_trial(tmp_path / "trial.ipynb")
    (tmp_path / "observatory.toml").write_text(CONFIG)
    log = (tmp_path / "log").read_text
    with open_store(str(tmp_path / "shop.duckdb")) as store, scheduling(tmp_path) as first:
        with scheduling(tmp_path) as second:
            wait_until(lambda: len(store.schedulers.alive(utc_now())) == 2, 180, "two schedulers", log)
            wait_until(lambda: runs_of(store, "quick", RunStatus.DONE), 180, "a run", log)
            wait_until(lambda: runs_of(store, "stuck", RunStatus.RUNNING), 180, "a run that goes on", log)
            wait_until(lambda: runs_of(store, "stuck", RunStatus.SKIPPED), 60, "a run that is left out", log)
            os.kill(first.pid, signal.SIGKILL)
            first.wait()
            done = len(runs_of(store, "quick", RunStatus.DONE))
            wait_until(lambda: len(runs_of(store, "quick", RunStatus.DONE)) > done + 1, 180, "the other to go on", log)
        assert second.returncode == 0
        wait_until(lambda: not runs_of(store, "quick", RunStatus.RUNNING), 90, "runs to end", log)
        quick, stuck = store.runs.last(500, job="quick"), store.runs.last(500, job="stuck")
        assert max(Counter(run.due_at for run in [*quick]).values()) == 1
        assert max(Counter(run.due_at for run in [*stuck]).values()) == 1
        assert {
            run.error for run in stuck if run.status is RunStatus.SKIPPED and "still going" not in run.error
        } == set()
        ended = runs_of(store, "quick", RunStatus.DONE)[0]
        assert (Path(ended.folder) / "trial.html").is_file()
        for run in runs_of(store, "stuck", RunStatus.RUNNING):  # its scheduler was killed: it is on its own
            os.kill(int(run.process.rpartition(":")[2]), signal.SIGTERM)
        wait_until(lambda: not runs_of(store, "stuck", RunStatus.RUNNING), 60, "the last run to end", log)


def test_nothing_to_schedule_or_a_store_in_memory_is_refused(tmp_path: Path) -> None:
    store = open_store(":memory:")
    with pytest.raises(ConfigError, match="nothing is scheduled: add"):
        Scheduler(Settings(store=":memory:"), store)
    with pytest.raises(ConfigError, match="a store in memory cannot be shared"):
        Scheduler(Settings(store=":memory:", schedule={"a": {"notebook": "collect", "every": "1h"}}), store)


def test_old_runs_are_forgotten_and_only_their_own_folders_removed(tmp_path: Path) -> None:
    store, runs = open_store(":memory:"), tmp_path / "runs"
    inside, outside = runs / "a", tmp_path / "reports"
    for folder in (inside, outside):
        folder.mkdir(parents=True)
    store.runs.begin(a_run("a", status=RunStatus.DONE, folder=str(inside)))
    store.runs.begin(a_run("b", status=RunStatus.DONE, folder=str(outside)))
    store.runs.begin(a_run("c", 10, status=RunStatus.DONE, folder=str(runs)))
    forget_old(store, runs, NOON.replace(minute=5))
    assert [run.id for run in store.runs.last()] == ["c"]
    assert (inside.exists(), outside.exists()) == (False, True)
