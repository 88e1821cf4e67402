"""A change shortly before an incident speaks against its service, and less the longer ago it was."""

from __future__ import annotations

from datetime import datetime

import pytest
from support.incidents import Told, at, symptom

from observatory.incidents.changes import evidence_of
from observatory.model import Change, ChangeKind, Incident


@pytest.fixture
def incident() -> Incident:
    told = Told()
    told.step(61, symptom("shop/db", 60, 61))
    return told.only


def change(when: datetime, kind: ChangeKind = ChangeKind.DEPLOYMENT, service: str = "shop/db") -> Change:
    return Change("c1", service, when, kind, "v2")


@pytest.mark.parametrize(
    ("minute", "points", "words"),
    [
        (61, 1.5, "deployment v2 just before"),
        (60, 1.5, "deployment v2 just before"),
        (45, 0.75, "deployment v2 15 min before"),
    ],
)
def test_a_deployment_counts_less_the_longer_ago_it_was(
    incident: Incident, minute: float, points: float, words: str
) -> None:
    ((part,),) = evidence_of([change(at(minute))], incident).values()
    assert (part.points, part.words, part.kind) == (points, words, "known")


def test_what_was_changed_half_an_hour_before_says_nothing(incident: Incident) -> None:
    assert evidence_of([change(at(30))], incident) == {}


def test_a_restart_says_less_and_of_several_the_most_telling_counts(incident: Incident) -> None:
    both = [change(at(59), ChangeKind.RESTART), change(at(55)), change(at(59), service="shop/web")]
    found = evidence_of(both, incident)
    assert found.keys() == {"shop/db", "shop/web"}
    assert [part.words for part in found["shop/db"]] == ["deployment v2 5 min before"]
