"""Due times are those that cron, or a clock that counts from 1970, would give."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observatory.config.cadence import Cadence
from observatory.errors import InvalidInputError

SUNDAY = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


def at(*words: int) -> datetime:
    return datetime(2026, *words, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "last", "following"),
    [
        ({"every": "90s"}, at(3, 1, 12), SUNDAY + timedelta(seconds=60)),
        ({"every": "1d"}, at(3, 1), at(3, 2)),
        ({"cron": "15 * * * *"}, at(3, 1, 11, 15), at(3, 1, 12, 15)),
        ({"cron": "*/20 8-18 * * *"}, at(3, 1, 12), at(3, 1, 12, 20)),
        ({"cron": "0 6 * * 1-5"}, at(2, 27, 6), at(3, 2, 6)),
        ({"cron": "0 6 * * 0"}, at(3, 1, 6), at(3, 8, 6)),
        ({"cron": "0 6 * * 7"}, at(3, 1, 6), at(3, 8, 6)),
        ({"cron": "0 6 * * fri-mon"}, at(3, 1, 6), at(3, 2, 6)),
        ({"cron": "0 6 * * Sat-Sun"}, at(3, 1, 6), at(3, 7, 6)),
        ({"cron": "0 6 * * 5-7,tue"}, at(3, 1, 6), at(3, 3, 6)),
        ({"cron": "0 6 * * 6-1"}, at(3, 1, 6), at(3, 2, 6)),
        ({"cron": "0 6 5 * mon"}, at(2, 23, 6), at(3, 2, 6)),  # either, as cron has it
        ({"cron": "0 6 L * *"}, at(2, 28, 6), at(3, 31, 6)),
        ({"cron": "0 6 1 * *", "timezone": "Europe/Berlin"}, at(3, 1, 5), at(4, 1, 4)),
    ],
    ids=lambda value: " ".join(value.values()) if isinstance(value, dict) else "",
)
def test_the_last_and_the_next_time_are_known(words: dict[str, str], last: datetime, following: datetime) -> None:
    cadence = Cadence(**words)
    assert cadence.before(SUNDAY) == last
    assert cadence.after(SUNDAY) == following
    assert cadence.before(following) == following
    assert list(cadence.between(last, following)) == [following]


def test_a_leap_day_is_found_years_away() -> None:
    cadence = Cadence(cron="0 0 29 2 *")
    assert cadence.before(SUNDAY) == datetime(2024, 2, 29, tzinfo=UTC)
    assert cadence.after(SUNDAY) == datetime(2028, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({}, "give either cron or every"),
        ({"cron": "* * * * *", "every": "1h"}, "give either cron or every"),
        ({"cron": "1 2 3"}, "five fields are wanted"),
        ({"cron": "0 1 2 3 4 5"}, "five fields are wanted .*, 6 are given"),
        ({"cron": "61 * * * *"}, "cron = '61 .*: minute cannot be '61': give 0 to 59"),
        ({"cron": "0 9-5 * * *"}, "hour cannot be '9-5': give 0 to 23"),
        ({"cron": "0 0 * * 8"}, "day-of-week cannot be '8': give 0 to 7, both ends being Sunday"),
        ({"cron": "0 0 * * fri-noon"}, "day-of-week cannot be 'fri-noon'"),
        ({"cron": "0 0 31 2 *"}, "day-of-month cannot be '31': give 1 to 31 in a month that has it"),
        ({"cron": "0 0 * * *", "timezone": "Mars/Olympus"}, "timezone = 'Mars/Olympus': there is no such time zone"),
        ({"cron": "0 0 * * *", "timezone": "/etc/passwd"}, "timezone = '/etc/passwd'"),
        ({"cron": "0 0 * * *", "timezone": "America"}, "timezone = 'America'"),
        ({"every": "soon"}, "every = 'soon'"),
        ({"every": "0.5s"}, "must be a second or longer"),
    ],
)
def test_what_cannot_be_understood_is_refused(words: dict[str, str], complaint: str) -> None:
    with pytest.raises(InvalidInputError, match=complaint):
        Cadence(**words)


# -- when clocks change -----------------------------------------------------------------------

CHANGES = [
    ("Europe/Berlin", date(2026, 3, 29)),  # from 02:00 to 03:00
    ("Europe/Berlin", date(2026, 10, 25)),  # from 03:00 to 02:00
    ("America/Santiago", date(2026, 9, 6)),  # from 00:00 to 01:00
    ("America/Santiago", date(2026, 4, 5)),  # from 24:00 the day before to 23:00
    ("Australia/Lord_Howe", date(2026, 10, 4)),  # from 02:00 to 02:30
    ("Australia/Lord_Howe", date(2026, 4, 5)),  # from 02:00 to 01:30
]
HALF_HOURS = [f"{minute} {hour} * * *" for hour in (0, 1, 2, 3, 22, 23) for minute in (0, 30)]
OTHERS = ["*/30 2 * * *", "15 * * * *", "*/20 0-3 * * *", "0,30 2,3 * * 6-1", "7 */2 1 * 5"]


@pytest.mark.parametrize(("zone", "day"), CHANGES, ids=str)
@pytest.mark.parametrize("cron", HALF_HOURS)
def test_a_daily_job_runs_once_each_local_day(zone: str, day: date, cron: str) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone))
    dues = Cadence(cron, timezone=zone).between(noon - timedelta(days=3), noon + timedelta(days=3))
    days = [due.astimezone(ZoneInfo(zone)).date() for due in dues]
    assert days == [days[0] + timedelta(days=number) for number in range(6)]


@pytest.mark.parametrize(
    ("cron", "zone", "start", "dues"),
    [
        ("30 2 * * *", "Europe/Berlin", at(3, 28, 12), ["2026-03-29 03:00+02:00", "2026-03-30 02:30+02:00"]),
        ("30 2 * * *", "Europe/Berlin", at(10, 24, 12), ["2026-10-25 02:30+02:00", "2026-10-26 02:30+01:00"]),
        ("30 2 * * *", "Europe/Berlin", at(10, 25, 1, 15), ["2026-10-26 02:30+01:00"]),  # 02:15 for the second time
        ("0 0 * * *", "America/Santiago", at(9, 5, 12), ["2026-09-06 01:00-03:00", "2026-09-07 00:00-03:00"]),
        ("30 23 * * *", "America/Santiago", at(4, 4, 12), ["2026-04-04 23:30-03:00", "2026-04-05 23:30-04:00"]),
        ("*/30 2 * * *", "Europe/Berlin", at(10, 24, 23, 59), ["2026-10-25 02:00+02:00", "2026-10-25 02:30+02:00"]),
        ("15 * * * *", "Europe/Berlin", at(10, 25, 0), ["2026-10-25 02:15+02:00", "2026-10-25 02:15+01:00"]),
        ("15 * * * *", "Europe/Berlin", at(3, 29, 0), ["2026-03-29 01:15+01:00", "2026-03-29 03:15+02:00"]),
    ],
)
def test_due_times_around_a_change_of_clocks(cron: str, zone: str, start: datetime, dues: list[str]) -> None:
    found = islice(Cadence(cron, timezone=zone).between(start, start + timedelta(days=9)), len(dues))
    assert [due.astimezone(ZoneInfo(zone)).isoformat(" ", "minutes") for due in found] == dues


@pytest.mark.slow
@given(
    cron=st.sampled_from([*HALF_HOURS, *OTHERS]),
    change=st.sampled_from(CHANGES),
    minutes=st.integers(-4000, 4000),
)
def test_due_times_are_the_same_however_they_are_asked_for(cron: str, change: tuple[str, date], minutes: int) -> None:
    zone, day = change
    cadence = Cadence(cron, timezone=zone)
    start = datetime(day.year, day.month, day.day, 2, tzinfo=UTC) + timedelta(minutes=minutes)
    dues = list(cadence.between(start, start + timedelta(days=3)))
    for earlier, later in pairwise([start, *dues]):
        assert earlier < later
        assert cadence.after(earlier) == later
        assert cadence.before(later) == later
        assert cadence.before(later - timedelta(seconds=1)) == (earlier if earlier != start else cadence.before(start))
