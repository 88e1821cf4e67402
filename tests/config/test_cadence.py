"""Due times are those that cron, or a clock that counts from 1970, would give."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

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


def test_a_day_that_never_comes_is_never_due() -> None:
    assert Cadence(cron="0 0 31 2 *").after(SUNDAY) is None
    assert Cadence(cron="0 0 31 2 *").before(SUNDAY) is None


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({}, "give either cron or every"),
        ({"cron": "* * * * *", "every": "1h"}, "give either cron or every"),
        ({"cron": "1 2 3"}, "five fields are wanted"),
        ({"cron": "61 * * * *"}, "cron = '61 .*higher than the maximum"),
        ({"cron": "0 0 1 * 1"}, "not both"),
        ({"cron": "0 0 * * 8"}, "8 is no day of the week"),
        ({"cron": "0 0 * * *", "timezone": "Mars/Olympus"}, "timezone = 'Mars/Olympus'"),
        ({"every": "soon"}, "every = 'soon'"),
        ({"every": "0.5s"}, "must be a second or longer"),
    ],
)
def test_what_cannot_be_understood_is_refused(words: dict[str, str], complaint: str) -> None:
    with pytest.raises(InvalidInputError, match=complaint):
        Cadence(**words)
