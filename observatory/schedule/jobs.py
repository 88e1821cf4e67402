"""Jobs: notebooks that are run again and again, as the settings say. What is due is decided here, from the store."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from observatory.config import Settings
from observatory.config.cadence import Cadence
from observatory.config.schedule import JobSettings
from observatory.errors import ConfigError, InvalidInputError, NotFoundError
from observatory.model import Run, RunStatus
from observatory.notebooks.run import Task
from observatory.store import Store
from observatory.times import parse_duration, resolve_times

MOST_CAUGHT_UP = 100
"""Missed times of one job that are made up for; older ones are left out."""
SIGN_OF_LIFE = 20.0
"""Time between two signs of life of a scheduler [s]."""


@dataclass(frozen=True, slots=True)
class Job:
    """A line of the schedule."""

    name: str
    settings: JobSettings

    @property
    def cadence(self) -> Cadence:
        """When it is due."""
        return self.settings.cadence

    @property
    def timeout(self) -> float:
        """Longest time a run may take [s]."""
        return parse_duration(self.settings.timeout, "timeout").total_seconds()

    @property
    def grace(self) -> timedelta:
        """How late a run may begin."""
        return parse_duration(self.settings.grace, "grace")

    def task(self, due: datetime) -> Task:
        """What is run for the time `due`.

        Raises
        ------
        NotFoundError, InvalidInputError
            There is no such notebook; it does not take these parameters.
        """
        return Task.of(self.settings.notebook, _resolved(self.settings.parameters, due))


def jobs_of(settings: Settings) -> list[Job]:
    """All jobs, by name."""
    return [Job(name, settings.schedule[name]) for name in sorted(settings.schedule)]


def job_called(settings: Settings, name: str) -> Job:
    """The job of that name.

    Raises
    ------
    NotFoundError
        There is none; the message lists those there are.
    """
    if name not in settings.schedule:
        known = ", ".join(sorted(settings.schedule)) or "none yet: add [schedule.NAME] to observatory.toml"
        raise NotFoundError(f"unknown job {name!r}: there are {known}")
    return Job(name, settings.schedule[name])


def require_runnable(jobs: list[Job], now: datetime) -> None:
    """See that every job could be run, before the first is due.

    Raises
    ------
    ConfigError
        Naming each job that could not, and why.
    """
    problems = []
    for job in jobs:
        try:
            job.task(now)
        except (NotFoundError, InvalidInputError) as error:
            problems.append(f"[schedule.{job.name}] {error}")
    if problems:
        raise ConfigError("\n".join(problems))


def missed(job: Job, since: datetime, now: datetime) -> list[datetime]:
    """Times after `since`, up to `now`, that must be dealt with, the oldest first.

    A job that does not catch up has one at most: the newest.
    """
    if job.settings.catch_up:
        return list(deque(job.cadence.between(since, now), maxlen=MOST_CAUGHT_UP))
    last = job.cadence.before(now)
    return [last] if last is not None and last > since else []


def claim(job: Job, due: datetime, store: Store, settings: Settings, now: datetime) -> tuple[Run, Task] | None:
    """Begin the run of a job for the time `due`, or record why it is left out; None where there is nothing to run.

    Of all processes that ask, one gets the run.
    """
    task = job.task(due)
    run = task.run(settings.runs, now, job=job.name, due_at=due)
    late = now - due
    if late > job.grace and not job.settings.catch_up:
        _skip(run, store, f"it could not begin until {round(late.total_seconds())} s after its time")
        return None
    if store.runs.begin(run):
        return run, task
    other = store.runs.alive(job.name, now)
    if other is not None and other.due_at != due and not job.settings.catch_up:
        _skip(run, store, f"the run of {other.started_at:%H:%M:%S} was still going")
    return None


def who_schedules(schedulers: Mapping[str, datetime], now: datetime) -> str:
    """Say who schedules, by their last signs of life; of one that missed the next, how long it has been silent."""
    told = []
    for process, seen_at in schedulers.items():
        silent = (now - seen_at).total_seconds()
        told.append(f"{process} (silent for {silent:.0f} s)" if silent > 1.5 * SIGN_OF_LIFE else process)
    return f"scheduled by {', '.join(told)}" if told else "no scheduler runs: start one with `observatory schedule`"


def upcoming(jobs: list[Job], now: datetime, count: int) -> list[tuple[datetime, Job]]:
    """The next due times of all jobs, the earliest first."""
    times = [(due, job) for job in jobs for due in itertools.islice(_following(job, now), count)]
    return sorted(times, key=lambda item: (item[0], item[1].name))[:count]


def _following(job: Job, time: datetime) -> Any:
    due = job.cadence.after(time)
    while due is not None:
        yield due
        due = job.cadence.after(due)


def _skip(run: Run, store: Store, why: str) -> None:
    store.runs.begin(replace(run, status=RunStatus.SKIPPED, ended_at=run.started_at, error=why, folder=""))


def _resolved(value: Any, due: datetime) -> Any:
    if isinstance(value, str):
        return resolve_times(value, due)
    if isinstance(value, dict):
        return {name: _resolved(item, due) for name, item in value.items()}
    return [_resolved(item, due) for item in value] if isinstance(value, list) else value
