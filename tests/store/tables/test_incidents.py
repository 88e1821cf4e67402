"""Incidents are kept in every home of a store, and are changed by one process at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from support.every_table import NOW, SERVICES, START, open_incident

from observatory.errors import ConflictError, NotFoundError
from observatory.incidents import actions
from observatory.model import Incident, IncidentChanges, IncidentState
from observatory.store import Store
from observatory.store.options import Retention

DAY = timedelta(days=1)


def test_an_incident_comes_back_as_it_was_with_its_timeline(store: Store) -> None:
    assert store.incidents.read() == []
    incident = open_incident(store)
    assert store.incidents.read() == [incident] == store.incidents.recent(NOW)
    assert store.incidents.get(incident.id) == incident
    first, second = store.incidents.events(incident.id)
    assert first == second
    assert (first.text, first.who, first.service_name) == ("it's <b>slow</b>\n🔥", "key:ann", "shop/cart")


def test_what_people_do_is_kept_and_what_is_refused_changes_nothing(store: Store) -> None:
    incident = open_incident(store)
    changed = store.incidents.change(incident.id, lambda held: actions.resolve(held, "key:ben", NOW, "done"))
    assert changed == store.incidents.get(incident.id)
    assert changed.state is IncidentState.RESOLVED
    assert len(store.incidents.events(incident.id)) == 3
    revision = store.revision
    with pytest.raises(ConflictError, match="was resolved by key:ben"):
        store.incidents.change(incident.id, lambda held: actions.resolve(held, "key:ann", NOW))
    with pytest.raises(NotFoundError, match="there is no incident 'nonsense'"):
        store.incidents.change("nonsense", lambda held: actions.note(held, "x", "key:ann", NOW))
    assert (store.revision, store.incidents.get(incident.id)) == (revision, changed)


def test_incidents_are_found_by_time_service_state_and_severity(store: Store) -> None:
    incident = open_incident(store)
    find = store.incidents.read
    assert find(NOW, NOW + DAY, ["shop/cart"], [IncidentState.ACKNOWLEDGED], ["high"]) == [incident]
    for nothing in (
        find(NOW + DAY, None),
        find(None, START - DAY),
        find(services=["shop/other"]),
        find(states=[IncidentState.OPEN]),
        find(severities=["low"]),
        find(limit=0),
        find(after=(START, incident.id)),
    ):
        assert nothing == []


@pytest.mark.slow
def test_incidents_follow_the_names_of_services(store: Store) -> None:
    incident = open_incident(store)
    store.register(SERVICES)
    store.names.rename("shop/cart", "shop/basket", NOW)
    assert store.incidents.get(incident.id).services == ("shop/basket",)
    assert store.incidents.events(incident.id)[0].service_name == "shop/basket"
    store.names.remove(["shop/it's – ünïcode"], NOW)
    assert store.incidents.get(incident.id).causes == ()
    store.names.remove(["shop/basket"], NOW)
    assert store.incidents.read() == [], "nothing is left of it"


def test_those_that_go_on_or_ended_lately_are_what_matters(store: Store) -> None:
    incident = open_incident(store)
    ended = replace(incident, state=IncidentState.RESOLVED, resolved_at=NOW, symptoms=_closed(incident))
    store.incidents.update(NOW, lambda held: IncidentChanges((ended,)))
    assert store.incidents.recent(NOW) == [ended]
    assert store.incidents.recent(NOW + timedelta(seconds=1)) == []


@pytest.mark.slow
def test_old_ones_are_forgotten_when_the_settings_say_so_and_open_ones_never(store: Store) -> None:
    incident = open_incident(store)
    store.maintain(NOW + 90 * DAY, Retention(archive=None, anomalies=30))
    assert store.incidents.read() == [incident]
    ended = replace(incident, state=IncidentState.RESOLVED, resolved_at=NOW, symptoms=_closed(incident))
    store.incidents.update(NOW, lambda held: IncidentChanges((ended,)))
    store.maintain(NOW + 91 * DAY, Retention(archive=None, anomalies=30))
    assert store.incidents.read() == []
    assert store.incidents.events(incident.id) == []


def _closed(incident: Incident) -> tuple:  # type: ignore[type-arg]
    return tuple(replace(symptom, is_open=False) for symptom in incident.symptoms)
