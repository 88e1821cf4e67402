"""Silences are made, extended and ended; what cannot be is refused, with the way out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from support.incidents import NOON
from support.silences import HOUR, a_silence

from observatory.annotations.in_force import in_force
from observatory.annotations.settled_silences import follow_settings
from observatory.annotations.silences import Draft, end_silence, extend_silence, make_silence
from observatory.config.silences import SilenceSettings
from observatory.errors import ConflictError, InvalidInputError, NotFoundError
from observatory.model import Effect, Service, Silence
from observatory.store import Store, open_store

MINUTE = timedelta(minutes=1)


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store(":memory:") as store:
        yield store


def made(**facts: Any) -> Silence:
    known = {"services": ["shop/*"], "reason": "disks are swapped", "starts_at": NOON, "ends_at": NOON + HOUR}
    return make_silence(Draft(**known | facts), "key:ann", NOON, ["cpu_usage", "error_rate"])


def test_a_silence_says_what_who_why_and_until_when() -> None:
    one = made(severities=["low"], metrics=["cpu_usage"], reason="  disks\n are swapped ")
    assert (one.covered, one.reason, one.created_by, one.effect) == (
        "shop/*; severity low; only cpu_usage",
        "disks are swapped",
        "key:ann",
        Effect.TELL_NOBODY,
    )
    assert made().id != made().id


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"services": []}, "services: name at least one"),
        ({"services": ["a\nb"]}, "is no name"),
        ({"services": [f"s{number}" for number in range(1001)]}, "1001 are too many"),
        ({"reason": " \n"}, "reason: say why"),
        ({"reason": "x" * 501}, "at most 500"),
        ({"reason": "a\x1b[31mb"}, "that can be printed"),
        ({"severities": ["bad"]}, "there is no 'bad', choose from critical"),
        ({"metrics": ["cpu_usge"]}, "did you mean cpu_usage?"),
        ({"effect": "quiet"}, "choose from tell_nobody"),
        ({"effect": "do_not_judge", "severities": ["low"]}, "goes for all of a service"),
        ({"effect": "do_not_learn", "metrics": ["cpu_usage"]}, "goes for all of a service"),
        ({"ends_at": NOON}, "is over already"),
        ({"ends_at": NOON + HOUR, "starts_at": NOON + HOUR}, "must be after the start"),
        ({"ends_at": NOON + timedelta(days=367)}, "more than 366 days ahead"),
        ({"starts_at": NOON - timedelta(days=91)}, "more than 90 days ago"),
        ({"cron": "0 2 * * *"}, "cron and duration go together"),
        ({"duration": HOUR}, "cron and duration go together"),
        ({"cron": "0 2 * * *", "duration": MINUTE / 2}, "from a minute to 31 days"),
        ({"cron": "0 2 * *", "duration": HOUR}, "five fields are wanted"),
        ({"cron": "0 2 * * *", "duration": HOUR}, "never comes between"),
        ({"cron": "0 2 * * *", "duration": HOUR, "timezone": "Mars"}, "there is no such time zone"),
    ],
)
def test_what_cannot_be_is_refused_with_the_way_out(facts: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said.replace("?", r"\?")):
        made(**facts)


def test_it_is_extended_and_ended_and_then_stays_as_it_is(store: Store) -> None:
    store.silences.write([a_silence()])
    assert extend_silence(store.silences, "s1", NOON + 3 * HOUR, NOON).ends_at == NOON + 3 * HOUR
    assert [one.until for one in in_force(store, NOON + 2 * HOUR)] == [NOON + 3 * HOUR]
    ended = end_silence(store.silences, "s1", "key:bob", NOON + HOUR / 2)
    assert (ended.ends_at, ended.ended_by) == (NOON + HOUR / 2, "key:bob")
    assert in_force(store, NOON + HOUR / 2) == []
    assert store.silences.get("s1") == ended  # what it covered stays known
    for change in (
        lambda: end_silence(store.silences, "s1", "key:ann", NOON + HOUR),
        lambda: extend_silence(store.silences, "s1", NOON + 4 * HOUR, NOON + HOUR),
    ):
        with pytest.raises(ConflictError, match="was over at 2026-03-01T12:30:00Z by key:bob"):
            change()
    with pytest.raises(NotFoundError, match="observatory silences list"):
        end_silence(store.silences, "s2", "key:ann", NOON)


def test_one_that_had_not_begun_never_is_in_force(store: Store) -> None:
    store.silences.write([a_silence(starts_at=NOON + HOUR, ends_at=NOON + 2 * HOUR)])
    end_silence(store.silences, "s1", "key:ann", NOON)
    assert in_force(store, NOON + 1.5 * HOUR) == []


def test_a_service_stays_silenced_under_its_new_name(store: Store) -> None:
    store.register([Service("shop/cart")])
    store.silences.write([a_silence("shop/cart")])
    store.names.rename("shop/cart", "shop/basket", NOON)
    (one,) = in_force(store, NOON)
    assert one.silence.covers_service("shop/basket")


# -- of the settings --------------------------------------------------------------------------


def table(**facts: Any) -> SilenceSettings:
    known = {"services": "shop/*", "reason": "backup", "end": "2026-12-31T00:00:00Z"}
    return SilenceSettings.model_validate(known | facts)


def test_silences_of_the_settings_are_kept_once_and_end_with_their_table(store: Store) -> None:
    weekly = table(cron="0 2 * * sun", duration="2h", timezone="Europe/Berlin", by="ops")
    for minute in range(3):
        follow_settings(store, {"backup": weekly}, NOON + minute * MINUTE)
    (one,) = store.silences.read()
    assert (one.source, one.origin, one.created_by, one.starts_at) == ("settings", "backup", "ops", NOON)
    follow_settings(store, {"backup": table(reason="another")}, NOON + HOUR)
    assert sorted((one.reason, one.ended_by) for one in store.silences.read()) == [
        ("another", ""),
        ("backup", "settings"),
    ]
    follow_settings(store, {}, NOON + 2 * HOUR)
    assert in_force(store, NOON + 2 * HOUR) == []


def test_one_of_the_settings_that_was_ended_by_hand_stays_ended(store: Store) -> None:
    follow_settings(store, {"backup": table()}, NOON)
    (one,) = store.silences.read()
    end_silence(store.silences, one.id, "key:ann", NOON + HOUR)
    follow_settings(store, {"backup": table()}, NOON + 2 * HOUR)
    assert in_force(store, NOON + 2 * HOUR) == []


def test_those_of_people_are_left_alone(store: Store) -> None:
    store.silences.write([a_silence()])
    follow_settings(store, {}, NOON)
    assert store.silences.read() == [a_silence()]


def test_one_that_is_over_is_not_made(store: Store) -> None:
    follow_settings(store, {"backup": table(end="2026-01-01T00:00:00Z")}, NOON)
    assert store.silences.read() == []


def test_a_table_that_cannot_be_is_named_and_others_are_made(store: Store) -> None:
    tables = {"first": table(), "second": table(metrics="cpu"), "third": table()}
    with pytest.raises(InvalidInputError, match=r"\[silences.second\] metrics: there is no 'cpu'"):
        follow_settings(store, tables, NOON)
    assert {one.origin for one in store.silences.read()} == {"first", "third"}


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"end": "2026-12-31T00:00:00"}, "should have timezone info"),
        ({"services": ""}, "at least 1 item"),
        ({"cron": "0 2 * * sun"}, "cron and duration go together"),
        ({"cron": "0 2 * *", "duration": "2h"}, "five fields are wanted"),
        ({"cron": "0 2 * * *", "duration": "2 hours"}, "give a length of time"),
        ({"until": "2026-12-31T00:00:00Z"}, "Extra inputs"),
    ],
)
def test_a_table_that_cannot_be_understood_is_refused_when_settings_are_read(facts: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        table(**facts)


def test_a_later_silence_does_not_hide_that_an_earlier_one_lasts_longer(store: Store) -> None:
    store.silences.write([a_silence(ends_at=NOON + 5 * HOUR), replace(a_silence(), id="s2")])
    assert [one.silence.id for one in in_force(store, NOON)] == ["s1", "s2"]
