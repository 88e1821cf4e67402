"""What happens to an incident reaches each destination: in order, at least once, no more than people can read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from support.destinations import Recorder, an_incident, happens, open_all, told
from support.incidents import NOON, at

from observatory.errors import DeliveryError
from observatory.integrations import Late
from observatory.model import DeliveryState, Severity
from observatory.runtime.hand_out import Told, hand_out, note_destinations
from observatory.runtime.sending import Lane
from observatory.store import Store, open_store

START = NOON - timedelta(days=2)
"""When the destinations were first there."""


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store(":memory:") as store:
        yield store


class Desk:
    """One destination, and what is done for it at a time."""

    def __init__(self, store: Store, recorder: Recorder | None = None, **settings: object) -> None:
        self.store = store
        self.recorder = recorder or Recorder()
        self.told: dict[str, Told] = {self.recorder.name: told(self.recorder, **settings)}
        self.lane = self.restarted()
        note_destinations(store, self.told, START)

    def restarted(self) -> Lane:
        """What another process would go on with."""
        self.lane = Lane(self.store, self.told[self.recorder.name], chance=lambda: 1.0)
        return self.lane

    def at(self, minute: float) -> int:
        now = at(minute)
        hand_out(self.store, self.told, now)
        return self.lane.send_due(now)

    @property
    def states(self) -> dict[str, str]:
        return {delivery.key: str(delivery.state) for delivery in self.store.notifications.log(self.recorder.name)}


def test_each_transition_is_told_once_and_in_order(store: Store) -> None:
    desk = Desk(store)
    incident = an_incident()
    happens(store, incident, "opened")
    assert desk.at(0) == 1
    assert desk.at(0.1) == 0
    happens(store, incident, "worse", 1, severity=Severity.CRITICAL, peak=Severity.CRITICAL)
    happens(store, incident, "resolved", 2)
    while desk.at(2):
        pass
    assert desk.recorder.kinds == [("a", "opened"), ("a", "worse"), ("a", "resolved")]
    assert desk.recorder.keys == ["a-1", "a-2", "a-3"]
    assert set(desk.states.values()) == {"sent"}


def test_lines_that_are_no_transition_are_not_told(store: Store) -> None:
    desk = Desk(store)
    for minute, kind in enumerate(("joined", "cause", "change", "assigned", "note", "report")):
        happens(store, an_incident(), kind, minute)  # type: ignore[arg-type]
    assert desk.at(6) == 0
    assert store.notifications.outbox() == []


def test_a_message_that_is_not_taken_is_tried_again_later_with_the_same_key(store: Store) -> None:
    desk = Desk(store)
    keys = []
    desk.recorder.before = lambda message: keys.append(message.key)
    desk.recorder.refusals = iter([DeliveryError("is down"), DeliveryError("is busy", wait=90)])
    happens(store, an_incident(), "opened")
    desk.at(0)
    (delivery,) = store.notifications.log()
    assert (delivery.state, delivery.attempts, delivery.reason) == (DeliveryState.WAITING, 1, "is down")
    assert delivery.due_at == at(0) + timedelta(seconds=5)
    assert desk.at(4 / 60) == 0
    assert len(keys) == 1, "not before its time"
    desk.at(5 / 60)
    (delivery,) = store.notifications.log()
    assert delivery.due_at == at(5 / 60) + timedelta(seconds=90), "as long as it asked for"
    assert desk.at(3) == 1
    assert set(keys) == {"a-1"}
    assert desk.states == {"a-1": "sent"}


def test_an_incident_whose_first_message_waits_holds_back_its_later_ones(store: Store) -> None:
    desk = Desk(store)
    desk.recorder.refusals = iter([DeliveryError("is down")] * 3)
    happens(store, an_incident(), "opened")
    desk.at(0)
    happens(store, an_incident(), "resolved", 0.05)
    for second in range(3, 60, 3):
        desk.at(second / 60)
    assert desk.recorder.kinds == [("a", "opened"), ("a", "resolved")]


def test_what_will_never_be_taken_is_given_up_and_can_be_sent_again_by_hand(store: Store) -> None:
    desk = Desk(store)
    desk.recorder.refusals = iter([DeliveryError("is no such channel", is_final=True)])
    happens(store, an_incident(), "opened")
    happens(store, an_incident("b"), "opened")
    desk.at(0)
    assert desk.states == {"a-1": "failed", "b-1": "sent"}, "the next is not held up"
    assert store.notifications.retry("other", at(1)) == 0
    assert store.notifications.retry("desk", at(1)) == 1
    desk.at(1)
    assert desk.states == {"a-1": "sent", "b-1": "sent"}


def test_an_integration_that_breaks_is_a_failed_attempt(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(store)
    desk.recorder.refusals = iter([ZeroDivisionError("of others")])
    happens(store, an_incident(), "opened")
    desk.at(0)
    (delivery,) = store.notifications.log()
    assert delivery.reason == "ZeroDivisionError: of others"
    assert desk.at(1) == 1


def test_after_a_day_it_is_given_up(store: Store) -> None:
    desk = Desk(store)
    desk.recorder.refusals = iter([DeliveryError("is down")] * 10_000)
    happens(store, an_incident(), "opened")
    for hour in range(26):
        desk.at(60 * hour)
    assert desk.states == {"a-1": "failed"}


def test_a_process_that_was_killed_after_sending_sends_once_more_with_the_same_key(store: Store) -> None:
    desk = Desk(store)

    class Killed(BaseException):
        """Nothing of the process goes on."""

    def taken_and_killed(message: object) -> None:
        desk.recorder.taken.append(message)  # type: ignore[arg-type]
        desk.recorder.before = lambda message: None
        raise Killed

    desk.recorder.before = taken_and_killed
    happens(store, an_incident(), "opened")
    with pytest.raises(Killed):
        desk.at(0)
    desk.restarted()
    desk.at(0.1)
    assert desk.recorder.keys == ["a-1", "a-1"]


def test_a_process_that_no_longer_leads_sends_nothing(store: Store) -> None:
    desk = Desk(store)
    leads = False
    desk.lane = Lane(store, desk.told["desk"], may_send=lambda: leads)
    happens(store, an_incident(), "opened")
    assert desk.at(0) == 0
    leads = True
    assert desk.at(0.1) == 1


def test_nobody_is_told_of_what_was_before_they_were_there(store: Store) -> None:
    happens(store, an_incident(), "opened", -60 * 24 * 3)
    desk = Desk(store)
    assert desk.at(0) == 0
    assert store.notifications.log() == []
    happens(store, an_incident(), "resolved", 1)
    assert desk.at(1) == 1


def test_many_at_once_are_one_message(store: Store) -> None:
    desk = Desk(store)
    high = [an_incident(f"i{number:04}", service=f"shop/s{number}") for number in range(999)]
    open_all(store, [*high, an_incident("z", Severity.CRITICAL, "shop/bad")])
    desk.at(0)
    assert len(desk.recorder.taken) <= 10
    (message,) = [one for one in desk.recorder.taken if one.kind == "summary"]
    assert message.severity is Severity.CRITICAL
    assert "critical: shop/bad" in message.text
    while desk.at(0):
        pass
    assert set(desk.states.values()) == {"summed"}


def test_what_could_not_be_told_for_an_hour_is_summed_up(store: Store) -> None:
    desk = Desk(store)
    for number in range(4):
        happens(store, an_incident(f"i{number}", service=f"shop/s{number}"), "opened", number)
    happens(store, an_incident("i3", service="shop/s3"), "resolved", 20)
    assert desk.at(90) == 1
    (message,) = desk.recorder.taken
    assert message.title == "4 incidents in 5 changes: 3 go on"
    assert "over: shop/s3: errors 12 %" in message.text


def test_a_receiver_that_holds_a_state_gets_the_last_of_each(store: Store) -> None:
    desk = Desk(store, Recorder(late=Late.LATEST))
    desk.recorder.refusals = iter([DeliveryError("is down")])
    for key in ("a", "b"):
        happens(store, an_incident(key), "opened")
    desk.at(0)
    happens(store, an_incident("a"), "worse", 1)
    happens(store, an_incident("a"), "resolved", 2)
    desk.at(3)
    assert sorted(desk.recorder.kinds) == [("a", "resolved"), ("b", "opened")]
    assert desk.states == {"a-1": "summed", "a-2": "summed", "a-3": "sent", "b-1": "sent"}


def test_a_receiver_that_keeps_a_record_gets_all_however_late(store: Store) -> None:
    desk = Desk(store, Recorder(late=Late.EACH), rate="1000/minute")
    for number in range(20):
        happens(store, an_incident(f"i{number:02}"), "opened")
    assert desk.at(60 * 20) == 20


def test_no_more_than_the_rate_allows_and_the_rest_in_one(store: Store) -> None:
    desk = Desk(store, rate="2/minute")
    happens(store, an_incident("a"), "opened")
    happens(store, an_incident("b"), "opened")
    assert desk.at(0) == 2
    for key in ("c", "d", "e"):
        happens(store, an_incident(key), "opened", 0.5)
    assert desk.at(0.5) == 0
    assert desk.at(1.01) == 1
    assert desk.recorder.taken[-1].title == "3 incidents in 3 changes: 3 go on"


def test_only_what_is_wanted_is_told(store: Store) -> None:
    desk = Desk(store, severity="high", services=["shop/*"], on=["opened", "worse", "resolved"])
    low, other = an_incident("low", Severity.LOW), an_incident("other", service="pay/db")
    for incident in (low, other):
        happens(store, incident, "opened")
    assert desk.at(0) == 0
    happens(store, low, "worse", 1, severity=Severity.HIGH, peak=Severity.HIGH)
    happens(store, low, "acknowledged", 2)
    happens(store, low, "better", 3, peak=Severity.HIGH)
    happens(store, low, "resolved", 4, peak=Severity.HIGH)
    while desk.at(4):
        pass
    assert desk.recorder.kinds == [("low", "worse"), ("low", "resolved")]


def test_in_quiet_hours_only_what_is_urgent_is_told_and_the_rest_after(store: Store) -> None:
    desk = Desk(store, quiet_hours="12:00-15:00")
    happens(store, an_incident("high"), "opened")
    happens(store, an_incident("bad", Severity.CRITICAL), "opened")
    assert desk.at(1) == 1
    assert desk.recorder.kinds == [("bad", "opened")]
    (waits,) = [one for one in store.notifications.log() if one.state is DeliveryState.WAITING]
    assert waits.reason == "quiet until 15:00 UTC"
    happens(store, an_incident("high"), "worse", 2, severity=Severity.CRITICAL, peak=Severity.CRITICAL)
    while desk.at(3):
        pass
    assert desk.recorder.kinds[1:] == [("high", "opened"), ("high", "worse")], "it became urgent"
    happens(store, an_incident("later"), "opened", 60)
    assert desk.at(60) == 0
    assert desk.at(181) == 1


def test_an_incident_that_was_merged_says_into_which(store: Store) -> None:
    desk = Desk(store, services=["shop/*"])
    happens(store, an_incident("a"), "opened")
    happens(store, an_incident("b", service="shop/db"), "opened")
    while desk.at(0):
        pass
    happens(store, an_incident("b"), "merged", 1, symptoms=(), merged_into="a", state="merged")
    desk.at(1)
    assert desk.recorder.taken[-1].title == "Merged into incident a · shop/cart: errors 12 %"


def test_a_receiver_that_forgets_is_told_again_what_goes_on(store: Store) -> None:
    desk = Desk(store)
    desk.recorder.every = timedelta(minutes=1)
    happens(store, an_incident("a"), "opened")
    for minute in (0.0, 0.5, 1.0):
        desk.at(minute)
    assert desk.recorder.refreshed == [(at(0), ["a"]), (at(1), ["a"])]


def test_the_timeline_of_an_incident_has_what_was_told_of_it_to_whom(store: Store) -> None:
    desk = Desk(store)
    incident = an_incident()
    happens(store, incident, "opened", text="shop/cart: errors 12 %")
    desk.at(1)
    desk.recorder.refusals = iter([DeliveryError("is not understood", is_final=True)])
    happens(store, incident, "worse", 2)
    desk.at(3)
    assert [(event.kind, event.text) for event in store.incidents.events("a")] == [
        ("opened", "shop/cart: errors 12 %"),
        ("told", "desk: opened"),
        ("worse", ""),
        ("told", "desk was not told: worse, is not understood"),
    ]
