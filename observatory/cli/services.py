"""``observatory services``: list, discover and register them."""

from __future__ import annotations

from typing import Annotated

import typer

from observatory.cli.common import open_reader, open_runtime, print_table

services_app = typer.Typer(help="List, discover and register services.", no_args_is_help=True)


@services_app.command("list", epilog="Example: `observatory services list`")
def services_list() -> None:
    """List the registered services."""
    from observatory.display.services import service_table

    with open_reader() as runtime:
        counts = runtime.store.sample_counts()["samples"].to_dict()
        table = service_table(runtime.overview().services, counts)
    if table.empty:
        typer.echo("no services yet: run `observatory services discover`")
    else:
        print_table(table)


@services_app.command("discover", epilog="Example: `observatory services discover`")
def services_discover() -> None:
    """Show what each preset has, and register the services that `include` and `exclude` let through."""
    from observatory.collection.collect import discover
    from observatory.display.services import survey_table
    from observatory.sources.prometheus.source import PrometheusSource
    from observatory.sources.prometheus.survey import survey

    with open_runtime() as runtime:
        for source in runtime.sources:
            if isinstance(source, PrometheusSource):
                typer.echo(f"{source.name}: services with a value now, by preset and metric")
                found = survey(source, runtime.clock())
                print_table(survey_table(one for one in found if one.services or one.refused))
                absent = [one.preset for one in found if not one.services and not one.refused]
                if absent:
                    typer.echo(f"without any series: {', '.join(absent)}")
                for preset in found:
                    for metric, error in preset.refused.items() if preset.is_own else ():
                        typer.echo(f"failed: preset {preset.preset}, {metric}: {error}", err=True)
                typer.echo("")
        new = discover(runtime.sources, runtime.store)
        for service in new:
            typer.echo(f"new  {service.name}")
        typer.echo(f"{len(new)} new services, {len(runtime.store.services())} in all")


@services_app.command("register", epilog="Example: `observatory services register shop/checkout --team buy`")
def services_register(
    name: Annotated[str, typer.Argument(help="Name as in Prometheus, or namespace/name.")],
    team: Annotated[str | None, typer.Option(help="Who owns it.")] = None,
    tier: Annotated[str | None, typer.Option(help="How much it matters.")] = None,
    objective: Annotated[float | None, typer.Option(min=0, max=1, help="Availability objective (0–1).")] = None,
    latency_target: Annotated[float | None, typer.Option(min=0, help="p95 target [s].")] = None,
    source: Annotated[str | None, typer.Option(help="The source it is collected from; default: the first.")] = None,
) -> None:
    """Register a service, or add what is known about it."""
    from observatory.runtime.services import register_service

    with open_reader() as runtime:
        register_service(
            runtime, name, source, team=team, tier=tier, objective=objective, latency_target=latency_target
        )
        typer.echo(f"registered {name}")
