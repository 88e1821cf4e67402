"""``observatory feedback``: say what was right, what was a false alarm, and what was missed."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from observatory.cli.common import open_reader, print_table, say

feedback_app = typer.Typer(
    help="Say what was right, what was a false alarm, and what was missed; `evaluate --faults feedback` judges by it.",
    no_args_is_help=True,
)


class Said(StrEnum):
    """As `observatory.model.labels.Verdict`, which would bring pandas with it."""

    RIGHT = "right"
    FALSE_ALARM = "false_alarm"
    MISSED = "missed"


@feedback_app.command("add", epilog="Example: `observatory feedback add shop/checkout false_alarm --at 2h`")
def add(
    service: Annotated[str, typer.Argument(help="Name of the service.")],
    verdict: Annotated[Said, typer.Argument(help="Of an anomaly: right or false_alarm; or missed.")],
    at: Annotated[str, typer.Option(help="A moment of the anomaly, or the start of what was missed.")],
    until: Annotated[str | None, typer.Option("--to", help="The end of what was missed.")] = None,
    detector: Annotated[str | None, typer.Option("--detector", "-d", help="Whose anomaly, if several.")] = None,
    note: Annotated[str, typer.Option(help="Why.")] = "",
) -> None:
    """Keep a verdict; a later one on the same anomaly replaces it."""
    from observatory.annotations.feedback import give_feedback
    from observatory.model import Verdict
    from observatory.times import parse_time

    with open_reader() as runtime:
        now = runtime.clock()
        given = give_feedback(
            runtime.store,
            service,
            Verdict(verdict.value),
            parse_time(at, now, "--at"),
            now,
            ended_at=parse_time(until, now, "--to") if until else None,
            detector=detector,
            note=note,
        )
    first, last = (f"{time:%Y-%m-%d %H:%M}" for time in (given.started_at, given.ended_at))
    say(f"{given.verdict}: {given.service_name} from {first} to {last}")


@feedback_app.command("list", epilog="Example: `observatory feedback list --service shop/checkout`")
def list_given(
    service: Annotated[list[str] | None, typer.Option("--service", "-s", help="Only this service; repeatable.")] = None,
) -> None:
    """List what was said, the oldest span first."""
    from observatory.display.anomalies import feedback_table

    with open_reader() as runtime:
        names = [runtime.store.service(name).name for name in service] if service else None
        table = feedback_table(runtime.store.feedback.read(services=names))
    if table.empty:
        say("no feedback yet: say what an anomaly was with `observatory feedback add`")
    else:
        print_table(table)
