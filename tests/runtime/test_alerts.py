"""Alerts of others open incidents, join those of anomalies, and end with them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from support.incidents import NOON, at

from observatory.model import Anomaly, ExternalAlert, IncidentState, Service, Severity
from observatory.runtime.incidents import IncidentTracker
from observatory.store import Store, open_store

DAY = timedelta(days=1)


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store(":memory:") as store:
        store.register([Service("shop/cart", "eu"), Service("shop/pay", "eu")])
        yield store


def told(minute: float, **facts: Any) -> ExternalAlert:
    known = {
        "fingerprint": "f1",
        "started_at": at(minute),
        "service_name": "shop/cart",
        "name": "Slow",
        "severity": Severity.HIGH,
        "summary": "p99 over 2 s",
        "url": "",
        "sender": "key:am",
        "seen_at": at(minute),
        "expires_at": at(minute) + DAY,
    }
    return ExternalAlert(**known | facts)


def incidents(store: Store) -> list[tuple[str, int]]:
    return [(str(one.state), len(one.symptoms)) for one in store.incidents.read()]


def test_an_alert_opens_an_incident_that_ends_when_it_is_resolved(store: Store) -> None:
    tracker = IncidentTracker(store)
    store.alerts.write([told(0)])
    tracker.follow(at(1), {})
    (one,) = store.incidents.read()
    assert (one.state, one.title) == (IncidentState.OPEN, "shop/cart: alert Slow: p99 over 2 s")
    assert [event.kind for event in store.incidents.events(one.id)] == ["opened"]
    tracker.follow(at(5), {})
    assert incidents(store) == [("open", 1)]
    store.alerts.write([told(0, ended_at=at(6), seen_at=at(6))])
    for minute in (7, 12, 18):
        tracker.follow(at(minute), {})
    assert incidents(store) == [("resolved", 1)]


def test_an_alert_that_is_told_no_more_ends(store: Store) -> None:
    tracker = IncidentTracker(store)
    store.alerts.write([told(0, expires_at=at(4))])
    for minute in (1, 5, 10, 16):
        tracker.follow(at(minute), {})
    assert incidents(store) == [("resolved", 1)]


def test_alerts_and_anomalies_of_a_service_are_one_incident(store: Store) -> None:
    tracker = IncidentTracker(store)
    store.write_anomalies(
        [Anomaly("shop/cart", NOON, at(3), NOON, True, Severity.HIGH, 2.0, "multiscale", "shop/cart: slow", ())]
    )
    tracker.follow(at(3), {})
    store.alerts.write([told(4), told(4, fingerprint="f2", name="Errors", severity=Severity.CRITICAL)])
    tracker.follow(at(5), {})
    (one,) = store.incidents.read()
    assert (one.severity, len(one.symptoms)) == (Severity.CRITICAL, 3)
    assert "alert Errors" in " ".join(event.text for event in store.incidents.events(one.id))


def test_an_alert_for_each_pod_is_one_symptom(store: Store) -> None:
    tracker = IncidentTracker(store)
    pods = [told(0, fingerprint=f"f{number}", summary=f"pod {number}") for number in range(5)]
    store.alerts.write(pods)
    tracker.follow(at(1), {})
    assert incidents(store) == [("open", 1)]
    store.alerts.write([told(0, fingerprint="f0", ended_at=at(2), seen_at=at(2), summary="pod 0")])
    tracker.follow(at(3), {})
    (one,) = store.incidents.read()
    assert one.symptoms[0].is_open  # others go on


def test_what_is_about_no_service_or_only_informs_opens_none(store: Store) -> None:
    tracker = IncidentTracker(store)
    store.alerts.write([told(0, service_name=""), told(0, fingerprint="f2", severity=None)])
    for minute in (1, 30):
        tracker.follow(at(minute), {})
    assert incidents(store) == []
