"""``observatory silences``: what is not told, judged or learned from, and when."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from observatory.cli.common import open_reader, print_table, say, write_down

if TYPE_CHECKING:
    from observatory.model import Silence
    from observatory.runtime import Runtime

silences_app = typer.Typer(
    help="Silence what is expected, such as a maintenance, and see what is silenced.",
    no_args_is_help=True,
)


class EffectChoice(StrEnum):
    """As `observatory.model.Effect`, which would bring pandas with it."""

    TELL_NOBODY = "tell_nobody"
    DO_NOT_JUDGE = "do_not_judge"
    DO_NOT_LEARN = "do_not_learn"


SilenceId = Annotated[str, typer.Argument(metavar="ID", help="Of the silence, as `silences list` shows it.")]
ServicesArgument = Annotated[
    list[str], typer.Argument(metavar="SERVICE...", help="Names or patterns (`shop/*`); `*` is every service.")
]
StartOption = Annotated[str, typer.Option("--from", help="When it begins: RFC 3339, `now`, or to come: `+2h`.")]
EndOption = Annotated[str, typer.Option("--until", help="When it is over for good: RFC 3339, or to come: `+2h`.")]
LastsOption = Annotated[str, typer.Option("--for", help="In place of `--until`, how long it lasts: `2h`.")]
CronOption = Annotated[str, typer.Option("--cron", help="It comes again: when it begins, as in `0 2 * * sun`.")]
DurationOption = Annotated[str, typer.Option("--duration", help="How long it lasts each time: `2h`.")]
ZoneOption = Annotated[str, typer.Option("--timezone", help="Of `--cron`, such as `Europe/Berlin`.")]
SeverityOption = Annotated[list[str] | None, typer.Option("--severity", help="Only of these; may be repeated.")]
MetricOption = Annotated[
    list[str] | None, typer.Option("--metric", help="Only what lies in no other metric; may be repeated.")
]
EffectOption = Annotated[EffectChoice, typer.Option("--effect", help="Each also does what stands before it.")]


@silences_app.command("add", epilog="Example: `observatory silences add 'shop/*' --for 2h --reason 'new disks'`")
def add(
    services: ServicesArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why, in words.")],
    start: StartOption = "now",
    end: EndOption = "",
    lasts: LastsOption = "",
    cron: CronOption = "",
    duration: DurationOption = "",
    timezone: ZoneOption = "UTC",
    severity: SeverityOption = None,
    metric: MetricOption = None,
    effect: EffectOption = EffectChoice.TELL_NOBODY,
) -> None:
    """Silence services: nobody is told of them until it is over, and then of what still goes on."""
    from observatory.analysis.silence_preview import preview
    from observatory.display.silences import silence_table

    with open_reader() as runtime:
        made = _made(
            runtime,
            services,
            reason,
            start=start,
            end=end,
            lasts=lasts,
            cron=cron,
            duration=duration,
            timezone=timezone,
            severities=severity or (),
            metrics=metric or (),
            effect=effect.value,
        )
        runtime.store.silences.write([made])
        write_down(runtime, "add silence", made.id, made.covered)
        found = preview(runtime.store, made, runtime.clock())
        table = silence_table([made], runtime.clock())
    print_table(table)
    say(found.summary)


@silences_app.command(
    "preview", epilog="Example: `observatory silences preview 'shop/*' --cron '0 2 * * *' --duration 1h`"
)
def look_ahead(
    services: ServicesArgument,
    cron: CronOption = "",
    duration: DurationOption = "",
    timezone: ZoneOption = "UTC",
    severity: SeverityOption = None,
    metric: MetricOption = None,
) -> None:
    """Show what a silence would have hidden in the last week; one that does not come again lasts all of it."""
    from observatory.analysis.silence_preview import preview
    from observatory.display.silences import hidden_table

    with open_reader() as runtime:
        made = _made(
            runtime,
            services,
            "preview",
            lasts="8w",
            cron=cron,
            duration=duration,
            timezone=timezone,
            severities=severity or (),
            metrics=metric or (),
        )
        found = preview(runtime.store, made, runtime.clock())
    say(found.summary)
    if found.hidden:
        say()
        print_table(hidden_table(found))


@silences_app.command("list", epilog="Example: `observatory silences list --all`")
def list_silences(
    everything: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
) -> None:
    """List silences that are in force or will be."""
    from observatory.annotations.occurrences import state_at
    from observatory.display.silences import silence_table

    with open_reader() as runtime:
        now = runtime.clock()
        held = runtime.store.silences.read(None if everything else now)
        found = held if everything else [one for one in held if state_at(one, now) != "ended"]
        table = silence_table(found, now)
    if table.empty:
        say("nothing is silenced: `observatory silences add` does it, see `observatory help silences`")
    else:
        print_table(table)


@silences_app.command("extend", epilog="Example: `observatory silences extend s4f09b7a1c2de --until +1h`")
def extend(silence_id: SilenceId, end: EndOption = "", lasts: LastsOption = "") -> None:
    """Give a silence another end, from now on: a later one, or an earlier one that is still to come."""
    from observatory.annotations.drafting import parse_moment
    from observatory.annotations.silences import extend_silence
    from observatory.errors import InvalidInputError
    from observatory.times import TIME

    if bool(end) == bool(lasts):
        raise InvalidInputError("give either --until or --for: when it is over, or in how long a time")
    with open_reader() as runtime:
        now = runtime.clock()
        changed = extend_silence(runtime.store.silences, silence_id, parse_moment(end or f"+{lasts}", now, "end"), now)
        write_down(runtime, "extend silence", silence_id, f"until {changed.ends_at:{TIME}} UTC")
    say(f"{changed.id}: until {changed.ends_at:{TIME}} UTC")


@silences_app.command("end", epilog="Example: `observatory silences end s4f09b7a1c2de`")
def end_now(silence_id: SilenceId) -> None:
    """End a silence now; what still goes on is told."""
    from observatory.access.audit import shell_caller
    from observatory.annotations.silences import end_silence

    with open_reader() as runtime:
        ended = end_silence(runtime.store.silences, silence_id, shell_caller(), runtime.clock())
        write_down(runtime, "end silence", silence_id, ended.covered)
    say(f"{ended.id}: over, {ended.covered}")


def _made(runtime: Runtime, services: list[str], reason: str, **said: Any) -> Silence:
    """A silence of the options that were given, which is kept nowhere yet."""
    from observatory.access.audit import shell_caller
    from observatory.annotations.drafting import parse_draft
    from observatory.annotations.silences import make_silence

    now = runtime.clock()
    return make_silence(parse_draft(services, reason, now, **said), shell_caller(), now, runtime.store.metrics)
