"""One thread looks for all who subscribe, and hands each of them what changed since its last look."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from queue import Queue

import pytest
from support.servers import wait_until
from support.shop import NOON

from observatory.errors import StoreError
from observatory.health.overview import Overview, ServiceStatus
from observatory.model import Anomaly, Band, Health, Incident, IncidentState, Service, Severity
from observatory.runtime.feed import Feed, Look
from observatory.runtime.incidents import symptom_of

WAIT = 30


def anomaly(service: str, severity: Severity = Severity.LOW) -> Anomaly:
    return Anomaly(service, NOON, NOON, NOON, True, severity, 1.5, "seasonal", f"{service} is slow", ())


def status(name: str, *anomalies: Anomaly, band: Band = Band.HEALTHY) -> ServiceStatus:
    health = Health(90, band, 100, ())
    return ServiceStatus(Service(name), health, NOON, False, False, None, {}, {}, anomalies, len(anomalies))


class Services:
    """What is looked at; a test changes it."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.looks = 0
        self.kept: list[Incident] = []
        self.show()

    def show(self, *anomalies: Anomaly, band: Band = Band.HEALTHY) -> None:
        named = {name: tuple(a for a in anomalies if a.service_name == name) for name in ("shop/cart", "shop/db")}
        services = tuple(status(name, *own, band=band) for name, own in named.items())
        self.overview = Overview(NOON, "demo", services, None)

    def read(self) -> Overview:
        self.looks += 1
        if self.error is not None:
            raise self.error
        return self.overview

    def incidents(self, now: datetime) -> list[Incident]:
        symptoms = tuple(symptom_of(a) for one in self.overview.services for a in one.open_anomalies)
        if symptoms:
            self.kept = [Incident("1", IncidentState.OPEN, Severity.LOW, Severity.LOW, NOON, NOON, symptoms)]
        else:
            self.kept = [replace(one, state=IncidentState.RESOLVED) for one in self.kept]
        return self.kept


@pytest.fixture
def services() -> Services:
    return Services()


@pytest.fixture
def feed(services: Services) -> Iterator[Feed]:
    made = Feed(services.read, services.incidents, poll=0.02)
    yield made
    made.close()


def listen(feed: Feed, every: float | None = None) -> Queue[Look]:
    """The looks of a subscriber whose first one is behind."""
    heard: Queue[Look] = Queue()
    feed.subscribe(heard.put, every)
    wait_until(lambda: feed.has_looked, WAIT, "the first look")
    return heard


def changes(heard: Queue[Look], number: int) -> list[tuple[str, tuple[str, ...]]]:
    """The next events, kind and services."""
    found: list[tuple[str, tuple[str, ...]]] = []
    while len(found) < number:
        look = heard.get(timeout=WAIT)
        found += [(event.transition.kind, event.transition.services) for event in look.events]
    return found


def feed_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "observatory-feed"]


def test_anomalies_health_and_incidents_are_told_as_they_change(services: Services, feed: Feed) -> None:
    heard = listen(feed)
    services.show(anomaly("shop/db"), band=Band.POOR)
    assert changes(heard, 4) == [
        ("health", ("shop/cart",)),
        ("anomaly", ("shop/db",)),
        ("health", ("shop/db",)),
        ("incident", ("shop/db",)),
    ]
    services.show(anomaly("shop/db"), anomaly("shop/cart", Severity.HIGH), band=Band.POOR)
    (began, _), (spread, both) = changes(heard, 2)
    assert (began, spread) == ("anomaly", "incident")
    assert set(both) == {"shop/cart", "shop/db"}
    services.show(band=Band.POOR)
    assert [kind for kind, _ in changes(heard, 3)] == ["anomaly-ended", "anomaly-ended", "incident-ended"]


