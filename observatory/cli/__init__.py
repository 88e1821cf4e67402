"""The command line: ``observatory VERB``. Exit codes: 0 done, 1 failed, 2 wrong use.

Verbs import what they need when they run, so that ``--help`` answers at once.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from observatory import __version__
from observatory.cli.common import chosen_services, open_runtime, print_table, progress_bar, read_settings, time_range
from observatory.cli.doctor import doctor
from observatory.cli.evaluate import evaluate
from observatory.cli.feedback import feedback_app
from observatory.cli.importing import import_samples
from observatory.cli.keys import keys_app
from observatory.cli.run import RunCommand, lab, run
from observatory.cli.schedule import schedule_app
from observatory.cli.services import services_app
from observatory.cli.store import store_app
from observatory.errors import ConfigError, InvalidInputError, ObservatoryError

if TYPE_CHECKING:
    from observatory.config.settings import Settings
    from observatory.runtime import Runtime

app = typer.Typer(
    help="CloudWatch Observatory: the health of your services, from Prometheus.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command("import", epilog="Example: `observatory import history.csv --map latency_p95=p95:ms --dry-run`")(
    import_samples
)
app.add_typer(services_app, name="services")
app.add_typer(store_app, name="store")
app.add_typer(feedback_app, name="feedback")
app.command(epilog="Example: `observatory evaluate --detector seasonal --detector ensemble`")(evaluate)
app.command(epilog="Example: `observatory doctor`")(doctor)
app.add_typer(keys_app, name="keys")
app.add_typer(schedule_app, name="schedule")
app.command(cls=RunCommand, epilog="Example: `observatory run backfill -p days 30 -o reports/month`")(run)
app.command(
    epilog="Example: `observatory lab --no-browser`",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(lab)

ServiceOption = Annotated[list[str] | None, typer.Option("--service", "-s", help="Only this service; may be repeated.")]
ServicesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--services", "--service", "-s", help="Only these: names or patterns (`shop/*`), by commas or repeated."
    ),
]
FromOption = Annotated[str, typer.Option("--from", help="Start: RFC 3339, or a time ago such as 30d or 12h.")]
ToOption = Annotated[str, typer.Option("--to", help="End: RFC 3339, a time ago, or `now`.")]


def main() -> None:
    """Entry point: turns expected errors into one line on standard error."""
    try:
        app()
    except ObservatoryError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2 if isinstance(error, ConfigError | InvalidInputError) else 1)
    except KeyboardInterrupt:
        sys.exit(130)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """CloudWatch Observatory: the health of your services, from Prometheus."""


@app.command(epilog="Example: `observatory serve --port 8080`")
def serve(
    port: Annotated[int | None, typer.Option(help="Port of the pages and the REST API.")] = None,
    host: Annotated[
        str | None, typer.Option(help="Address to bind; beyond loopback only where one must sign in.")
    ] = None,
    num_procs: Annotated[int, typer.Option("--num-procs", min=1, max=64, help="Processes that share the port.")] = 1,
) -> None:
    """Serve the dashboard and the REST API, and collect in the background."""
    from observatory.runtime import Runtime, use
    from observatory.server.panel import require_free_port, require_sign_in, serve

    settings = read_settings(port=port, host=host)
    require_free_port(settings.host, settings.port)
    runtime = Runtime(settings)
    use(runtime)
    try:
        require_sign_in(runtime)
        if settings.source_name == "demo":
            with progress_bar() as show:
                runtime.prepare(show)
            runtime.go_live()
        _greet(settings, runtime)
        serve(settings, num_procs)
    finally:
        runtime.close()


@app.command(epilog="Example: `observatory demo`")
def demo() -> None:
    """Fill the demo shop's history and detect on it, without serving."""
    with open_runtime(prometheus_url=None) as runtime, progress_bar() as show:
        runtime.prepare(show)
        typer.echo(f"{len(runtime.store.services())} services in {runtime.store.url}, serve them: observatory serve")


@app.command(epilog="Example: `observatory collect --service shop/checkout`")
def collect(service: ServiceOption = None) -> None:
    """Collect one sample a service, now."""
    with open_runtime() as runtime:
        reports = [runtime.collect(name) for name in service] if service else [runtime.collect()]
        for report in reports:
            typer.echo(
                f"{report.samples} samples of {report.services} services "
                f"with {report.queries} queries in {report.seconds:.2f} s"
            )
            for warning in report.warnings:
                typer.echo(f"warning: {warning}", err=True)
            for failure in report.failures:
                typer.echo(f"failed: {failure.what}: {failure.error}", err=True)
        if any(report.failures for report in reports):
            raise typer.Exit(1)


