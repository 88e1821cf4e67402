"""Two schedulers on one store, and somebody who kills them, their runs and their kernels: what survives?

``python tests/benchmarks/soak_schedule.py --minutes 5`` prints what was run, and fails where a time was run twice or
two runs of a job overlapped. The kernels' processes are found by their parents, so nothing else is touched.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]  # as pytest does

# ruff: noqa: E402
from notebooks.conftest import write_trial
from support.servers import wait_until

from observatory.model import Run, RunStatus
from observatory.store import Store, open_store

JOBS = ("often", "broken", "stuck")
CONFIG = """
store = "soak.duckdb"
[schedule.often]
notebook = "trial.ipynb"
every = "{every}s"
grace = "1m"
[schedule.broken]
notebook = "trial.ipynb"
every = "{every}s"
grace = "1m"
parameters = {{how = "raise"}}
[schedule.stuck]
notebook = "trial.ipynb"
every = "{every}s"
parameters = {{how = "wait"}}
timeout = "{every}s"
"""


class Schedulers:
    """As many as are wanted, each begun again when it was killed."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.processes = [self._begin() for _ in range(count)]

    def _begin(self) -> subprocess.Popen[bytes]:
        log = (self.folder / "log").open("ab")
        command = [sys.executable, "-m", "observatory", "schedule"]
        return subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)

    def kill_one(self, chance: random.Random) -> str:
        """End a scheduler, a run's process, or a kernel, without a word."""
        number = chance.randrange(len(self.processes))
        scheduler = self.processes[number]
        runs = children(scheduler.pid)
        kernels = [kernel for run in runs for kernel in children(run)]
        kind, victims = chance.choice([("scheduler", [scheduler.pid]), ("run", runs), ("kernel", kernels)])
        if not victims:
            return ""
        try:
            os.kill(chance.choice(victims), signal.SIGKILL)
        except ProcessLookupError:
            return ""
        if kind == "scheduler":
            scheduler.wait()
            self.processes[number] = self._begin()
        return kind

    def end(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()


def children(pid: int) -> list[int]:
    """Processes that one has begun."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in task.read_text().split()]
        except OSError:
            continue
    return found


def overlaps(runs: list[Run]) -> list[tuple[Run, Run]]:
    """Runs of one job of which the second began while the first had not ended."""
    ordered = sorted((run for run in runs if run.status is not RunStatus.SKIPPED), key=lambda run: run.started_at)
    pairs = itertools.pairwise(ordered)
    return [(one, two) for one, two in pairs if one.ended_at is None or two.started_at < one.ended_at]


def soak(store: Store, schedulers: Schedulers, minutes: float, between: float, seed: int) -> Counter[str]:
    """Kill something every `between` seconds or so; returns how often what was killed."""
    chance, killed = random.Random(seed), Counter[str]()
    until = time.monotonic() + 60 * minutes
    while time.monotonic() < until:
        time.sleep(chance.uniform(0.5, 1.5) * between)
        killed[schedulers.kill_one(chance)] += 1
    killed.pop("", None)
    return killed


def all_ended(store: Store) -> bool:
    """Whether no run goes on, once those without a sign of life are given up."""
    store.runs.find_lost(datetime.now(UTC))
    return all(run.status is not RunStatus.RUNNING for job in JOBS for run in store.runs.last(100_000, job=job))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--every", type=int, default=20, help="seconds between two runs of each of the three jobs")
    parser.add_argument("--between", type=float, default=15.0, help="seconds between two kills")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        write_trial(folder / "trial.ipynb")
        (folder / "observatory.toml").write_text(CONFIG.format(every=given.every))
        with open_store(str(folder / "soak.duckdb")) as store:
            schedulers = Schedulers(folder, 2)
            killed = soak(store, schedulers, given.minutes, given.between, given.seed)
            schedulers.end()
            wait_until(lambda: all_ended(store), 120, "runs whose process was killed to be given up")
            failed = False
            for job in JOBS:
                runs = store.runs.last(100_000, job=job)
                twice = sum(count - 1 for count in Counter(run.due_at for run in runs).values())
                statuses = ", ".join(
                    f"{count} {status}" for status, count in Counter(r.status for r in runs).most_common()
                )
                both = overlaps(runs)
                print(f"{job:<8}{len(runs):>4} times: {statuses}; {twice} twice, {len(both)} overlapping")
                for one, two in both:
                    print(f"        {one.started_at} to {one.ended_at} {one.status} {one.error}, but {two.started_at}")
                failed = failed or bool(twice or both)
            print("killed:", ", ".join(f"{count} × {kind}" for kind, count in killed.items()))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