def test_what_was_there_before_is_no_news(services: Services, feed: Feed) -> None:
    services.show(anomaly("shop/db"))
    heard = listen(feed)
    services.overview = replace(services.overview, source="prometheus")
    while heard.get(timeout=WAIT).overview is not services.overview:
        pass
    services.show()
    assert changes(heard, 1)[0] == ("anomaly-ended", ("shop/db",))


def test_one_thread_looks_for_everybody_and_ends_with_the_last(services: Services, feed: Feed) -> None:
    one, other = listen(feed), listen(feed)
    assert one.get(timeout=WAIT).overview is other.get(timeout=WAIT).overview is services.overview
    (thread,) = feed_threads()
    feed.unsubscribe(one.put)
    assert feed.subscribers == 1
    assert thread.is_alive()
    feed.unsubscribe(other.put)
    thread.join(WAIT)
    assert not thread.is_alive()
    assert not feed.has_looked, "who comes later is not told what happened while nobody looked"


def test_who_wants_to_be_called_seldom_gets_the_events_that_waited(services: Services, feed: Feed) -> None:
    seldom, often = listen(feed, 3600), listen(feed)
    services.show(anomaly("shop/db"))
    changes(often, 2)
    services.show()
    changes(often, 2)
    assert seldom.empty()
    feed.refresh()
    look = seldom.get(timeout=WAIT)
    assert [event.transition.kind for event in look.events] == [
        "anomaly",
        "incident",
        "anomaly-ended",
        "incident-ended",
    ]


@pytest.mark.parametrize("error", [StoreError("disk full"), ZeroDivisionError("by zero")])
def test_a_look_that_fails_is_told_and_loses_no_event(
    services: Services, feed: Feed, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    heard = listen(feed)
    services.error = error
    while not (look := heard.get(timeout=WAIT)).error:
        pass
    assert look.overview is None
    assert str(error) in look.error
    looks = services.looks
    wait_until(lambda: services.looks > looks + 3, WAIT, "some more looks")
    told = [record for record in caplog.records if record.name == "observatory.runtime.feed"]
    assert len(told) == 1, "what goes on failing is logged once"
    services.show(anomaly("shop/db"))
    services.error = None
    assert changes(heard, 1)[0] == ("anomaly", ("shop/db",))


def test_a_read_of_incidents_that_fails_loses_no_event(
    services: Services, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = listen(feed)
    honest = feed._read_incidents

    def fail(now: datetime) -> list[Incident]:
        raise StoreError("disk full")

    monkeypatch.setattr(feed, "_read_incidents", fail)
    services.show(anomaly("shop/db"))
    while not heard.get(timeout=WAIT).error:
        pass
    monkeypatch.setattr(feed, "_read_incidents", honest)
    assert [kind for kind, _ in changes(heard, 2)] == ["anomaly", "incident"]


def test_a_subscriber_that_fails_does_not_stop_the_others(
    services: Services, feed: Feed, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(look: Look) -> None:
        raise ZeroDivisionError("by zero")

    feed.subscribe(fail)
    heard = listen(feed)
    services.show(anomaly("shop/db"))
    assert changes(heard, 1)[0] == ("anomaly", ("shop/db",))
    assert "a subscriber failed" in caplog.text


def test_who_comes_back_is_given_what_it_missed(services: Services, feed: Feed) -> None:
    heard = listen(feed)
    services.show(anomaly("shop/db"))
    events = []
    while len(events) < 2:
        events += heard.get(timeout=WAIT).events
    assert feed.since(events[0].id) == events[1:]
    assert feed.since(events[1].id) == []
    assert feed.since("of-another-process") is None
    assert Feed(services.read, services.incidents).since(events[0].id) is None


def test_where_no_thread_can_start_nobody_is_subscribed(
    services: Services, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            feed.subscribe(print)
    assert feed.subscribers == 0
    listen(feed)


def test_closing_ends_the_looking(services: Services, feed: Feed) -> None:
    listen(feed)
    feed.close()
    assert feed_threads() == []
    assert feed.subscribers == 0