@app.command(epilog="Example: `observatory backfill --from 30d --to now --services 'shop/*' --step 60s`")
def backfill(
    start: FromOption = "1d",
    end: ToOption = "now",
    step: Annotated[
        str | None, typer.Option(help="Time between samples; default: the interval of the settings.")
    ] = None,
    service: ServicesOption = None,
    source: Annotated[list[str] | None, typer.Option("--source", help="Only this source; may be repeated.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Fetch also what was fetched before.")] = False,
) -> None:
    """Fetch history from the sources; an interrupted run goes on where it was, and a second one changes nothing."""
    from observatory.collection.backfill import backfill
    from observatory.display.samples import coverage_table, gap_table
    from observatory.times import parse_duration

    with open_runtime() as runtime:
        first, last = time_range(runtime.clock(), start, end)
        seconds = parse_duration(step, "--step").total_seconds() if step else runtime.settings.interval
        with progress_bar() as show:
            sources = runtime.sources_called(source)
            names = chosen_services(runtime.store, service)
            report = backfill(sources, runtime.store, first, last, seconds, names, show, again=again)
        typer.echo(
            f"{report.samples:,} rows in {report.chunks} chunks and {report.seconds:.1f} s "
            f"({report.samples / report.seconds:,.0f} a second); {report.stored:.0%} of the range was stored before"
        )
        for warning in report.warnings:
            typer.echo(f"warning: {warning}", err=True)
        typer.echo("\nShare of the expected samples that is stored")
        print_table(coverage_table(report.coverage))
        typer.echo("\nGaps" if len(report.gaps) else "\nNo gaps")
        if len(report.gaps):
            print_table(gap_table(report.gaps))
        for failure in report.failures:
            typer.echo(f"failed: {failure.what}: {failure.error}", err=True)
        if report.failures:
            raise typer.Exit(1)


@app.command(epilog="Example: `observatory detect --from 2d`")
def detect(start: FromOption = "1d", end: ToOption = "now", service: ServiceOption = None) -> None:
    """Detect anomalies on stored samples, as if they had come in live, and keep them."""
    with open_runtime() as runtime:
        first, last = time_range(runtime.clock(), start, end)
        names = [runtime.store.service(name).name for name in service] if service else None
        with progress_bar() as show:
            found, failures = runtime.pipeline.replay(first, last, names, show)
        for anomaly in found:
            typer.echo(f"{anomaly.started_at:%Y-%m-%d %H:%M}  {anomaly.severity:<8}  {anomaly.message}")
        typer.echo(f"{len(found)} anomalies")
        for failure in failures:
            typer.echo(f"failed: {failure.what}: {failure.error}", err=True)
        if failures:
            raise typer.Exit(1)


@app.command(epilog="Example: `observatory health`")
def health() -> None:
    """Show every service's health, the worst first."""
    from observatory.display.samples import health_table

    with open_runtime() as runtime:
        table = health_table(runtime.overview())
    if table.empty:
        typer.echo("no services yet: run `observatory collect`, or `observatory demo`, first")
    else:
        print_table(table)


@app.command(epilog="Example: `observatory archive --older-than 30d`")
def archive(
    older_than: Annotated[
        str | None, typer.Option(help="Age of what is moved, such as 30d; default: OBSERVATORY_ARCHIVE_DAYS.")
    ] = None,
) -> None:
    """Move old samples to Parquet files beside the store; they stay part of every answer."""
    from datetime import timedelta

    from observatory.times import parse_duration

    with open_runtime() as opened:
        days = opened.settings.archive_days
        if older_than is None and days is None:
            raise InvalidInputError("--older-than is needed where OBSERVATORY_ARCHIVE_DAYS is not set")
        age = parse_duration(older_than, "--older-than") if older_than else timedelta(days=days or 0)
        opened.store.maintain(opened.clock())
        moved = opened.store.archive.move(opened.clock() - age)
        for month in moved:
            typer.echo(f"{month.month:%Y-%m}  {month.row_count} samples in {month.file}")
        typer.echo(f"{len(moved)} months written to {opened.store.archive.folder}")


@app.command(epilog="Example: `observatory audit --since 7d --refused`")
def audit(
    since: Annotated[str, typer.Option(help="A time ago such as 24h, or RFC 3339.")] = "24h",
    who: Annotated[str | None, typer.Option(help="Only of this caller, such as key:grafana.")] = None,
    refused: Annotated[bool, typer.Option("--refused", help="Only what was refused.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most lines.")] = 100,
) -> None:
    """Show who did what: every write and every refused access, the newest first."""
    from observatory.display.samples import audit_table
    from observatory.times import parse_time

    with open_runtime() as opened:
        table = audit_table(opened.store.audit.read(parse_time(since, opened.clock(), "--since"), who, refused, limit))
    if table.empty:
        typer.echo("nothing was written or refused")
    else:
        print_table(table)


def _greet(settings: Settings, runtime: Runtime) -> None:
    host = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host  # noqa: S104 - a browser wants an address
    base = f"{'https' if settings.tls_cert else 'http'}://{host}:{settings.port}"
    typer.echo(
        f"\n  Dashboard   {base}/observatory\n  REST API    {base}/api/health/summary  ({base}/api/openapi.json)"
    )
    if not runtime.sources:
        typer.echo(f"  Data        what was imported into {runtime.store.url}; nothing is collected")
    elif settings.source_name == "demo":
        fault = runtime.next_fault()
        typer.echo("  Data        the demo shop: seven days with labelled faults; look at Anomaly Radar")
        if fault:
            typer.echo(
                f"  Watch       at {fault.start.astimezone():%H:%M:%S} a {fault.kind.replace('_', ' ')} begins in "
                f"{fault.root_cause}; its card turns within about {settings.interval:.0f} s"
            )
        typer.echo("  Your own    OBSERVATORY_PROMETHEUS_URL=http://... ./start.sh serve")
    else:
        where = ", ".join(f"{name} {source.url.host}" for name, source in settings.prometheis.items())
        typer.echo(f"  Data        {where}, every {settings.interval:.0f} s into {runtime.store.url}")
    typer.echo("  Stop        Ctrl-C\n")
