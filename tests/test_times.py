"""Times are read as people write them, and refused with a way out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from observatory.errors import InvalidInputError
from observatory.times import floor_to, parse_duration, parse_time, resolve_times, rfc3339, whole_minutes

NOW = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW),
        ("-24h", NOW - timedelta(hours=24)),
        ("30d", NOW - timedelta(days=30)),
        ("2026-01-31T08:00:00Z", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31T08:00:00+02:00", datetime(2026, 1, 31, 6, tzinfo=UTC)),
        ("2026-01-31T08:00:00 02:00", datetime(2026, 1, 31, 6, tzinfo=UTC)),  # a + that a URL made a space
        ("1769846400", datetime(2026, 1, 31, 8, tzinfo=UTC)),  # seconds
        ("1769846400250", datetime(2026, 1, 31, 8, 0, 0, 250_000, tzinfo=UTC)),  # milliseconds, as Grafana has them
        ("100000000000", datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)),  # the first that are milliseconds
        ("5000w", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_times_are_read(text: str, expected: datetime) -> None:
    assert parse_time(text, NOW) == expected


@pytest.mark.parametrize(
    "text",
    ["20260131", "20260131080000", "17698464001", "1769846400.5", "-1769846400", "\u0661769846400"],
)
def test_digits_that_could_be_something_else_are_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="milliseconds since 1970"):
        parse_time(text, NOW, "start")


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-01-31", "2026-01-31T08:00:00", "-24", "-0h", "1e9h", "99999w", "0001-01-01T00:00:00Z"],
)
def test_a_malformed_time_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInputError, match="start = "):
        parse_time(text, NOW, "start")


@pytest.mark.parametrize("text", ["", "5", "h", "-5m", "0s", "5 parsecs"])
def test_a_malformed_duration_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInputError, match="step = "):
        parse_duration(text, "step")


def test_a_time_is_written_in_utc_with_what_it_has_of_a_second() -> None:
    berlin = timezone(timedelta(hours=1))
    assert rfc3339(datetime(2026, 3, 1, 13, 0, 30, 500_000, berlin)) == "2026-03-01T12:00:30.500000Z"


def test_what_was_seen_at_a_single_moment_lasted_a_minute() -> None:
    assert whole_minutes(NOW, NOW) == 1
    assert whole_minutes(NOW, NOW + timedelta(seconds=150)) == 3


def test_floor_to_aligns_with_the_epoch() -> None:
    assert floor_to(NOW, 60) == datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    assert floor_to(NOW, 0.5) == NOW


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("{now}", "2026-03-01T12:00:00Z"),
        ("{ now - 90m }", "2026-03-01T10:30:00Z"),
        ("from {now-1d} to {now+1h}", "from 2026-02-28T12:00:00Z to 2026-03-01T13:00:00Z"),
        ("as it is", "as it is"),
    ],
)
def test_times_in_braces_are_resolved(text: str, meant: str) -> None:
    assert resolve_times(text, datetime(2026, 3, 1, 12, tzinfo=UTC)) == meant


@pytest.mark.parametrize("text", ["{then}", "{now-}", "{now-1y}", "{}"])
def test_something_else_in_braces_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"\{.*\}"):
        resolve_times(text, datetime(2026, 3, 1, 12, tzinfo=UTC))
