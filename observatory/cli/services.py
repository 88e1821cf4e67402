"""``observatory services``: list, discover and register them, and show who calls whom."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from observatory.cli.common import (
    FromOption,
    ToOption,
    matching_services,
    open_reader,
    open_runtime,
    print_table,
    say,
    time_range,
    write_down,
)

if TYPE_CHECKING:
    from observatory.runtime import Runtime

services_app = typer.Typer(help="List, discover and register services.", no_args_is_help=True)


class OverlapChoice(StrEnum):
    """What becomes of times at which two services that are merged both have a sample."""

    REFUSE = "refuse"
    COMBINE = "combine"
    KEEP = "keep"


class GraphFormat(StrEnum):
    """How calls are shown."""

    TABLE = "table"
    DOT = "dot"
    JSON = "json"


YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do it, instead of showing what a pattern covers.")]


@services_app.command("list", epilog="Example: `observatory services list --excluded`")
def services_list(
    excluded: Annotated[bool, typer.Option("--excluded", help="Instead: what is not watched.")] = False,
    renamed: Annotated[bool, typer.Option("--renamed", help="Instead: what goes by another name.")] = False,
) -> None:
    """List the registered services."""
    from observatory.display.services import rule_table, service_table
    from observatory.model import RuleKind

    with open_reader() as runtime:
        if excluded or renamed:
            kinds = [RuleKind.EXCLUDE] * excluded + [RuleKind.RENAME, RuleKind.DEPLOY, RuleKind.APART] * renamed
            rules = rule_table(runtime.store.names.rules().of(*kinds))
            if rules.empty:
                say(f"nothing is {' or '.join(['excluded'] * excluded + ['renamed'] * renamed)}")
            else:
                print_table(rules)
            return
        counts = runtime.store.sample_counts()["samples"].to_dict()
        table = service_table(runtime.overview().services, counts)
    if table.empty:
        say("no services yet: run `observatory services discover`")
    else:
        print_table(table)


@services_app.command("links", epilog="Example: `observatory services links shop/checkout --from 2h`")
def services_links(
    name: Annotated[str, typer.Argument(help="Name of the service.")],
    start: FromOption = "1h",
    end: ToOption = "now",
    traces: Annotated[bool, typer.Option(help="Ask its source for traces of slow requests.")] = True,
) -> None:
    """Show where other programs show more of a service, and the traces of its slowest requests."""
    from observatory.analysis.links import links_of, trace_links
    from observatory.times import TIME

    with open_reader() as runtime:
        first, last = time_range(runtime.clock(), start, end)
        service = runtime.store.service(name).name
        configured = runtime.settings.links
        found = links_of(configured, service, first, last)
        for link in found:  # also where the source does not answer
            say(f"{link.title}: {link.url}")
        slow = runtime.exemplars(service, first, last) if traces else []
    for one in slow:
        say(f"{one.at:{TIME}} UTC, {one.seconds:.3g} s, trace {one.trace_id}")
        for link in trace_links(configured, service, one.trace_id, one.at):
            say(f"  {link.title}: {link.url}")
    if not found and not slow:
        say("no links and no traces: see `observatory help links`")


@services_app.command("discover", epilog="Example: `observatory services discover`")
def services_discover() -> None:
    """Show what each preset has, and register the services that `include` and `exclude` let through."""
    from observatory.collection.collect import discover
    from observatory.display.services import survey_table
    from observatory.runtime.survey_remarks import remarks_on
    from observatory.sources.prometheus.source import PrometheusSource
    from observatory.sources.prometheus.survey import survey

    with open_runtime() as runtime:
        for source in runtime.sources:
            if isinstance(source, PrometheusSource):
                say(f"{source.name}: services with a value now, by preset and metric")
                found = survey(source, runtime.clock() - source.delay)
                print_table(survey_table(one for one in found.found if one.services or one.refused), width=400)
                for line in remarks_on(source, found):
                    say(line)
                say("")
        new = discover(runtime.sources, runtime.store)
        for service in new:
            say(f"new  {service.name}")
        say(f"{len(new)} new services, {len(runtime.store.services())} in all")


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
        say(f"registered {name}")


@services_app.command("rename", epilog="Example: `observatory services rename checkout shop/checkout`")
def services_rename(
    old: Annotated[str, typer.Argument(help="The service as it is called now.")],
    new: Annotated[str, typer.Argument(help="Its new name; no service may have it.")],
) -> None:
    """Give a service another name. It keeps its past, and what its source has of it later gets the new name too."""
    with open_reader() as runtime:
        runtime.store.names.rename(old, new, runtime.clock())
        write_down(runtime, "rename service", old, f"to {new}")
        say(f"renamed {old} to {new}")


@services_app.command("merge", epilog="Example: `observatory services merge 'shop/cart-*' --into shop/cart --yes`")
def services_merge(
    others: Annotated[list[str], typer.Argument(help="Services that become part of another; patterns with --yes.")],
    into: Annotated[str, typer.Option("--into", help="The service that stays.")],
    overlap: Annotated[
        OverlapChoice,
        typer.Option(
            help="Times at which both have a sample: merge nothing, combine both, or keep the one that stays."
        ),
    ] = OverlapChoice.REFUSE,
    yes: YesOption = False,
) -> None:
    """Make services part of another, with their past; what their sources have of them later is part of it too.

    With `--overlap combine` rates, resources and counts add up, error rates are weighted by requests, and a latency of
    two is missing. What was learned of the service with the most samples goes on.
    """
    from observatory.model import Overlap

    with open_reader() as runtime:
        names, patterns = matching_services(runtime.store, others)
        names = [name for name in names if name != into or name in others]
        if patterns and not yes:
            _preview(runtime, names, f"would become part of {into}")
        runtime.store.names.merge(names, into, runtime.clock(), Overlap(overlap))
        for name in names:
            write_down(runtime, "merge service", name, f"into {into}, overlap: {overlap}")
        say(f"merged {', '.join(names)} into {into}")


@services_app.command("remove", epilog="Example: `observatory services remove 'shop/old-*' --yes`")
def services_remove(
    services: Annotated[list[str], typer.Argument(help="Names; patterns (`shop/old-*`) with --yes.")],
    may_return: Annotated[
        bool, typer.Option("--may-return", help="Exclude nothing: its next sample brings a service back.")
    ] = False,
    yes: YesOption = False,
) -> None:
    """Remove services and all there is of them. This cannot be taken back.

    They stay away, also new ones that a pattern covers, until `observatory services restore`.
    """
    with open_reader() as runtime:
        names, patterns = matching_services(runtime.store, services)
        if patterns and not yes:
            _preview(runtime, names, "would be removed with all there is of them")
        excluded = [] if may_return else services
        runtime.store.names.remove(names, runtime.clock(), excluded)
        for name in names:
            write_down(runtime, "remove service", name, "may return" if may_return else "excluded")
        say(f"removed {', '.join(names)}")
        if excluded:
            say(f"not watched from now on: {', '.join(excluded)}")


@services_app.command("restore", epilog="Example: `observatory services restore 'shop/old-*'`")
def services_restore(
    name: Annotated[str, typer.Argument(help="As in `services list --excluded` or `--renamed`.")],
) -> None:
    """Watch again what was excluded, or have a service that was renamed or merged go by its own name again.

    Nothing that was removed or merged comes back; `observatory backfill --again` fetches what the source still has.
    """
    with open_reader() as runtime:
        runtime.store.names.restore(name)
        write_down(runtime, "restore service", name, "")
        say(f"restored {name}: its next sample is stored under its own name")


@services_app.command("graph", epilog="Example: `observatory services graph --of shop/checkout --hops 2 --format dot`")
def services_graph(
    of: Annotated[str | None, typer.Option("--of", help="Only what is around this service.")] = None,
    hops: Annotated[int, typer.Option(min=0, max=20, help="With --of: how many calls away, in either direction.")] = 1,
    everything: Annotated[
        bool, typer.Option("--all", help="Also calls that were not seen for a week, and count no more.")
    ] = False,
    form: Annotated[
        GraphFormat, typer.Option("--format", help="A table, a graph for Graphviz's `dot`, or JSON as the API has it.")
    ] = GraphFormat.TABLE,
) -> None:
    """Show who calls whom, how that is known, and when it was seen first and last.

    What is outside has its kind in front: `user:`, `database:`, `external:`, or `unknown:` for a name that is none of a
    service.
    """
    import json

    from observatory.analysis.call_graph import call_graph
    from observatory.display.calls import call_table, to_dot, to_plain

    with open_reader() as runtime:
        graph = call_graph(runtime.store, of, hops, everything)
    if form is GraphFormat.DOT:
        say(to_dot(graph))
    elif form is GraphFormat.JSON:
        say(json.dumps(to_plain(graph), indent=2, ensure_ascii=False))
    elif graph.edges:
        print_table(call_table(graph))
    else:
        about = f"of {graph.centre} " if graph.centre else ""
        say(f"no calls {about}are known: `observatory help services` says which metrics and settings tell them")


def _preview(runtime: Runtime, names: list[str], what: str) -> None:
    """Show what patterns cover, and end."""
    from observatory.display.services import kept_table

    print_table(kept_table(names, runtime.store.sample_counts()))
    say(f"these {len(names)} services {what}: nothing was done, --yes does it", err=True)
    raise typer.Exit(1)
