"""``observatory incidents``: what is going on, why, and what people do about it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from observatory.cli.common import FromOption, ToOption, open_reader, print_table, say, time_range

if TYPE_CHECKING:
    from observatory.access.person import Action

incidents_app = typer.Typer(
    help="What is going on and why, and what people do about it.",
    no_args_is_help=True,
)
IncidentId = Annotated[str, typer.Argument(help="The incident's id, as in `incidents list`.")]
NoteOption = Annotated[str, typer.Option("--note", "-n", help="What is to be remembered with it.")]


class StateChoice(StrEnum):
    """As `observatory.model.IncidentState`, which would bring pandas with it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    MERGED = "merged"


@incidents_app.command("list", epilog="Example: `observatory incidents list --from 7d`")
def list_incidents(
    start: FromOption = "24h",
    end: ToOption = "now",
    service: Annotated[str | None, typer.Option("--service", "-s", help="Only those that reached it.")] = None,
    state: Annotated[list[StateChoice] | None, typer.Option(help="Only these; may be repeated.")] = None,
    is_open: Annotated[bool, typer.Option("--open", help="Only those that go on.")] = False,
) -> None:
    """List incidents, the newest first. A likeliest cause with a question mark is no clear one."""
    from observatory.display.incidents import incident_table
    from observatory.model import IncidentState
    from observatory.store.tables.incidents import NOT_MERGED

    states = tuple(IncidentState(one.value) for one in state or ()) or NOT_MERGED
    with open_reader() as runtime:
        first, last = time_range(runtime.clock(), start, end)
        names = [runtime.store.service(service).name] if service else None
        chosen = [one for one in states if one.is_active] if is_open else states
        found = runtime.store.incidents.read(first, last, names, chosen)
    if found:
        print_table(incident_table(found))
    else:
        say(f"no {'open ' if is_open else ''}incidents from {start} to {end}")


@incidents_app.command("show", epilog="Example: `observatory incidents show 0a3f9c1d2b4e`")
def show(incident_id: IncidentId) -> None:
    """Show one incident: its likeliest causes with the evidence, its timeline, and what was like it before."""
    from observatory.analysis.similar_incidents import similar_incidents
    from observatory.annotations.in_force import over_one
    from observatory.display.incidents import cause_table, incident_table, similar_table, timeline_table

    with open_reader() as runtime:
        found, events = runtime.store.incidents.get(incident_id), runtime.store.incidents.events(incident_id)
        similar = similar_incidents(runtime.store, found)
        silence = over_one(runtime.store, found, runtime.clock())
    say(found.title)
    if silence is not None:
        say(f"{silence.words} ({silence.silence.id})")
    say()
    print_table(incident_table([found]).drop(columns="what"))
    say()
    say("Likeliest causes")
    print_table(cause_table(found))
    say()
    say("Timeline")
    print_table(timeline_table(events))
    if similar:
        say()
        say("Similar ones before")
        print_table(similar_table(similar))


@incidents_app.command("acknowledge", epilog="Example: `observatory incidents acknowledge 0a3f9c1d2b4e`")
def acknowledge(incident_id: IncidentId, note: NoteOption = "") -> None:
    """Say that you have seen it and work on it."""
    from observatory.incidents import actions

    _work(incident_id, "acknowledge", lambda held, who, at: actions.acknowledge(held, who, at, note))


@incidents_app.command("assign", epilog="Example: `observatory incidents assign 0a3f9c1d2b4e 'payments team'`")
def assign(
    incident_id: IncidentId,
    assignee: Annotated[str, typer.Argument(help="A person or a team; an empty text for nobody.")],
) -> None:
    """Say who takes care of it."""
    from observatory.incidents import actions

    _work(incident_id, "assign", lambda held, who, at: actions.assign(held, assignee, who, at), f"to {assignee}")


@incidents_app.command("note", epilog="Example: `observatory incidents note 0a3f9c1d2b4e 'the new pool: rolled back'`")
def note(incident_id: IncidentId, text: Annotated[str, typer.Argument(help="What is to be remembered.")]) -> None:
    """Write something down beside it, also when it is over."""
    from observatory.incidents import actions

    _work(incident_id, "note", lambda held, who, at: actions.note(held, text, who, at))


@incidents_app.command("resolve", epilog="Example: `observatory incidents resolve 0a3f9c1d2b4e --note 'rolled back'`")
def resolve(incident_id: IncidentId, note: NoteOption = "") -> None:
    """Say that it is over. It comes back when one of its services falls ill anew within half an hour."""
    from observatory.incidents import actions

    _work(incident_id, "resolve", lambda held, who, at: actions.resolve(held, who, at, note))


@incidents_app.command("reopen", epilog="Example: `observatory incidents reopen 0a3f9c1d2b4e`")
def reopen(incident_id: IncidentId, note: NoteOption = "") -> None:
    """Say that it is not over."""
    from observatory.incidents import actions

    _work(incident_id, "reopen", lambda held, who, at: actions.reopen(held, who, at, note))


def _work(incident_id: str, name: str, action: Action, detail: str = "") -> None:
    from observatory.access.person import work_on

    with open_reader() as runtime:
        changed = work_on(runtime, incident_id, name, action, detail)
    say(f"incident {changed.id} is {changed.state}: {changed.title}")
