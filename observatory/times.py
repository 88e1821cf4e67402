"""Points in time and durations as people and programs write them: RFC 3339, ``now``, ``-24h``, ``90s``, epochs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from observatory.errors import InvalidInputError

TIME = "%Y-%m-%d %H:%M"
"""How tables show a time: `format` spec of a datetime."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_PLACE = re.compile(r"\{([^{}]*)\}")
_MOMENT = re.compile(r"now(?:\s*([+-])\s*(.+))?")
_EPOCH = re.compile(r"(\d{9,10})|(\d{12,13})")
"""Seconds, or milliseconds as Grafana has them, from 1973 to 2286: the number of digits tells them apart. Of any other
number of digits it may be a date without dashes, or a mistake."""
_OLDEST, _LONGEST = datetime(1970, 1, 1, tzinfo=UTC), timedelta(days=36525)


def utc_now() -> datetime:
    """The clock, unless a test brings its own."""
    return datetime.now(UTC)


def parse_duration(text: str, name: str = "duration") -> timedelta:
    """A length of time: ``90s``, ``5m``, ``24h``, ``30d``, ``2w``; ``name`` is used in messages.

    >>> parse_duration("1.5h")
    datetime.timedelta(seconds=5400)
    """
    found = _DURATION.fullmatch(text.strip())
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not 0 < seconds <= _LONGEST.total_seconds():
        raise InvalidInputError(f"{name} = {text!r}: give a length of time such as 90s, 5m, 24h, 30d or 2w")
    return timedelta(seconds=seconds)


def parse_time(text: str, now: datetime, name: str = "time") -> datetime:
    """A point in time, in UTC: RFC 3339 with its zone, ``now``, relative to `now` (``-24h``, ``30d``), or an epoch.

    An epoch of 12 or 13 digits is in milliseconds, one of 9 or 10 in seconds.

    >>> parse_time("-24h", datetime(2026, 1, 2, tzinfo=UTC))
    datetime.datetime(2026, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
    >>> parse_time("1767225600000", datetime(2026, 1, 2, tzinfo=UTC))
    datetime.datetime(2026, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)

    Raises
    ------
    InvalidInputError
        Naming `name`, the text and what is understood.
    """
    text = text.strip()
    if text == "now":
        return now
    if _DURATION.fullmatch(text.removeprefix("-")):
        return max(_OLDEST, now - parse_duration(text.removeprefix("-"), name))
    epoch = _EPOCH.fullmatch(text) if text.isascii() else None
    if epoch:
        return _OLDEST + (timedelta(seconds=int(epoch[1])) if epoch[1] else timedelta(milliseconds=int(epoch[2])))
    try:
        time = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None or not _OLDEST.year <= time.year < 9999:
        raise InvalidInputError(
            f"{name} = {text!r}: give RFC 3339 with its zone (2026-01-31T08:00:00Z), now, a time ago (-24h), or "
            "seconds or milliseconds since 1970 (1769846400, 1769846400000)"
        ) from None
    return time.astimezone(UTC)


def parse_zone(text: str, name: str = "time zone") -> ZoneInfo:
    """A time zone by its name, such as ``Europe/Berlin``; raises InvalidInputError, naming `name` and the text."""
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # also of a path, or of a folder of zones
        raise InvalidInputError(
            f"{name} = {text!r}: there is no such time zone, give one such as UTC or Europe/Berlin"
        ) from None


def rfc3339(time: datetime) -> str:
    """A point in time as RFC 3339, in UTC and ending in ``Z``.

    >>> rfc3339(datetime(2026, 1, 2, 12, tzinfo=UTC))
    '2026-01-02T12:00:00Z'
    """
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def whole_minutes(first: datetime, last: datetime) -> int:
    """Minutes from `first` to `last`, both counted: what was seen at a single moment lasted one."""
    return round((last - first).total_seconds() / 60) + 1


def floor_to(time: datetime, step: float) -> datetime:
    """`time` rounded down to a multiple of `step` seconds since the epoch."""
    seconds = time.timestamp() // step * step
    return datetime.fromtimestamp(seconds, UTC)


def resolve_times(text: str, now: datetime) -> str:
    """`text` with ``{now}``, ``{now-1h}`` and ``{now+30m}`` as RFC 3339.

    >>> resolve_times("{now-1h}", datetime(2026, 1, 2, tzinfo=UTC))
    '2026-01-01T23:00:00Z'

    Raises
    ------
    InvalidInputError
        Something else stands in braces.
    """

    def moment(place: re.Match[str]) -> str:
        found = _MOMENT.fullmatch(place[1].strip())
        if found is None:
            raise InvalidInputError(f"{place[0]} in {text!r}: give {{now}}, or a time from it such as {{now-1h}}")
        away = parse_duration(found[2], place[0]) if found[1] else timedelta(0)
        time = now - away if found[1] == "-" else now + away
        return rfc3339(time.replace(microsecond=0))

    return _PLACE.sub(moment, text)
