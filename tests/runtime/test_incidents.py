"""Incidents of a running workbench: opened by anomalies and by health, once, whoever follows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.actors import FAULTS, Actor
from support.shop import Clock, shop

from observatory.incidents import actions
from observatory.model import OF_HEALTH, Anomaly, Fault, IncidentState, Service, Severity
from observatory.runtime import Runtime
from observatory.runtime.incidents import IncidentTracker
from observatory.store import Store, open_store

pytestmark = pytest.mark.slow

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store(":memory:") as opened:
        opened.register([Service("shop/web"), Service("shop/db")])
        opened.write_calls([("shop/web", "shop/db")])
        yield opened


def anomaly(service: str, first: float, last: float, severity: Severity = Severity.HIGH, *, is_open: bool) -> Anomaly:
    start, end = NOON + first * MINUTE, NOON + last * MINUTE
    return Anomaly(service, start, end, end, is_open, severity, 2.0, "seasonal", f"{service}: slow", ())


def kinds(store: Store) -> Counter[str]:
    return Counter(event.kind for one in store.incidents.read() for event in store.incidents.events(one.id))


def test_health_that_turns_critical_opens_an_incident_without_any_anomaly(store: Store) -> None:
    tracker = IncidentTracker(store)
    tracker.follow(NOON, {"shop/web": "shop/web: health 0, no pods are running"})
    (incident,) = store.incidents.read()
    assert (incident.severity, incident.symptoms[0].detector) == (Severity.CRITICAL, OF_HEALTH)
    assert incident.title == "shop/web: health 0, no pods are running"
    tracker.follow(NOON + MINUTE, {"shop/web": "shop/web: health 20, errors 9 %"})
    assert store.incidents.read()[0].title == "shop/web: health 20, errors 9 %"
    tracker.follow(NOON + 2 * MINUTE, {})
    tracker.follow(NOON + 30 * MINUTE, {})
    assert store.incidents.read()[0].state is IncidentState.RESOLVED
    assert kinds(store) == {"opened": 1, "resolved": 1}


def test_health_and_anomalies_of_related_services_are_one_incident(store: Store) -> None:
    store.write_anomalies([anomaly("shop/web", 0, 2, Severity.LOW, is_open=True)])
    IncidentTracker(store).follow(NOON + 2 * MINUTE, {"shop/db": "shop/db: health 0"})
    (incident,) = store.incidents.read()
    assert set(incident.services) == {"shop/web", "shop/db"}


def test_a_process_that_comes_later_goes_on_where_the_last_one_was(store: Store) -> None:
    store.write_anomalies([anomaly("shop/web", 0, 5, is_open=True)])
    IncidentTracker(store).follow(NOON + 5 * MINUTE, {})
    store.write_anomalies([anomaly("shop/web", 0, 9, is_open=False)])
    store.write_anomalies([anomaly("shop/db", 60, 70, is_open=False), anomaly("shop/db", 170, 180, is_open=True)])
    IncidentTracker(store).follow(NOON + 180 * MINUTE, {})
    newest, middle, first = store.incidents.read()
    assert (first.state, first.resolved_at) == (IncidentState.RESOLVED, NOON + 19 * MINUTE)
    assert (middle.state, middle.opened_at, middle.resolved_at) == (
        IncidentState.RESOLVED,
        NOON + 60 * MINUTE,
        NOON + 80 * MINUTE,
    )
    assert newest.state is IncidentState.OPEN


def test_a_store_of_before_incidents_gets_those_of_its_anomalies(store: Store) -> None:
    days = [anomaly("shop/web", -day * 1440, -day * 1440 + 5, is_open=False) for day in range(1, 20)]
    store.write_anomalies(days)
    IncidentTracker(store).follow(NOON, {})
    assert len(store.incidents.read()) == 19
    assert not [one for one in store.incidents.read() if one.is_active]


def test_a_process_that_was_held_up_does_not_undo_what_another_did_meanwhile(store: Store) -> None:
    late, quick = IncidentTracker(store), IncidentTracker(store)
    quick.follow(NOON, {"shop/web": "shop/web: health 0"})
    quick.follow(NOON + 8 * MINUTE, {})
    assert not late.follow(NOON + MINUTE, {"shop/web": "shop/web: health 0", "shop/db": "shop/db: health 0"})
    quick.follow(NOON + 15 * MINUTE, {})
    assert kinds(store) == {"opened": 1, "resolved": 1}


def test_a_clock_that_is_set_back_an_hour_keeps_nothing_from_being_noticed(store: Store) -> None:
    tracker = IncidentTracker(store)
    tracker.follow(NOON, {"shop/web": "shop/web: health 0"})
    tracker.follow(NOON - 60 * MINUTE, {"shop/web": "shop/web: health 0", "shop/db": "shop/db: health 0"})
    assert {name for one in store.incidents.read() for name in one.services} == {"shop/web", "shop/db"}


def test_an_anomaly_that_nobody_saw_end_does_not_keep_its_incident_open(store: Store) -> None:
    store.write_anomalies([anomaly("shop/web", 0, 5, is_open=True)])
    tracker = IncidentTracker(store)
    tracker.follow(NOON + 5 * MINUTE, {})
    store.write_anomalies([anomaly("shop/web", 0, 5, is_open=False)])  # closed as abandoned, hours later
    tracker.follow(NOON + 400 * MINUTE, {})
    assert store.incidents.read()[0].state is IncidentState.RESOLVED


def test_following_a_past_again_changes_nothing(store: Store) -> None:
    store.write_anomalies([anomaly("shop/web", 0, 5, is_open=False), anomaly("shop/db", 1, 9, is_open=False)])
    tracker = IncidentTracker(store)
    tracker.replay(NOON - MINUTE, NOON + 60 * MINUTE)
    before, told = store.incidents.read(), kinds(store)
    for start in (-1, 3, 8, 59):
        assert not tracker.replay(NOON + start * MINUTE, NOON + 60 * MINUTE).events
    assert ([one.symptoms for one in store.incidents.read()], kinds(store)) == ([one.symptoms for one in before], told)


def test_what_people_said_stays_while_it_goes_on(store: Store) -> None:
    store.write_anomalies([anomaly("shop/web", 0, 5, is_open=True)])
    tracker = IncidentTracker(store)
    tracker.follow(NOON + 5 * MINUTE, {})
    (incident,) = store.incidents.read()
    store.incidents.change(incident.id, lambda held: actions.acknowledge(held, "key:ann", NOON + 6 * MINUTE, "on it"))
    store.write_anomalies([anomaly("shop/web", 0, 8, Severity.CRITICAL, is_open=True)])
    tracker.follow(NOON + 8 * MINUTE, {})
    (incident,) = store.incidents.read()
    assert (incident.state, incident.acknowledged_by) == (IncidentState.ACKNOWLEDGED, "key:ann")
    assert kinds(store) == {"opened": 1, "acknowledged": 1, "worse": 1}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Actor]]:
    """Starts a process that follows incidents; none outlives the test."""
    actors: list[Actor] = []

    def start() -> Actor:
        actors.append(Actor("track", tmp_path / "x.duckdb"))
        return actors[-1]

    yield start
    for actor in actors:
        actor.kill()


def test_two_processes_and_a_killed_one_open_each_incident_once_and_lose_no_line(
    tmp_path: Path, start: Callable[[], Actor]
) -> None:
    path = tmp_path / "x.duckdb"
    with open_store(str(path)) as store:
        store.register(Service(name) for name in sorted({service for service, _, _ in FAULTS}))
        survivor, other = start(), start()
        for minute in range(0, 140, 2):
            store.write_note("minute", str(minute))
            survivor.wait_for_line(str(minute))
            if minute % 40 == 6:
                other.kill()
                other = start()
        for actor in (survivor, other):
            actor.end()
        found = store.incidents.read()
        told = {one.id: [event.kind for event in store.incidents.events(one.id)] for one in found}
    assert sorted(one.services for one in found) == sorted((service,) for service, _, _ in FAULTS)
    assert all(lines == ["opened", "resolved"] for lines in told.values()), told
    assert all(one.state is IncidentState.RESOLVED for one in found)


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    made = shop()
    made.prepare()
    yield made
    made.close()


def test_a_live_cascade_is_one_incident_that_blames_its_origin_and_ends(runtime: Runtime) -> None:
    assert isinstance(runtime.clock, Clock)
    past = {one.id for one in runtime.store.incidents.read()}
    runtime.go_live()
    for _ in range(45):
        runtime.clock.forward(minutes=1)
        cycle = runtime.cycle()
        assert cycle.failures == ()
    fault: Fault = runtime.store.faults(runtime.clock() - 45 * MINUTE)[-1]
    assert fault.root_cause == "shop/payments"
    (incident,) = [one for one in runtime.store.incidents.read() if one.id not in past and len(one.services) > 1]
    assert {"shop/payments", "shop/checkout"} <= set(incident.services)
    assert incident.causes[0].service_name == "shop/payments"
    assert incident.causes[0].is_clear
    assert incident.state is IncidentState.RESOLVED
    lines = [event.kind for event in runtime.store.incidents.events(incident.id)]
    assert lines[:2] == ["change", "opened"], "a deployment was its cause"
    assert (lines[-1], lines.count("cause")) == ("resolved", 1)


def test_the_demos_past_has_an_incident_for_each_fault_that_was_noticed(runtime: Runtime) -> None:
    for one in runtime.store.incidents.read():
        assert one.state is IncidentState.RESOLVED
        assert one.causes, one.title
    cascade = max(runtime.store.incidents.read(), key=lambda one: len(one.services))
    assert cascade.origin == "shop/inventory"
