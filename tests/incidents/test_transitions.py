"""What happens to incidents is told once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from support.incidents import Told, at, symptom

from observatory.incidents import actions
from observatory.incidents.transitions import transitions
from observatory.model import Incident, LikelyCause, Severity


def told(before: list[Incident], now: list[Incident]) -> list[tuple[str, set[str], dict[str, Any]]]:
    return [(one.kind, set(one.services), one.data) for one in transitions(before, now)]


def test_an_incident_begins_grows_and_ends() -> None:
    story = Told()
    story.step(1, symptom("shop/db", 0, 1))
    small = list(story.incidents.values())
    ((kind, services, data),) = told([], small)
    assert (kind, services, data["is_new"], data["is_open"]) == ("incident", {"shop/db"}, True, True)
    assert (data["id"], data["title"]) == (small[0].id, "shop/db: errors 12 %")
    assert told(small, small) == []
    story.step(2, symptom("shop/db", 0, 2), symptom("shop/payments", 1, 2))
    large = list(story.incidents.values())
    ((kind, services, data),) = told(small, large)
    assert (kind, services, data["is_new"]) == ("incident", {"shop/db", "shop/payments"}, False)
    story.step(60, symptom("shop/db", 0, 3, is_open=False), symptom("shop/payments", 1, 3, is_open=False))
    ((kind, services, data),) = told(large, list(story.incidents.values()))
    assert (kind, services, data["state"]) == ("incident-ended", {"shop/db", "shop/payments"}, "resolved")


def test_it_is_told_again_when_it_gets_worse_when_somebody_works_on_it_and_when_a_cause_is_found() -> None:
    story = Told()
    story.step(1, symptom("shop/db", 0, 1))
    first = story.only
    acknowledged, assigned = (
        actions.acknowledge(first, "key:ann", at(2)).incidents,
        actions.assign(first, "ann", "key:ann", at(2)).incidents,
    )
    blamed = replace(first, causes=(LikelyCause("shop/db", 4.0, True, "errors rose"),))
    worse = replace(first, severity=Severity.CRITICAL)
    for changed in (*acknowledged, *assigned, blamed, worse):
        ((kind, _, data),) = told([first], [changed])
        assert (kind, data["is_new"]) == ("incident", False)
    assert told([first], [replace(first, changed_at=at(9))]) == []


def test_one_that_becomes_part_of_another_ends_and_the_other_says_so() -> None:
    story = Told()
    story.step(2, symptom("shop/db", 0, 2), symptom("shop/search", 1, 2))
    before = list(story.incidents.values())
    story.step(4, symptom("shop/db", 0, 4), symptom("shop/search", 1, 4), symptom("shop/checkout", 3, 4))
    story.step(5, symptom("shop/web", 4, 5))
    told_now = told(before, list(story.incidents.values()))
    (stays,) = story.active
    (gone,) = (incident for incident in before if incident.id != stays.id)
    assert [(kind, data["id"]) for kind, _, data in told_now] == [("incident", stays.id), ("incident-ended", gone.id)]
    assert told_now[0][2]["was"] == [gone.id]
    assert (told_now[1][2]["state"], told_now[1][2]["merged_into"]) == ("merged", stays.id)
    assert told_now[1][1] == {"shop/search"} or told_now[1][1] == {"shop/db"}


def test_what_had_ended_before_is_no_news() -> None:
    story = Told()
    story.step(1, symptom("shop/db", 0, 1))
    story.step(60, symptom("shop/db", 0, 3, is_open=False))
    assert told([], list(story.incidents.values())) == []
