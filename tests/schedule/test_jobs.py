"""What is due is run once, in time, and not over itself; what is left out is recorded with its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from observatory.config import Settings
from observatory.config.schedule import JobSettings
from observatory.errors import ConfigError, NotFoundError
from observatory.model import RunStatus
from observatory.schedule.jobs import Job, claim, job_called, jobs_of, missed, require_runnable, upcoming, who_schedules
from observatory.store import Store, open_store
from observatory.store.tables.runs import LOST_AFTER

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
JOBS = """
[schedule.b]
notebook = "explore"
every = "1h"
[schedule.a]
notebook = "collect"
cron = "0 * * * *"
"""


def a_job(**words: Any) -> Job:
    return Job("hourly", JobSettings(**{"notebook": "backfill", "every": "1h", "grace": "5m"} | words))


@pytest.fixture
def store() -> Store:
    return open_store(":memory:")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(store=":memory:", runs=tmp_path / "runs")


def statuses(store: Store) -> list[tuple[str, str]]:
    return [(f"{run.due_at:%H:%M}", f"{run.status} {run.error}".strip()) for run in store.runs.last() if run.due_at]


def test_parameters_are_filled_in_with_the_time_it_was_due() -> None:
    job = a_job(parameters={"start": "{now-1h}", "end": "{now}", "days": 2})
    assert job.task(NOON).parameters == {
        "store": "settings",
        "start": "2026-03-01T11:00:00Z",
        "end": "2026-03-01T12:00:00Z",
        "days": 2.0,
    }


def test_a_due_time_is_claimed_by_one_scheduler(store: Store, settings: Settings) -> None:
    job = a_job()
    first = claim(job, NOON, store, settings, NOON + MINUTE)
    assert first is not None
    assert claim(job, NOON, store, settings, NOON + MINUTE) is None
    assert statuses(store) == [("12:00", "running")]
    assert first[0].folder.startswith(str(settings.runs))


def test_a_run_that_would_begin_too_late_is_left_out(store: Store, settings: Settings) -> None:
    assert claim(a_job(), NOON, store, settings, NOON + 6 * MINUTE) is None
    assert statuses(store) == [("12:00", "skipped it could not begin until 360 s after its time")]
    assert missed(a_job(), NOON, NOON + 6 * MINUTE) == []


def test_a_run_does_not_begin_while_the_one_before_goes_on(store: Store, settings: Settings) -> None:
    job = a_job(every="1m")
    assert claim(job, NOON, store, settings, NOON)
    assert claim(job, NOON + MINUTE / 2, store, settings, NOON + MINUTE / 2) is None
    assert statuses(store)[0] == ("12:00", "skipped the run of 12:00:00 was still going")
    assert claim(job, NOON + 2 * LOST_AFTER, store, settings, NOON + 2 * LOST_AFTER)  # it gave no sign of life


def test_a_run_that_waited_for_the_store_begins_when_the_one_before_had_ended(store: Store, settings: Settings) -> None:
    job = a_job(every="1m")
    first = claim(job, NOON, store, settings, NOON)
    assert first is not None
    store.runs.update(replace(first[0], status=RunStatus.DONE, ended_at=NOON + 1.1 * MINUTE))
    second = claim(job, NOON + MINUTE, store, settings, NOON + MINUTE)  # this clock was read before that
    assert second is not None
    recorded = store.runs.get(second[0].id)
    assert recorded is not None
    assert recorded.started_at == NOON + 1.1 * MINUTE


def test_only_the_newest_of_many_missed_times_counts() -> None:
    assert missed(a_job(), NOON - timedelta(days=3), NOON + MINUTE) == [NOON]
    assert missed(a_job(), NOON, NOON + MINUTE) == []


def test_a_job_that_catches_up_makes_up_for_every_missed_time_in_order(store: Store, settings: Settings) -> None:
    job = a_job(catch_up=True)
    times = missed(job, NOON - timedelta(hours=3), NOON + MINUTE)
    assert times == [NOON - timedelta(hours=2), NOON - timedelta(hours=1), NOON]
    assert claim(job, times[0], store, settings, NOON + MINUTE)
    assert claim(job, times[1], store, settings, NOON + MINUTE) is None
    assert statuses(store) == [("10:00", "running")]  # the others wait for it
    assert len(missed(job, NOON - timedelta(days=300), NOON)) == 100


def test_the_next_times_of_all_jobs_are_in_order() -> None:
    jobs = [Job("b", a_job(every="20m").settings), Job("a", a_job().settings)]
    found = [(f"{due:%H:%M}", job.name) for due, job in upcoming(jobs, NOON, 4)]
    assert found == [("12:20", "b"), ("12:40", "b"), ("13:00", "a"), ("13:00", "b")]


def test_a_scheduler_that_missed_a_sign_of_life_is_said_to_be_silent() -> None:
    seen = {"me:1": NOON, "me:2": NOON + MINUTE / 2}
    assert who_schedules(seen, NOON + 0.75 * MINUTE) == "scheduled by me:1 (silent for 45 s), me:2"
    assert who_schedules({}, NOON) == "no scheduler runs: start one with `observatory schedule`"


def test_jobs_are_read_from_the_settings_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("observatory.toml").write_text(JOBS)
    assert [job.name for job in jobs_of(Settings())] == ["a", "b"]
    assert job_called(Settings(), "b").settings.notebook == "explore"
    with pytest.raises(NotFoundError, match="unknown job 'c': there are a, b"):
        job_called(Settings(), "c")


def test_jobs_that_could_not_be_run_are_named_together() -> None:
    jobs = [a_job(notebook="nothing"), a_job(parameters={"dayz": 1}), a_job(parameters={"end": "{then}"}), a_job()]
    with pytest.raises(ConfigError) as caught:
        require_runnable(jobs, NOON)
    assert "[schedule.hourly] unknown notebook 'nothing'" in str(caught.value)
    assert "unknown parameter 'dayz': did you mean days?" in str(caught.value)
    assert "{then}" in str(caught.value)


@pytest.mark.parametrize("words", [{"grace": "long"}, {"timeout": "0s"}, {"cron": "* * * * *"}, {"evry": "1h"}])
def test_a_job_that_is_not_understood_is_refused_with_the_settings(words: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(words))):
        a_job(**words)


@pytest.mark.parametrize("status", list(RunStatus))
def test_a_time_is_dealt_with_however_its_run_ended(store: Store, settings: Settings, status: RunStatus) -> None:
    job = a_job()
    claimed = claim(job, NOON, store, settings, NOON)
    assert claimed
    store.runs.update(replace(claimed[0], status=status))
    assert missed(job, store.runs.last_due("hourly") or NOON - MINUTE, NOON + MINUTE) == []
