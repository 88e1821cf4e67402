"""People work on incidents from App Health: what they do is done under their name, and what is refused is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from support.incidents import NOON, at, symptom
from views.test_views import data_of

from observatory.config import Settings
from observatory.errors import InvalidInputError
from observatory.incidents.actions import LONGEST_NOTE
from observatory.model import Incident, IncidentChanges, IncidentEvent, IncidentState, LikelyCause, Reason, Severity
from observatory.runtime import Runtime
from observatory.store import Store
from observatory.views.components.incident_details import MOST_EVENTS, MOST_REASONS, details, read_details
from observatory.views.incidents import LONGEST_ID, IncidentSection, asked_of
from observatory.views.session.state import State

NOW = at(30)
GOOD = {"do": "note", "incident": "one", "text": "seen", "ask": 7}


def incident(key: str = "one", *services: str, minute: float = 10) -> Incident:
    symptoms = tuple(symptom(name, minute, minute + 5) for name in services or ("shop/db", "shop/web"))
    return Incident(key, IncidentState.OPEN, Severity.HIGH, Severity.HIGH, at(minute), at(minute), symptoms)


def keep(store: Store, *incidents: Incident, events: tuple[IncidentEvent, ...] = ()) -> None:
    store.incidents.update(NOW, lambda _: IncidentChanges(incidents, events))


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    found = Runtime(Settings(store=":memory:", worker=False), clock=lambda: NOW)
    keep(found.store, incident())
    yield found
    found.close()


def section(runtime: Runtime, opened: str = "one") -> IncidentSection:
    return IncidentSection(runtime, State(incident=opened))


def drawn(view: IncidentSection) -> dict[str, Any]:
    (data,) = data_of(view, "IncidentStrip")
    return data


def asks(view: IncidentSection, **message: Any) -> dict[str, Any]:
    """What the page shows after a message of the browser."""
    view._on_message(GOOD | message)
    return drawn(view)


def test_an_incident_opens_to_its_details(runtime: Runtime) -> None:
    view = section(runtime, "")
    assert (drawn(view)["opened"], drawn(view)["details"]) == ("", None)
    view._on_message({"incident": "one"})
    shown = drawn(view)
    assert (shown["opened"], shown["details"]["id"]) == ("one", "one")
    assert [one["service"] for one in shown["details"]["symptoms"]] == ["shop/db", "shop/web"]
    view._on_message({"incident": ""})
    assert drawn(view)["opened"] == ""


def test_a_link_opens_one_that_ended_long_ago(runtime: Runtime) -> None:
    keep(runtime.store, replace(incident("old", minute=-3000), state=IncidentState.RESOLVED, resolved_at=at(-2000)))
    state = State()
    state.follow("incident=old")
    shown = drawn(IncidentSection(runtime, state))
    assert [one["id"] for one in shown["items"]] == ["old", "one"]
    assert shown["details"]["verbs"] == ["note", "reopen"]
    assert state.query() == "incident=old"


def test_one_that_is_not_there_is_said(runtime: Runtime) -> None:
    shown = drawn(section(runtime, "none"))
    assert shown["details"] is None
    assert "none" in shown["details_error"]


def test_each_state_has_its_buttons_and_what_was_done_stands_in_the_timeline(runtime: Runtime) -> None:
    view = section(runtime)
    assert drawn(view)["details"]["verbs"] == ["acknowledge", "assign", "note", "resolve"]
    shown = asks(view, do="acknowledge", text="looking", ask=1)
    assert shown["details"]["verbs"] == ["assign", "note", "resolve"]
    assert shown["answer"] | {"said": ""} == {"number": 1, "ask": 1, "incident": "one", "said": "", "error": ""}
    asks(view, do="assign", text="payments team", ask=2)
    asks(view, text="it was the pool", ask=3)
    shown = asks(view, do="resolve", text="", ask=4)
    assert shown["details"]["verbs"] == ["note", "reopen"]
    assert shown["items"][0]["by"] == "with payments team"
    assert asks(view, do="reopen", text="", ask=5)["details"]["state"] == "open"
    lines = [(one["kind"], one["text"]) for one in drawn(view)["details"]["events"]]
    assert lines == [
        ("acknowledged", "looking"),
        ("assigned", "to payments team"),
        ("note", "it was the pool"),
        ("resolved", ""),
        ("reopened", ""),
    ]


def test_a_refusal_is_said_at_the_incident_and_changes_nothing(runtime: Runtime) -> None:
    view = section(runtime)
    shown = asks(view, do="reopen", ask=9)
    assert shown["answer"]["error"] == "incident one is open: only one that is resolved can be reopened"
    assert (shown["answer"]["ask"], shown["answer"]["incident"]) == (9, "one")
    assert f"at most {LONGEST_NOTE} are kept" in asks(view, text="x" * (LONGEST_NOTE + 1))["answer"]["error"]
    assert "none" in asks(view, incident="none")["answer"]["error"]
    assert runtime.store.incidents.events("one") == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ask": None}, "none of the page"),
        ({"ask": True}, "none of the page"),
        ({"ask": -1}, "none of the page"),
        ({"ask": 1 << 60}, "none of the page"),
        ({"who": "key:admin"}, "none of the page"),
        ({"incident": ""}, "give the id"),
        ({"incident": ["one"]}, "give the id"),
        ({"incident": "x" * (LONGEST_ID + 1)}, "give the id"),
        ({"do": "delete"}, "choose from acknowledge"),
        ({"do": ["note"]}, "choose from acknowledge"),
        ({"text": None}, "give a text"),
        ({"text": {"a": 1}}, "give a text"),
        ({"text": "\ud800"}, "half of a letter"),
    ],
)
def test_messages_that_the_page_does_not_send_are_refused_with_words(
    runtime: Runtime, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInputError, match=words):
        asked_of(GOOD | change)
    assert words in asks(section(runtime), **change)["answer"]["error"]
    assert runtime.store.incidents.events("one") == []


def test_anything_else_than_a_mapping_changes_nothing(runtime: Runtime) -> None:
    view = section(runtime)
    before = drawn(view)
    for message in (None, 7, "do", ["do"], {"incident": 7}):
        view._on_message(message)
    assert drawn(view) == before


def test_another_page_sees_it_with_the_next_look(runtime: Runtime) -> None:
    mine, theirs = section(runtime), section(runtime)
    asks(mine, do="acknowledge", text="looking")
    theirs._state.param.trigger("overview")
    assert drawn(theirs)["details"]["state"] == "acknowledged"
    assert drawn(theirs)["answer"] is None, "the answer is for who asked"


def test_an_error_of_reading_stays_until_it_was_read(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("disk on fire")

    view = section(runtime)
    monkeypatch.setattr(type(runtime.store.incidents), "get", fail)
    runtime.store.write_note("anything", "new")  # what is read is shared until the store changes
    view._state.param.trigger("overview")
    view._state.service = "shop/db"
    assert drawn(view)["details_error"] == "OSError: disk on fire"
    assert drawn(view)["details"]["id"] == "one", "what was read stays"


def test_causes_have_their_reasons_and_calls_are_those_between_its_services(runtime: Runtime) -> None:
    reasons = tuple(Reason("metric", points, f"reason {points}") for points in (0.5, 3.0, 1.0, 0.2, 0.1, 0.2))
    blamed = LikelyCause("shop/db", 5.0, True, "all of it", onset=at(9), reasons=reasons)
    keep(runtime.store, replace(incident(), causes=(blamed, LikelyCause("shop/web", 1.0, False, "not much"))))
    runtime.store.write_calls([("shop/web", "shop/db"), ("shop/db", "shop/other")], NOW)
    shown = details(read_details(runtime.store, "one", NOW), NOW)
    assert shown["calls"] == [["shop/web", "shop/db"]]
    first, second = shown["causes"]
    assert [one["points"] for one in first["reasons"]] == ["+3.0", "+1.0", "+0.5", "+0.2", "+0.3"]
    assert first["reasons"][MOST_REASONS]["words"] == "2 smaller reasons"
    assert (first["clear"], first["since"], first["words"]) == (True, "since 12:09 UTC", "")
    assert (second["clear"], second["words"], second["reasons"]) == (False, "not much", [])


def test_of_a_long_timeline_the_newest_lines_are_shown_last(runtime: Runtime) -> None:
    events = tuple(IncidentEvent("one", at(n / 60), "note", str(n), "key:ann") for n in range(MOST_EVENTS + 5))
    keep(runtime.store, events=events)
    shown = details(read_details(runtime.store, "one", NOW), NOW)
    assert (shown["earlier"], shown["events"][0]["text"], shown["events"][-1]["text"]) == (5, "5", str(MOST_EVENTS + 4))


def test_one_that_became_part_of_another_leads_there_and_has_no_buttons(runtime: Runtime) -> None:
    keep(runtime.store, replace(incident("gone"), state=IncidentState.MERGED, symptoms=(), merged_into="one"))
    shown = drawn(section(runtime, "gone"))["details"]
    assert (shown["merged_into"], shown["verbs"]) == ("one", [])


def test_earlier_ones_come_with_what_was_noted_then(runtime: Runtime) -> None:
    before = replace(incident("before", minute=-600), state=IncidentState.RESOLVED)
    noted = IncidentEvent("before", NOON, "note", "restart the pool", "key:ann")
    keep(runtime.store, before, events=(noted,))
    (found,) = drawn(section(runtime))["details"]["similar"]
    assert (found["id"], found["notes"]) == ("before", ["restart the pool"])
