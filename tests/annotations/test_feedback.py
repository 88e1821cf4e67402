"""A verdict is kept with the span it is about, or refused with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from observatory.annotations.feedback import give_feedback
from observatory.errors import InvalidInputError, NotFoundError, UnknownServiceError
from observatory.model import Anomaly, Service, Severity, Verdict
from observatory.store import Store, open_store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def anomaly(detector: str, start: datetime) -> Anomaly:
    return Anomaly("shop/cart", start, start + 10 * MINUTE, start, False, Severity.LOW, 1.2, detector, "m", ())


@pytest.fixture(scope="module")
def kept() -> Iterator[Store]:
    with open_store(":memory:") as opened:
        opened.register([Service("shop/cart")])
        opened.write_anomalies([anomaly("one", NOW - 60 * MINUTE), anomaly("two", NOW - 55 * MINUTE)])
        yield opened


def test_any_moment_names_the_anomaly(kept: Store) -> None:
    given = give_feedback(kept, "shop/cart", Verdict.RIGHT, NOW - 58 * MINUTE, NOW, note="outage")
    assert (given.started_at, given.ended_at) == (NOW - 60 * MINUTE, NOW - 50 * MINUTE)
    assert (given.detector, given.note, given.given_at) == ("one", "outage", NOW)
    assert given in kept.feedback.read()


def test_a_later_verdict_replaces_the_earlier_one_on_the_same_anomaly(kept: Store) -> None:
    for verdict in (Verdict.RIGHT, Verdict.FALSE_ALARM):
        give_feedback(kept, "shop/cart", verdict, NOW - 47 * MINUTE, NOW)
    (given,) = [one for one in kept.feedback.read() if one.detector == "two"]
    assert given.verdict is Verdict.FALSE_ALARM


def test_a_detector_must_be_named_where_several_have_an_anomaly(kept: Store) -> None:
    with pytest.raises(InvalidInputError, match="several have an anomaly of shop/cart then, name one: one, two"):
        give_feedback(kept, "shop/cart", Verdict.RIGHT, NOW - 52 * MINUTE, NOW)
    given = give_feedback(kept, "shop/cart", Verdict.RIGHT, NOW - 52 * MINUTE, NOW, detector="two")
    assert given.detector == "two"


def test_a_missed_span_has_bounds_of_its_own(kept: Store) -> None:
    start, end = NOW - 300 * MINUTE, NOW - 280 * MINUTE
    given = give_feedback(kept, "shop/cart", Verdict.MISSED, start, NOW, ended_at=end)
    assert (given.started_at, given.ended_at, given.detector) == (start, end, "")
    assert kept.feedback.read(start=NOW - 290 * MINUTE, end=NOW - 285 * MINUTE, services=["shop/cart"]) == [given]
    assert kept.feedback.read(end=NOW - 301 * MINUTE) == []
    assert kept.feedback.read(services=["shop/other"]) == []


@pytest.mark.parametrize(
    ("verdict", "at", "more", "error", "message"),
    [
        (Verdict.RIGHT, NOW - 400 * MINUTE, {}, NotFoundError, "no anomaly of shop/cart at 2026-03-01T05:20"),
        (Verdict.RIGHT, NOW - 58 * MINUTE, {"detector": "six"}, NotFoundError, "no anomaly of six of shop/cart"),
        (Verdict.RIGHT, NOW - 58 * MINUTE, {"ended_at": NOW}, InvalidInputError, "an anomaly has an end of its own"),
        (Verdict.MISSED, NOW, {}, InvalidInputError, "a missed span needs an end"),
        (Verdict.MISSED, NOW, {"ended_at": NOW - MINUTE}, InvalidInputError, "not before its start"),
        (Verdict.MISSED, NOW + MINUTE, {"ended_at": NOW + MINUTE}, InvalidInputError, "lies in the future"),
        (Verdict.MISSED, NOW, {"ended_at": NOW, "detector": "one"}, InvalidInputError, "is no detector's"),
    ],
)
def test_what_makes_no_sense_is_refused(
    kept: Store, verdict: Verdict, at: datetime, more: dict, error: type, message: str
) -> None:
    before = kept.feedback.read()
    with pytest.raises(error, match=message):
        give_feedback(kept, "shop/cart", verdict, at, NOW, **more)
    assert kept.feedback.read() == before


def test_an_unknown_service_is_named(kept: Store) -> None:
    with pytest.raises(UnknownServiceError, match="did you mean shop/cart"):
        give_feedback(kept, "shop/kart", Verdict.RIGHT, NOW, NOW)
