"""The scheduler: APScheduler tells when, the store tells what is left to do, a process of its own does it."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from observatory.config import Settings
from observatory.config.cadence import Cadence
from observatory.config.environment import child_environment
from observatory.errors import ConfigError, ObservatoryError
from observatory.model import Run, RunStatus
from observatory.notebooks.run import make_folder
from observatory.process import this_process, wait_or_end
from observatory.schedule.jobs import SIGN_OF_LIFE, Job, claim, jobs_of, missed, require_runnable
from observatory.store import Store
from observatory.times import utc_now

BESIDE = 120.0
"""Time a run's process may take beside its cells [s]: starting, and writing the report."""
PATIENCE = 15.0
"""Time a process is given to end when it is asked to [s]."""

log = logging.getLogger(__name__)


class CadenceTrigger(BaseTrigger):  # type: ignore[misc]
    """Has APScheduler wake up at the due times of a cadence; of those that are over already, none comes again."""

    def __init__(self, cadence: Cadence) -> None:
        self.cadence = cadence

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        """See `BaseTrigger`."""
        return self.cadence.after(max(previous or now, now))


class Scheduler:
    """Runs the jobs of the settings when they are due, until it is stopped.

    Any number of them may work on one store: each due time is claimed by one.

    Raises
    ------
    ConfigError
        There are no jobs, or one could not be run; the store is in memory, where no other process can reach it.
    """

    def __init__(self, settings: Settings, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self.settings, self.store, self.clock = settings, store, clock
        self.jobs = jobs_of(settings)
        self.started_at = clock()
        if not self.jobs:
            raise ConfigError("nothing is scheduled: add [schedule.NAME] to observatory.toml")
        if settings.store == ":memory:":
            raise ConfigError("a store in memory cannot be shared with the runs: name a file with OBSERVATORY_STORE")
        require_runnable(self.jobs, self.started_at)
        make_folder(settings.runs)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def run(self) -> None:
        """Work until `stop`."""
        alarms = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(2 * len(self.jobs) + 2)},
            # One instance may wait for its run while the next finds that it must not begin.
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 2},
            timezone="UTC",
        )
        for job in self.jobs:
            alarms.add_job(self.fire, CadenceTrigger(job.cadence), [job], id=job.name)
            alarms.add_job(self.fire, args=[job], id=f"{job.name} at the start")
        alarms.add_job(self.upkeep, IntervalTrigger(seconds=SIGN_OF_LIFE), next_run_time=self.started_at)
        alarms.start()
        try:
            self._stopping.wait()
        finally:
            self._stopping.set()
            alarms.pause()
            self._end_children()
            alarms.shutdown(wait=True)
            self.store.schedulers.gone(this_process(), self.started_at)

    def stop(self) -> None:
        """End, and the runs that go on with it."""
        self._stopping.set()

    def fire(self, job: Job) -> None:
        """Deal with what is due of a job: run it, or record why not. May be called at any time."""
        try:
            while not self._stopping.is_set() and self._next(job):
                pass
        except ObservatoryError as error:
            log.error("job %s: %s", job.name, error)

    def upkeep(self) -> None:
        """Show that this scheduler is alive, give up lost runs, forget old ones."""
        now = self.clock()
        try:
            self.store.schedulers.seen(this_process(), self.started_at, now)
            self.store.runs.find_lost(now)
            if self.settings.keep_run_days is not None:
                forget_old(self.store, self.settings.runs, now - timedelta(days=self.settings.keep_run_days))
        except ObservatoryError as error:
            log.warning("the scheduler's upkeep failed: %s", error)

    def _next(self, job: Job) -> bool:
        """Deal with the oldest time that is left; False where there is none, or it is another's."""
        now = self.clock()
        self.store.runs.find_lost(now)
        since = self.store.runs.last_due(job.name) or self.started_at
        for due in missed(job, since, now)[:1]:
            claimed = claim(job, due, self.store, self.settings, now)
            if claimed is not None:
                self._carry_out(job, claimed[0])
            return claimed is not None and job.settings.catch_up
        return False

    def _carry_out(self, job: Job, run: Run) -> None:
        log.info("job %s: %s begins in %s", job.name, run.notebook, run.folder)
        code, said = self._start_and_wait(job, run)
        ended = self.store.runs.get(run.id)
        if ended is not None and ended.status is RunStatus.RUNNING:  # its process could not say how it ended
            now = self.clock()
            ended = replace(run, status=RunStatus.LOST, seen_at=now, ended_at=now, error=f"exit code {code}: {said}")
            self.store.runs.update(ended)
        told = f"{ended.status}{': ' if ended.error else ''}{ended.error}" if ended else "forgotten"
        log.log(logging.INFO if code == 0 else logging.ERROR, "job %s: %s %s", job.name, run.notebook, told)

    def _start_and_wait(self, job: Job, run: Run) -> tuple[int, str]:
        """Exit code and last line of the run's process."""
        folder = Path(run.folder)
        make_folder(folder)
        with_code = "code" if job.settings.code else "no-code"
        command = [sys.executable, "-m", "observatory.schedule", run.id, str(job.timeout), with_code]
        with (folder / "log").open("wb") as output:
            child = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=child_environment(self.settings)
            )
            with self._lock:
                self._children[run.id] = child
            try:
                wait_or_end(child, job.timeout + BESIDE, PATIENCE)
            finally:
                with self._lock:
                    del self._children[run.id]
        lines = (folder / "log").read_text("utf-8", "replace").strip().splitlines()
        return child.returncode, lines[-1] if lines else ""

    def _end_children(self) -> None:
        with self._lock:
            children = list(self._children.values())
        for child in children:
            child.terminate()
        for child in children:
            wait_or_end(child, PATIENCE, PATIENCE)


def forget_old(store: Store, runs: Path, before: datetime) -> None:
    """Forget the runs that started before a time, and remove their folders where they lie under `runs`."""
    old = store.runs.older_than(before)
    for run in old:
        if run.folder and Path(run.folder).parent == runs.absolute():
            shutil.rmtree(run.folder, ignore_errors=True)
    if old:
        store.runs.forget(before)
