"""Who looks at a page works on incidents with their own rights, and everything is written down under their name."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from support.hostile import TEXTS
from support.incidents import at, symptom

from observatory.access.authentication import authenticator_of
from observatory.access.gate import Arrival, gate_of
from observatory.access.incident_work import work_on
from observatory.access.page_work import PageWork, work_of
from observatory.access.permissions import Caller, Role
from observatory.access.readers import reader_for
from observatory.access.scoped import scoped
from observatory.access.sessions import hash_of
from observatory.config import Settings
from observatory.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    NotSignedInError,
    ObservatoryError,
    TooManyRequestsError,
)
from observatory.incidents.actions import LONGEST_NOTE
from observatory.model import Incident, IncidentChanges, IncidentState, Severity
from observatory.runtime import Runtime

NOW = at(30)


def incident(key: str, *services: str) -> Incident:
    symptoms = tuple(symptom(name, 10, 15) for name in services)
    return Incident(key, IncidentState.OPEN, Severity.HIGH, Severity.HIGH, at(10), at(10), symptoms)


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    found = Runtime(Settings(store=":memory:", worker=False, rate_limit="100/minute"), clock=lambda: NOW)
    both = IncidentChanges((incident("one", "shop/db"), incident("both", "shop/web", "other/db")))
    found.store.incidents.update(NOW, lambda _: both)
    yield found
    found.close()


def work(runtime: Runtime, role: Role = Role.OPERATOR, *patterns: str) -> PageWork:
    """Of Ann, who signed in with a key."""
    keys = authenticator_of(runtime).keys
    _, text = keys.create("ann", role, patterns or ["*"])
    session, _ = authenticator_of(runtime).sign_in(keys.session(text))
    visitor = gate_of(runtime).identify(Arrival("GET", "localhost", "127.0.0.1", session=hash_of(session)))
    return work_of(reader_for(runtime, visitor))


def written(runtime: Runtime) -> list[tuple[str, str, str, str, str, str]]:
    """What the audit log has of incidents."""
    authenticator_of(runtime).audit.flush()
    entries = runtime.store.audit.read(NOW.replace(year=2000))
    found = [(one.who, one.action, one.target, one.result, one.address, one.detail) for one in entries]
    return sorted(one for one in found if one[1].endswith(" incident"))


def refused(kind: type[ObservatoryError], ask: Callable[[], object]) -> str:
    with pytest.raises(kind) as raised:
        ask()
    return str(raised.value)


def test_each_verb_is_done_under_the_name_of_who_signed_in_and_written_down(runtime: Runtime) -> None:
    ann = work(runtime)
    assert (ann.name, ann.refusal) == ("ann", "")
    assert work_on(ann, "acknowledge", "one", "looking", "192.0.2.7").acknowledged_by == "key:ann"
    assert work_on(ann, "assign", "one", ann.name, "192.0.2.7").assignee == "ann"
    work_on(ann, "note", "one", "it was the pool", "192.0.2.7")
    assert work_on(ann, "resolve", "one", "", "192.0.2.7").state is IncidentState.RESOLVED
    assert work_on(ann, "reopen", "one", "not yet", "192.0.2.7").state is IncidentState.OPEN
    said = [(one.kind, one.text, one.who) for one in runtime.store.incidents.events("one")]
    assert said == [
        ("acknowledged", "looking", "key:ann"),
        ("assigned", "to ann", "key:ann"),
        ("note", "it was the pool", "key:ann"),
        ("resolved", "", "key:ann"),
        ("reopened", "not yet", "key:ann"),
    ]
    assert written(runtime) == [
        ("key:ann", f"{verb} incident", "one", "done", "192.0.2.7", "to ann" if verb == "assign" else "")
        for verb in ("acknowledge", "assign", "note", "reopen", "resolve")
    ]


def test_a_viewer_is_told_why_not_and_changes_nothing(runtime: Runtime) -> None:
    ann = work(runtime, Role.VIEWER)
    assert ann.refusal == "this needs the role operator, and 'ann' has the role viewer"
    assert refused(ForbiddenError, lambda: work_on(ann, "resolve", "one")) == ann.refusal
    assert runtime.store.incidents.get("one").state is IncidentState.OPEN
    assert written(runtime) == [("key:ann", "resolve incident", "one", "403", "", ann.refusal)]


def test_what_is_outside_of_a_scope_is_not_there_and_what_is_so_in_part_cannot_be_worked_on(runtime: Runtime) -> None:
    ann = work(runtime, Role.OPERATOR, "shop/*")
    assert work_on(ann, "note", "one", "mine").id == "one"
    assert "has services outside of what you may see" in refused(
        ForbiddenError, lambda: work_on(ann, "note", "both", "x")
    )
    other = work_of(scoped(runtime, Caller("key", "2", "bob", Role.OPERATOR, ann.caller.scope)))
    assert "needs the role operator" in other.refusal, "a reader that no page was given may only look"
    assert "needs the role operator" in refused(ForbiddenError, lambda: work_on(other, "note", "one", "x"))


@pytest.mark.parametrize(
    ("verb", "target", "text", "kind", "words"),
    [
        ("reopen", "one", "", ConflictError, "only one that is resolved can be reopened"),
        ("note", "one", " ", InvalidInputError, "the note is empty"),
        ("note", "one", "x" * (LONGEST_NOTE + 1), InvalidInputError, f"at most {LONGEST_NOTE} are kept"),
        ("assign", "one", "two\nlines", InvalidInputError, "printable"),
        ("resolve", "none", "", NotFoundError, "none"),
        ("delete", "one", "", InvalidInputError, "choose from acknowledge, assign, note, resolve, reopen"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    runtime: Runtime, verb: str, target: str, text: str, kind: type[ObservatoryError], words: str
) -> None:
    before = runtime.store.incidents.get("one"), runtime.store.incidents.events("one")
    assert words in refused(kind, lambda: work_on(work(runtime), verb, target, text))
    assert (runtime.store.incidents.get("one"), runtime.store.incidents.events("one")) == before
    assert [one[3] for one in written(runtime)] == (["refused"] if verb != "delete" else [])


def test_who_has_signed_out_or_lost_their_key_can_do_nothing_more(runtime: Runtime) -> None:
    ann = work(runtime)
    authenticator_of(runtime).keys.revoke("ann")
    assert "revoked" in refused(NotSignedInError, lambda: work_on(ann, "resolve", "one"))
    assert runtime.store.incidents.get("one").state is IncidentState.OPEN
    assert written(runtime)[0][3] == "401"


def test_a_page_may_do_no_more_in_a_minute_than_the_api_allows(runtime: Runtime) -> None:
    ann = work(runtime)
    for _ in range(100):
        work_on(ann, "note", "one", "again")
    assert "more than 100 per 1 minute" in refused(
        TooManyRequestsError, lambda: work_on(ann, "note", "one", "too often")
    )
    assert len(runtime.store.incidents.events("one")) == 100


def test_where_nobody_signs_in_everybody_may_and_has_no_name(runtime: Runtime) -> None:
    page = reader_for(runtime, gate_of(runtime).identify(Arrival("GET", "localhost", "127.0.0.1")))
    assert (work_of(page).name, work_of(page).refusal) == ("", "")
    assert work_on(work_of(page), "acknowledge", "one").acknowledged_by == "open:anybody"


def test_a_notebook_is_its_persons(runtime: Runtime) -> None:
    assert work_on(work_of(runtime), "acknowledge", "one").acknowledged_by == f"cli:{work_of(runtime).name}"


def test_hostile_notes_are_kept_as_they_are(runtime: Runtime) -> None:
    for text in TEXTS:
        work_on(work_of(runtime), "note", "one", text)
    assert [one.text for one in runtime.store.incidents.events("one")] == [text.strip() for text in TEXTS]
