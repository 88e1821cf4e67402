"""Incidents are one sentence each: the worst that goes on first, what has just ended after it."""

from __future__ import annotations

from dataclasses import replace

from support.incidents import at, symptom
from views.conftest import HOSTILE

from observatory.model import Incident, IncidentChanges, IncidentState, LikelyCause, Severity
from observatory.store import open_store
from observatory.views.components.incidents import LISTED, incident_strip, item, read_incidents

NOW = at(30)


def incident(key: str, minute: float, state: IncidentState = IncidentState.OPEN, *services: str) -> Incident:
    names = services or (f"shop/{key}",)
    symptoms = tuple(symptom(name, minute, minute + 5, is_open=state.is_active) for name in names)
    return Incident(key, state, Severity.HIGH, Severity.HIGH, at(minute), at(minute), symptoms)


def test_an_incident_says_what_since_when_whom_it_reaches_and_why() -> None:
    blamed = (LikelyCause("shop/db", 5.0, True, "errors rose"),)
    made = item(replace(incident("1", 10, IncidentState.OPEN, "shop/db", "shop/web"), causes=blamed), NOW)
    assert made["title"] == "shop/db: errors 12 %; also shop/web"
    assert (made["lasted"], made["reach"], made["since"]) == ("for 20 min", "2 services", "since 12:10 UTC")
    assert (made["cause"], made["clear"], made["why"]) == ("shop/db", True, "errors rose")
    assert made["service"] == "shop/db"


def test_one_that_somebody_works_on_says_who() -> None:
    taken = replace(incident("1", 10), state=IncidentState.ACKNOWLEDGED, acknowledged_by="key:ann")
    assert item(taken, NOW)["by"] == "acknowledged by key:ann"
    assert item(replace(taken, assignee="payments team"), NOW)["by"] == "with payments team"


def test_what_goes_on_comes_first_and_what_ended_long_ago_is_left_out() -> None:
    with open_store(":memory:") as store:
        ended, mild, bad = (
            incident("ended", 5, IncidentState.RESOLVED),
            replace(incident("mild", 20), severity=Severity.LOW),
            replace(incident("bad", 10), severity=Severity.CRITICAL),
        )
        old = incident("old", -300, IncidentState.RESOLVED)
        store.incidents.update(NOW, lambda _: IncidentChanges((ended, mild, bad, old)))
        assert [one.id for one in read_incidents(store, NOW)] == ["bad", "mild", "ended"]


def test_there_is_a_limit_and_what_is_left_out_is_counted() -> None:
    drawn = incident_strip([incident(str(n), n) for n in range(LISTED + 3)], NOW, None, away=False)
    assert (len(drawn["items"]), drawn["left_out"]) == (LISTED, 3)


def test_hostile_names_are_data() -> None:
    assert item(incident("1", 10, IncidentState.OPEN, HOSTILE), NOW)["title"].startswith(HOSTILE)
