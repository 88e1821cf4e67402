"""What people do to an incident is kept with who and when, and refused where it makes no sense."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.incidents import Told, at, symptom

from observatory.errors import ConflictError, InvalidInputError
from observatory.incidents import actions
from observatory.model import Incident, IncidentState

HOSTILE = "<script>alert(1)</script> 🔥 ünïcode\nsecond line"


@pytest.fixture
def incident() -> Incident:
    told = Told()
    told.step(1, symptom("shop/web", 0, 1))
    return told.only


def done(changes) -> Incident:  # type: ignore[no-untyped-def]
    (incident,) = changes.incidents
    return incident


def test_acknowledging_says_who_and_when(incident: Incident) -> None:
    changes = actions.acknowledge(incident, "key:ann", at(5), HOSTILE)
    assert (done(changes).state, done(changes).acknowledged_by) == (IncidentState.ACKNOWLEDGED, "key:ann")
    assert done(changes).acknowledged_at == at(5)
    (event,) = changes.events
    assert (event.kind, event.who, event.at, event.text) == ("acknowledged", "key:ann", at(5), HOSTILE)


def test_assigning_and_taking_it_back(incident: Incident) -> None:
    taken = done(actions.assign(incident, " payments team ", "key:ann", at(5)))
    assert taken.assignee == "payments team"
    assert done(actions.assign(taken, "", "key:ann", at(6))).assignee == ""


def test_a_note_is_kept_as_it_is_also_when_it_is_over(incident: Incident) -> None:
    over = done(actions.resolve(incident, "key:ann", at(5)))
    (event,) = actions.note(over, HOSTILE, "key:ben", at(6)).events
    assert event.text == HOSTILE
    assert actions.note(over, "x" * actions.LONGEST_NOTE, "key:ben", at(6))


@pytest.mark.parametrize("text", ["", " \n ", "x" * (actions.LONGEST_NOTE + 1)])
def test_an_empty_or_endless_note_is_refused(incident: Incident, text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"the note (is empty|has 10001 characters)"):
        actions.note(incident, text, "key:ann", at(5))


@pytest.mark.parametrize("name", ["a\nb", "x" * 201, "bell\a"])
def test_an_assignee_is_one_line(incident: Incident, name: str) -> None:
    with pytest.raises(InvalidInputError, match="give a name of at most 200 printable characters"):
        actions.assign(incident, name, "key:ann", at(5))


def test_what_is_resolved_can_be_reopened_and_nothing_else(incident: Incident) -> None:
    over = done(actions.resolve(incident, "key:ann", at(5), "rolled back"))
    for action in (actions.acknowledge, actions.resolve):
        with pytest.raises(ConflictError, match=r"was resolved by key:ann at 2026-03-01 12:05 UTC .* reopen it first"):
            action(over, "key:ben", at(6))
    again = done(actions.reopen(over, "key:ben", at(7)))
    assert (again.state, again.resolved_at, again.resolved_by) == (IncidentState.OPEN, None, "")
    with pytest.raises(ConflictError, match="only one that is resolved can be reopened"):
        actions.reopen(again, "key:ben", at(8))


def test_what_became_part_of_another_is_worked_on_there(incident: Incident) -> None:
    gone = replace(incident, state=IncidentState.MERGED, merged_into="abc", symptoms=())
    for refused in (
        lambda: actions.acknowledge(gone, "x", at(5)),
        lambda: actions.assign(gone, "x", "x", at(5)),
        lambda: actions.note(gone, "x", "x", at(5)),
        lambda: actions.resolve(gone, "x", at(5)),
        lambda: actions.reopen(gone, "x", at(5)),
    ):
        with pytest.raises(ConflictError, match="became part of abc"):
            refused()
