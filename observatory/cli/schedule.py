"""``observatory schedule``: run notebooks when they are due, and look at what is due and at what was run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from observatory.cli.common import open_store, print_table, progress_bar, read_settings, say
from observatory.cli.run import tell

schedule_app = typer.Typer(
    help="Run the notebooks that observatory.toml lists when they are due, until Ctrl-C. "
    "Any number of schedulers may work on one store: nothing is run twice.",
    invoke_without_command=True,
    epilog="Example: `observatory schedule`",
    rich_markup_mode="markdown",
)
JobName = Annotated[str, typer.Argument(help="NAME in [schedule.NAME] of observatory.toml.")]


@schedule_app.callback()
def schedule(context: typer.Context) -> None:
    """Run the notebooks that observatory.toml lists when they are due, until Ctrl-C.

    Any number of schedulers may work on one store: nothing is run twice.
    """
    if context.invoked_subcommand is not None:
        return
    from observatory.logs import quiet
    from observatory.process import ends_on_sigterm
    from observatory.schedule.jobs import upcoming
    from observatory.schedule.scheduler import Scheduler

    settings = read_settings()
    # APScheduler would warn of jobs that still run, which is recorded by us.
    with quiet("apscheduler"), open_store(settings) as store, ends_on_sigterm():
        scheduler = Scheduler(settings, store)
        for due, job in upcoming(scheduler.jobs, scheduler.clock(), len(scheduler.jobs)):
            say(f"{job.name}: {job.settings.notebook}, {job.cadence}, next at {due:%Y-%m-%d %H:%M:%S} UTC")
        try:
            scheduler.run()
        except KeyboardInterrupt:
            say("stopped", err=True)


@schedule_app.command("list", epilog="Example: `observatory schedule list`")
def schedule_list() -> None:
    """List the jobs: what, when, the next time, and how the last run went."""
    from observatory.display.runs import job_table
    from observatory.schedule.jobs import jobs_of, who_schedules

    now, settings = datetime.now(UTC), read_settings()
    jobs = jobs_of(settings)
    with open_store(settings) as store:
        if not jobs:
            say("nothing is scheduled: add [schedule.NAME] to observatory.toml")
            return
        print_table(job_table(jobs, store, now))
        say(f"\n{who_schedules(store.schedulers.alive(now), now)}")


@schedule_app.command("next", epilog="Example: `observatory schedule next --count 20`")
def schedule_next(count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many times.")] = 10) -> None:
    """Show the next times at which jobs are due, the earliest first."""
    from observatory.schedule.jobs import jobs_of, upcoming

    for due, job in upcoming(jobs_of(read_settings()), datetime.now(UTC), count):
        say(f"{due:%Y-%m-%d %H:%M:%S}  {job.name}")


@schedule_app.command("run-now", epilog="Example: `observatory schedule run-now hourly`")
def schedule_run_now(name: JobName) -> None:
    """Run a job now, in this process; refused while a run of it goes on."""
    from pathlib import Path

    from observatory.errors import ObservatoryError
    from observatory.notebooks.run import carry_out, make_folder
    from observatory.process import ends_on_sigterm
    from observatory.schedule.jobs import job_called
    from observatory.times import utc_now

    settings, now = read_settings(), datetime.now(UTC)
    job = job_called(settings, name)
    task = job.task(now)
    run = task.run(settings.runs, now, job=name)
    make_folder(Path(run.folder))
    with open_store(settings) as store, ends_on_sigterm():
        store.runs.find_lost(now)
        if not store.runs.begin(run):
            other = store.runs.alive(name, now)
            since = f" since {other.started_at:%H:%M:%S} UTC, in {other.process}" if other else ""
            raise ObservatoryError(f"job {name} runs already{since}: wait for it, or end it")
        with progress_bar() as show:
            ended, outcome = carry_out(
                run,
                task.notebook,
                store,
                utc_now,
                parameters=task.parameters,
                timeout=job.timeout,
                code=job.settings.code,
                progress=show,
            )
    tell(ended, outcome)


@schedule_app.command("history", epilog="Example: `observatory schedule history --job hourly`")
def schedule_history(
    job: Annotated[str, typer.Option("--job", "-j", help="Only runs of this job.")] = "",
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many runs.")] = 20,
) -> None:
    """Show the last runs of notebooks, also those by hand, the newest first."""
    from observatory.display.runs import run_table

    now = datetime.now(UTC)
    with open_store(read_settings()) as store:
        store.runs.find_lost(now)
        runs = store.runs.last(count, job=job)
    if runs:
        print_table(run_table(runs, now))
    else:
        say("no runs yet")
