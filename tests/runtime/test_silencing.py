"""A silence keeps incidents from people while it lasts; then what goes on is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from runtime.test_sending import Desk
from support.destinations import Recorder, an_incident, happens
from support.incidents import NOON, at, symptom
from support.silences import a_silence

from observatory.annotations.silences import end_silence
from observatory.errors import DeliveryError
from observatory.integrations import Late
from observatory.model import OF_HEALTH, Anomaly, Evidence, Severity
from observatory.store import Store, open_store


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store(":memory:") as store:
        yield store


def whole(desk: Desk, minute: float) -> list[tuple[str, str]]:
    """What was told by then."""
    while desk.at(minute):
        pass
    return desk.recorder.kinds


def test_nothing_is_told_while_it_lasts_and_what_goes_on_is_told_after_it(store: Store) -> None:
    desk = Desk(store)
    store.silences.write([a_silence("shop/*")])
    happens(store, an_incident(), "opened")
    happens(store, an_incident(), "worse", 5)
    assert whole(desk, 5) == whole(desk, 59) == []
    (held,) = [one for one in store.notifications.log() if one.silenced_by]
    assert (held.silenced_by, held.reason) == ("s1", "silenced until 2026-03-01 13:00 UTC by key:ann: maintenance")
    assert whole(desk, 60) == [("a", "opened")]
    assert desk.states == {"a-1": "sent", "a-2": "silenced"}


def test_what_came_and_went_while_it_lasted_is_not_told(store: Store) -> None:
    desk = Desk(store)
    store.silences.write([a_silence("shop/*")])
    happens(store, an_incident(), "opened")
    happens(store, an_incident(), "resolved", 10)
    assert whole(desk, 10) == whole(desk, 61) == whole(desk, 1000) == []
    assert set(desk.states.values()) == {"silenced"}


def test_who_was_told_that_it_opened_is_told_that_it_ended(store: Store) -> None:
    desk = Desk(store)
    happens(store, an_incident(), "opened", -5)
    assert whole(desk, -5) == [("a", "opened")]
    store.silences.write([a_silence("shop/*")])
    happens(store, an_incident(), "worse", 5)
    assert whole(desk, 5) == [("a", "opened")]
    happens(store, an_incident(), "resolved", 10)
    assert whole(desk, 12) == [("a", "opened"), ("a", "resolved")]
    assert desk.states == {"a-1": "sent", "a-2": "silenced", "a-3": "sent"}


def test_of_what_was_told_before_the_last_is_told_after_it(store: Store) -> None:
    desk = Desk(store)
    happens(store, an_incident(), "opened", -5)
    whole(desk, -5)
    store.silences.write([a_silence("shop/*")])
    happens(store, an_incident(), "worse", 5)
    whole(desk, 5)
    happens(store, an_incident(), "better", 15)
    assert whole(desk, 60) == [("a", "opened"), ("a", "better")]


def test_when_it_ends_early_what_goes_on_is_told_then(store: Store) -> None:
    desk = Desk(store)
    store.silences.write([a_silence("shop/*")])
    happens(store, an_incident(), "opened")
    whole(desk, 1)
    end_silence(store.silences, "s1", "key:bob", at(20))
    assert whole(desk, 21) == [("a", "opened")]


def test_it_comes_again_and_holds_back_again(store: Store) -> None:
    desk = Desk(store)
    hourly = a_silence(cron="0 * * * *", duration=timedelta(minutes=10), ends_at=NOON + timedelta(days=2))
    store.silences.write([hourly])
    happens(store, an_incident(), "opened", 61)
    assert whole(desk, 62) == []
    assert whole(desk, 70) == [("a", "opened")]


@pytest.mark.parametrize(
    ("silence", "is_silent"),
    [
        (a_silence("shop/*"), True),
        (a_silence("shop/cart"), False),  # the other service of the incident is still told of
        (a_silence("pay/*"), False),
        (a_silence(severities=(Severity.HIGH,)), True),
        (a_silence(severities=(Severity.LOW,)), False),
        (a_silence(metrics=("cpu_usage",)), False),  # errors as well
        (a_silence(metrics=("cpu_usage", "error_rate")), True),
    ],
)
def test_all_of_an_incident_must_be_silenced(store: Store, silence: object, is_silent: bool) -> None:
    desk = Desk(store)
    store.silences.write([silence])  # type: ignore[list-item]
    both = replace(an_incident(), symptoms=(symptom("shop/cart", 0, 5), symptom("shop/pay", 1, 5)))
    evidence = [Evidence(metric, 1, 0, 0, 0, 0.5, "up") for metric in ("cpu_usage", "error_rate")]
    store.write_anomalies(
        Anomaly(one.service_name, one.started_at, one.ended_at, NOON, True, one.severity, 2, one.detector, "", metrics)
        for one, metrics in zip(both.symptoms, ((evidence[0],), tuple(evidence)), strict=True)
    )
    happens(store, both, "opened")
    assert bool(whole(desk, 2)) is not is_silent


def test_a_silence_of_metrics_says_nothing_of_health(store: Store) -> None:
    desk = Desk(store)
    store.silences.write([a_silence(metrics=("cpu_usage",))])
    ill = replace(symptom("shop/cart", 0, 5), detector=OF_HEALTH)
    happens(store, replace(an_incident(), symptoms=(ill,)), "opened")
    assert whole(desk, 2) == [("a", "opened")]


def test_another_service_that_joins_breaks_the_silence(store: Store) -> None:
    desk = Desk(store)
    store.silences.write([a_silence("shop/cart")])
    happens(store, an_incident(), "opened")
    assert whole(desk, 2) == []
    joined = replace(an_incident(), symptoms=(*an_incident().symptoms, symptom("shop/pay", 3, 5)))
    happens(store, joined, "joined", 3)
    assert whole(desk, 5) == [("a", "opened")]


def test_a_pager_gets_the_last_state_and_is_not_reminded_of_what_it_was_not_told(store: Store) -> None:
    desk = Desk(store, Recorder(late=Late.LATEST))
    desk.recorder.every = timedelta(minutes=1)
    store.silences.write([a_silence("shop/*")])
    happens(store, an_incident(), "opened")
    assert whole(desk, 2) == []
    assert {ids for _, names in desk.recorder.refreshed for ids in names} == set()
    assert whole(desk, 60) == [("a", "opened")]
    whole(desk, 62)
    assert desk.recorder.refreshed[-1][1] == ["a"]


def test_a_record_is_kept_of_what_is_silenced(store: Store) -> None:
    desk = Desk(store, Recorder(late=Late.EACH))
    store.silences.write([a_silence("shop/*")])
    happens(store, an_incident(), "opened")
    assert whole(desk, 2) == [("a", "opened")]


def test_what_was_held_back_for_days_is_tried_more_than_once(store: Store) -> None:
    desk = Desk(store)
    store.silences.write([a_silence(ends_at=NOON + timedelta(days=3))])
    happens(store, an_incident(), "opened")
    whole(desk, 2)
    desk.recorder.refusals = iter([DeliveryError("is down")])
    days = 3 * 24 * 60
    assert whole(desk, days) == []
    assert whole(desk, days + 5) == [("a", "opened")]


def test_what_outlasted_the_silence_is_told_although_the_destination_was_down_then(store: Store) -> None:
    desk = Desk(store)
    store.silences.write([a_silence("shop/*")])
    happens(store, an_incident(), "opened")
    whole(desk, 2)
    desk.recorder.refusals = iter([DeliveryError("is down")])
    whole(desk, 60)
    happens(store, an_incident(), "resolved", 62)
    assert whole(desk, 65) == [("a", "opened"), ("a", "resolved")]
