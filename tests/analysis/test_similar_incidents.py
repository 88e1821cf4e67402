"""Earlier incidents with like services and causes are found, with what people noted then."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.incidents import at, symptom

from observatory.analysis.similar_incidents import likeness, similar_incidents
from observatory.incidents import actions
from observatory.model import Incident, IncidentChanges, IncidentState, LikelyCause, Severity, by_onset
from observatory.store import open_store


def incident(key: str, minute: float, *services: str, blamed: str = "", metric: str = "error_rate") -> Incident:
    symptoms = by_onset(symptom(name, minute, minute + 10, is_open=False) for name in services)
    causes = (LikelyCause(blamed, 5.0, True, "errors rose", metric),) if blamed else ()
    state = IncidentState.RESOLVED
    return Incident(key, state, Severity.HIGH, Severity.HIGH, at(minute), at(minute + 20), symptoms, causes)


NOW = incident("now", 1000, "shop/web", "shop/db", blamed="shop/db")


def test_the_same_services_and_the_same_cause_are_the_same():
    assert likeness(NOW, replace(NOW, id="other")) == 1.0
    assert likeness(NOW, incident("x", 0, "shop/web", "shop/db", blamed="shop/db", metric="cpu_usage")) == 0.5
    assert likeness(NOW, incident("x", 0, "shop/web", "shop/db")) == 1.0, "of causes nothing is known"
    assert likeness(NOW, incident("x", 0, "shop/cart", blamed="shop/cart")) == 0.0


@pytest.mark.slow
def test_earlier_ones_come_with_what_was_noted_the_most_similar_first():
    with open_store(":memory:") as store:
        before = [
            incident("same", 0, "shop/web", "shop/db", blamed="shop/db"),
            incident("half", 100, "shop/web", "shop/db", blamed="shop/web"),
            incident("none", 200, "shop/cart", blamed="shop/cart"),
            incident("after", 2000, "shop/web", "shop/db", blamed="shop/db"),
            NOW,
        ]
        store.incidents.update(at(0), lambda _: IncidentChanges(tuple(before)))
        store.incidents.change("same", lambda held: actions.note(held, "the pool: rolled back", "key:ann", at(30)))
        found = similar_incidents(store, NOW)
        assert [(one.incident.id, one.likeness) for one in found] == [("same", 1.0), ("half", 0.5)]
        assert [one.notes for one in found] == [("the pool: rolled back",), ()]
        assert len(similar_incidents(store, NOW, most=1)) == 1
