"""When a silence is in force: once, or each time that it comes again, also when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from support.silences import HOUR, a_silence

from observatory.annotations.occurrences import next_span, span_at, spans, state_at
from observatory.model import Silence

BERLIN = ZoneInfo("Europe/Berlin")
FIRST, YEAR = datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=365)


def nightly(cron: str = "30 1 * * *", hours: float = 2, **facts: object) -> Silence:
    known = {"starts_at": FIRST, "ends_at": FIRST + YEAR, "cron": cron, "duration": hours * HOUR}
    return a_silence(**known | {"timezone": "Europe/Berlin"} | facts)


def berlin(*moment: int, fold: int = 0) -> datetime:
    return datetime(*moment, tzinfo=BERLIN, fold=fold).astimezone(UTC)  # type: ignore[arg-type]


def test_once_it_lasts_from_its_start_to_its_end() -> None:
    once = a_silence()
    start, end = once.starts_at, once.ends_at
    assert [state_at(once, at) for at in (start - HOUR, start, end - HOUR / 60, end)] == [
        "pending",
        "active",
        "active",
        "ended",
    ]
    assert span_at(once, start) == (start, end)
    assert next_span(once, start - HOUR) == (start, end)
    assert spans(once, start - HOUR, start + HOUR / 2) == [(start, start + HOUR / 2)]
    assert spans(once, end, end + HOUR) == []


def test_it_comes_again_by_the_clock_of_its_time_zone() -> None:
    one = nightly()
    assert spans(one, berlin(2026, 2, 1), berlin(2026, 2, 3)) == [
        (berlin(2026, 2, 1, 1, 30), berlin(2026, 2, 1, 3, 30)),
        (berlin(2026, 2, 2, 1, 30), berlin(2026, 2, 2, 3, 30)),
    ]
    assert span_at(one, berlin(2026, 2, 1, 1, 29)) is None
    assert span_at(one, berlin(2026, 2, 1, 3, 29)) == (berlin(2026, 2, 1, 1, 30), berlin(2026, 2, 1, 3, 30))
    assert state_at(one, berlin(2026, 2, 1, 3, 30)) == "pending"
    assert next_span(one, berlin(2026, 2, 1, 3, 30)) == (berlin(2026, 2, 2, 1, 30), berlin(2026, 2, 2, 3, 30))


def test_it_comes_once_and_as_long_when_clocks_change() -> None:
    forward = spans(nightly("30 2 * * *"), berlin(2026, 3, 29), berlin(2026, 3, 30))  # 02:30 is skipped
    back = spans(nightly("30 2 * * *"), berlin(2026, 10, 25), berlin(2026, 10, 26))  # 02:30 comes twice
    assert forward == [(berlin(2026, 3, 29, 3, 0), berlin(2026, 3, 29, 5, 0))]
    assert back == [(berlin(2026, 10, 25, 2, 30), berlin(2026, 10, 25, 3, 30))]
    assert {until - since for since, until in (*forward, *back)} == {2 * HOUR}


def test_what_is_cut_by_its_start_or_its_end_is_shorter() -> None:
    one = nightly(starts_at=berlin(2026, 2, 1, 2), ends_at=berlin(2026, 2, 2, 2))
    assert spans(one, berlin(2026, 1, 1), berlin(2026, 3, 1)) == [
        (berlin(2026, 2, 1, 2), berlin(2026, 2, 1, 3, 30)),
        (berlin(2026, 2, 2, 1, 30), berlin(2026, 2, 2, 2)),
    ]
    assert span_at(one, berlin(2026, 2, 1, 2, 30)) == (berlin(2026, 2, 1, 2), berlin(2026, 2, 1, 3, 30))
    assert state_at(one, berlin(2026, 2, 2, 2)) == "ended"


def test_times_that_touch_are_one() -> None:
    always = nightly("0 * * * *", hours=1.5, timezone="UTC")
    assert spans(always, FIRST + HOUR, FIRST + 5 * HOUR) == [(FIRST + HOUR, FIRST + 5 * HOUR)]


def test_one_that_lasts_over_midnight_is_in_force_on_the_next_day() -> None:
    one = nightly("0 22 * * fri", hours=56)
    assert span_at(one, berlin(2026, 2, 8, 12)) == (berlin(2026, 2, 6, 22), berlin(2026, 2, 9, 6))
    assert state_at(one, berlin(2026, 2, 9, 6)) == "pending"
