"""Runs of notebooks are recorded, and each time of a job is claimed by one process only."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from store.conftest import HOMES

from observatory.model import Run, RunStatus
from observatory.store import Store, open_store
from observatory.store.options import StoreOptions
from observatory.store.tables.runs import LOST_AFTER

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_run(run_id: str = "a", minutes: float = 0, **values: object) -> Run:
    at = NOON + timedelta(minutes=minutes)
    chosen = {"parameters": {"days": 1.5}, "status": RunStatus.RUNNING, "folder": f"runs/{run_id}", "process": "me:1"}
    return Run(id=run_id, notebook="backfill", started_at=at, seen_at=at, **chosen | values)


def test_a_run_comes_back_as_it_was_recorded(store: Store) -> None:
    assert store.runs.begin(a_run())
    assert store.runs.get("a") == a_run()
    ended = replace(
        a_run(),
        seen_at=NOON + timedelta(minutes=1),
        ended_at=NOON + timedelta(minutes=1),
        status=RunStatus.FAILED,
        failed_cell=3,
        error="ValueError: 'days' isn't it",
    )
    store.runs.update(ended)
    assert store.runs.get("a") == ended
    assert store.runs.get("b") is None


def test_a_time_of_a_job_is_claimed_once(store: Store) -> None:
    assert store.runs.begin(a_run("a", job="hourly", due_at=NOON, status=RunStatus.DONE))
    assert not store.runs.begin(a_run("b", 1, job="hourly", due_at=NOON))
    assert store.runs.begin(a_run("c", 1, job="daily", due_at=NOON))
    assert store.runs.last_due("hourly") == NOON
    assert store.runs.last_due("never") is None


def test_a_job_does_not_overlap_itself_while_its_run_is_alive(store: Store) -> None:
    assert store.runs.begin(a_run("a", job="hourly", due_at=NOON))
    later = NOON + timedelta(minutes=2)
    store.runs.seen("a", later)
    assert not store.runs.begin(a_run("b", 2.5, job="hourly", due_at=later))
    assert store.runs.begin(a_run("c", 2 + LOST_AFTER.seconds / 60, job="hourly", due_at=later))


def test_a_run_of_a_job_begins_when_the_one_before_had_ended_whatever_its_clock_said(store: Store) -> None:
    first, ended = a_run("a", job="hourly", due_at=NOON), NOON + timedelta(minutes=3)
    assert store.runs.begin(first)
    store.runs.update(replace(first, status=RunStatus.DONE, ended_at=ended))
    assert store.runs.begin(a_run("b", 2, job="hourly", due_at=NOON + timedelta(minutes=2)))
    second = store.runs.get("b")
    assert second is not None
    assert second.started_at == ended


def test_runs_by_hand_may_overlap() -> None:
    store = open_store(":memory:")
    assert store.runs.begin(a_run("a"))
    assert store.runs.begin(a_run("b"))
    assert [run.id for run in store.runs.last()] == ["b", "a"]
    assert store.runs.last(notebook="explore") == store.runs.last(job="hourly") == []


def test_runs_whose_process_ended_without_a_word_are_given_up() -> None:
    store = open_store(":memory:")
    store.runs.begin(a_run("a"))
    store.runs.begin(a_run("b", 5))
    store.runs.find_lost(NOON + timedelta(minutes=5))
    found = {run.id: run for run in store.runs.last()}
    assert found["a"].status is RunStatus.LOST
    assert found["a"].ended_at == NOON
    assert found["b"].status is RunStatus.RUNNING


def test_old_runs_are_forgotten_but_not_those_that_go_on() -> None:
    store = open_store(":memory:")
    store.runs.begin(a_run("a"))
    store.runs.begin(a_run("b", 1, status=RunStatus.DONE))
    store.runs.begin(a_run("c", 9, status=RunStatus.DONE))
    before = NOON + timedelta(minutes=5)
    assert [run.id for run in store.runs.older_than(before)] == ["b"]
    store.runs.forget(before)
    assert [run.id for run in store.runs.last()] == ["c", "a"]


def test_schedulers_are_known_while_they_are_alive() -> None:
    store = open_store(":memory:")
    store.schedulers.seen("me:1", NOON, NOON)
    store.schedulers.seen("me:2", NOON, NOON + timedelta(seconds=30))
    assert store.schedulers.alive(NOON + timedelta(seconds=30)) == {
        "me:1": NOON,
        "me:2": NOON + timedelta(seconds=30),
    }
    assert list(store.schedulers.alive(NOON + LOST_AFTER)) == ["me:2"]
    store.schedulers.gone("me:2", NOON)
    assert store.schedulers.alive(NOON + LOST_AFTER) == {}


CLAIMER = """
import sys
from datetime import timedelta
from store.tables.test_runs import NOON, a_run
from observatory.store import open_store
from observatory.store.options import StoreOptions
me, url, token, data_path = sys.argv[1:]
with open_store(url, options=StoreOptions(token=token or None, data_path=data_path or None)) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    for i in range(8):
        due = NOON + timedelta(minutes=i)
        run = a_run(f"{me}-{i}", i, job="j", due_at=due, status="done")
        print(int(store.runs.begin(run)), end=" ", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("home", [one for one in HOMES if one != "memory"], indirect=True)
def test_of_processes_that_claim_at_once_each_time_goes_to_one(home: tuple[str, StoreOptions]) -> None:
    url, options = home
    with open_store(url, options=options):
        claimers = [
            subprocess.Popen(
                [sys.executable, "-c", CLAIMER, str(n), url, options.token or "", options.data_path or ""],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={"PYTHONPATH": str(Path(__file__).parents[2])},
            )
            for n in range(2)
        ]
        for claimer in claimers:
            assert claimer.stdout is not None
            assert claimer.stdout.readline() == "ready\n"
        for claimer in claimers:  # both, before the answers of one are waited for
            assert claimer.stdin is not None
            claimer.stdin.write("go\n")
            claimer.stdin.flush()
        answers = [claimer.communicate()[0].split() for claimer in claimers]
    assert [sum(map(int, pair)) for pair in zip(*answers, strict=True)] == [1] * 8
