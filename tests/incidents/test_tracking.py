"""One fault is one incident: it is opened once, grows, falls silent, ends, comes back, and never loses its id."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.incidents import SHOP, Told, at, symptom

from observatory.incidents import actions
from observatory.incidents.tracking import QUIET, REOPENS
from observatory.model import IncidentState, Severity

OPEN, RESOLVED, MERGED = IncidentState.OPEN, IncidentState.RESOLVED, IncidentState.MERGED
CRITICAL, HIGH, MEDIUM, LOW = Severity
QUIET_MINUTES, REOPEN_MINUTES = QUIET.total_seconds() / 60, REOPENS.total_seconds() / 60


def test_a_cascade_is_one_incident_with_one_id_while_it_grows() -> None:
    told = Told()
    told.step(1, symptom("shop/payments", 0, 1, CRITICAL))
    first = told.only
    told.step(2, symptom("shop/payments", 0, 2, CRITICAL), symptom("shop/checkout", 1, 2))
    told.step(3, symptom("shop/payments", 0, 3, CRITICAL), symptom("shop/web", 1, 3, LOW))
    assert told.only.id == first.id
    assert told.only.services == ("shop/payments", "shop/checkout", "shop/web")
    assert told.only.title == "shop/payments: errors 12 %; also shop/checkout, shop/web"
    assert (told.only.started_at, told.only.ended_at, told.only.opened_at) == (at(0), at(3), at(1))
    assert told.kinds() == ["opened", "joined", "joined"]


def test_an_earlier_symptom_that_is_found_late_joins_and_changes_no_id() -> None:
    told = Told()
    told.step(6, symptom("shop/checkout", 5, 6))
    opened = told.only.id
    told.step(7, symptom("shop/checkout", 5, 7), symptom("shop/payments", 2, 7))
    assert (told.only.id, told.only.started_at) == (opened, at(2))


def test_the_same_look_twice_changes_nothing() -> None:
    told = Told()
    told.step(1, symptom("shop/payments", 0, 1))
    assert not told.step(1, symptom("shop/payments", 0, 1))


def test_a_weak_symptom_opens_an_incident_when_it_lasts() -> None:
    told = Told()
    assert not told.step(1, symptom("shop/web", 0, 1, MEDIUM))
    assert not told.step(9, symptom("shop/web", 0, 9, MEDIUM))
    told.step(10, symptom("shop/web", 0, 10, MEDIUM))
    assert told.only.severity is MEDIUM


def test_a_weak_symptom_opens_an_incident_when_a_second_service_joins() -> None:
    told = Told()
    told.step(1, symptom("shop/web", 0, 1, LOW))
    told.step(2, symptom("shop/web", 0, 2, LOW), symptom("shop/search", 1, 2, LOW))
    assert told.only.services == ("shop/web", "shop/search")


def test_a_weak_symptom_that_ends_soon_is_nobodys_incident() -> None:
    told = Told()
    told.step(1, symptom("shop/web", 0, 1, MEDIUM))
    told.step(60, symptom("shop/web", 0, 3, MEDIUM, is_open=False))
    assert told.incidents == {}


def test_it_ends_by_itself_after_a_quiet_time() -> None:
    told = Told()
    told.step(1, symptom("shop/web", 0, 1))
    ended = symptom("shop/web", 0, 5, is_open=False)
    told.step(6, ended)
    told.step(5 + QUIET_MINUTES - 1, ended)
    assert told.only.state is OPEN
    told.step(5 + QUIET_MINUTES, ended)
    assert (told.only.state, told.only.resolved_by) == (RESOLVED, "")
    assert told.kinds() == ["opened", "resolved"]


def test_a_new_symptom_within_the_quiet_time_belongs_to_it() -> None:
    told = Told()
    told.step(1, symptom("shop/web", 0, 1))
    told.step(6, symptom("shop/web", 0, 5, is_open=False))
    told.step(13, symptom("shop/web", 0, 5, is_open=False), symptom("shop/web", 12, 13, LOW))
    assert told.only.state is OPEN
    assert len(told.only.symptoms) == 2


@pytest.mark.parametrize(("after", "incidents"), [(REOPEN_MINUTES - 1, 1), (REOPEN_MINUTES + 20, 2)])
def test_it_is_reopened_when_it_flares_up_soon_after_its_end(after: float, incidents: int) -> None:
    told = Told()
    told.step(1, symptom("shop/web", 0, 1))
    told.step(5 + QUIET_MINUTES, symptom("shop/web", 0, 5, is_open=False))
    again = 5 + QUIET_MINUTES + after
    told.step(again, symptom("shop/web", again, again))
    assert len(told.incidents) == incidents
    assert told.kinds() == (
        ["opened", "resolved", "joined", "reopened"] if incidents == 1 else ["opened", "resolved", "opened"]
    )


def test_another_service_that_falls_ill_after_the_end_is_another_incident() -> None:
    told = Told()
    told.step(1, symptom("shop/web", 0, 1))
    told.step(20, symptom("shop/web", 0, 5, is_open=False))
    told.step(26, symptom("shop/search", 25, 26))
    assert len(told.incidents) == 2


def test_two_incidents_that_turn_out_to_be_one_are_merged_into_the_older() -> None:
    told = Told()
    told.step(1, symptom("shop/db", 0, 1))
    told.step(2, symptom("shop/db", 0, 2), symptom("shop/search", 2, 2))
    older, younger = (incident.id for incident in told.active)
    told.step(4, symptom("shop/db", 0, 4), symptom("shop/search", 2, 4), symptom("shop/checkout", 3, 4))
    told.step(5, symptom("shop/web", 4, 5))
    assert [incident.id for incident in told.active] == [older]
    assert (told.incidents[younger].state, told.incidents[younger].merged_into) == (MERGED, older)
    assert set(told.incidents[older].services) == {"shop/db", "shop/search", "shop/checkout", "shop/web"}
    assert "merged" in told.kinds(older)
    assert told.kinds(younger)[-1] == "merged"


def test_two_faults_at_once_in_unrelated_parts_stay_two() -> None:
    told = Told()
    for minute in range(1, 30):
        told.step(minute, symptom("shop/search", 0, minute), symptom("shop/payments", 0, minute))
    assert len(told.active) == 2


def test_severity_rises_at_once_and_falls_only_when_the_worst_has_been_over_for_a_while() -> None:
    told = Told()
    told.step(1, symptom("shop/web", 0, 1, MEDIUM), symptom("shop/search", 0, 1, MEDIUM))
    told.step(2, symptom("shop/web", 0, 2, CRITICAL), symptom("shop/search", 0, 2, MEDIUM))
    assert told.only.severity is CRITICAL
    calm = symptom("shop/web", 0, 3, CRITICAL, is_open=False)
    told.step(4, calm, symptom("shop/search", 0, 4, MEDIUM))
    assert told.only.severity is CRITICAL
    told.step(4 + QUIET_MINUTES, calm, symptom("shop/search", 0, 14, MEDIUM))
    assert (told.only.severity, told.only.peak) == (MEDIUM, CRITICAL)
    assert told.kinds() == ["opened", "worse", "better"]


def test_what_a_person_resolved_stays_so_until_it_gets_worse() -> None:
    told = Told()
    told.step(1, symptom("shop/web", 0, 1))
    (resolved,) = actions.resolve(told.only, "key:ann", at(2)).incidents
    told.incidents[resolved.id] = resolved
    told.step(3, symptom("shop/web", 0, 3))
    assert told.only.state is RESOLVED
    told.step(4, symptom("shop/web", 0, 4, CRITICAL))
    assert (told.only.state, told.only.severity, told.only.resolved_by) == (OPEN, CRITICAL, "")


def test_a_symptom_that_goes_on_after_all_reopens_what_ended_by_itself() -> None:
    told = Told()
    told.step(1, symptom("shop/web", 0, 1))
    told.step(20, symptom("shop/web", 0, 5, is_open=False))
    told.step(22, symptom("shop/web", 0, 22))
    assert told.only.state is OPEN


def test_a_clock_that_is_set_back_opens_and_ends_nothing() -> None:
    told = Told()
    told.step(61, symptom("shop/web", 60, 61))
    assert told.step(1, symptom("shop/web", 60, 61)).events == ()
    assert told.only.state is OPEN


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(st.sampled_from(SHOP), st.integers(0, 200), st.integers(0, 60), st.sampled_from(list(Severity))),
        max_size=12,
        unique_by=lambda item: item[:2],
    ),
    st.integers(1, 15),
)
def test_every_symptom_belongs_to_one_incident_at_most_and_worthy_ones_to_one(
    items: list[tuple[str, int, int, Severity]], every: int
) -> None:
    told = Told()
    for minute in range(0, 300, every):
        there = [
            symptom(name, first, min(minute, first + length), severity, is_open=first + length > minute)
            for name, first, length, severity in items
            if first <= minute
        ]
        told.step(minute, *there)
    owned = [one.key for incident in told.incidents.values() for one in incident.symptoms]
    assert len(owned) == len(set(owned))
    sure = {(name, at(first), "multiscale") for name, first, _, severity in items if severity.rank <= HIGH.rank}
    assert sure <= set(owned)
    assert told.active == []
    opened = told.kinds().count("opened")
    assert opened == len(told.incidents)
    ends = told.kinds().count("resolved") - told.kinds().count("reopened")
    assert ends == sum(incident.state is RESOLVED for incident in told.incidents.values())
