"""Times, lengths of time and names as people say them."""

from __future__ import annotations

from datetime import datetime

from observatory.model import Anomaly


def span(seconds: float) -> str:
    """``"45 s"``, ``"12 min"``, ``"3 h 20 min"``, ``"2 d 4 h"``."""
    whole = max(0, round(seconds))
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def lasting(anomaly: Anomaly, now: datetime) -> str:
    """``"ongoing for 12 min"``, ``"lasted 3 h"``, ``"a single sample"``."""
    if anomaly.is_open:
        return f"ongoing for {span((now - anomaly.started_at).total_seconds())}"
    seconds = (anomaly.ended_at - anomaly.started_at).total_seconds()
    return f"lasted {span(seconds)}" if seconds > 0 else "a single sample"


def in_words(length: str) -> str:
    """``"24h"`` as ``"24 hours"``."""
    number, unit = int(length[:-1]), {"h": "hour", "d": "day"}[length[-1]]
    return plural(number, unit) if number > 1 else unit


def when(time: datetime, now: datetime) -> str:
    """Time of the day in UTC, with the date unless it is today's."""
    return f"{time:%H:%M} UTC" if time.date() == now.date() else f"{time:%b} {time.day}, {time:%H:%M} UTC"


def plural(number: int, thing: str, things: str = "") -> str:
    """``"1 service"``, ``"3 services"``."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def brief(value: float | None, unit: str) -> tuple[str, str]:
    """A value [`unit`] in four characters or so, and what it is then in, for where many are compared at a glance."""
    if value is None:
        return "–", ""
    if unit == "s":
        value, unit = (value * 1e3, "ms") if abs(value) < 0.9995 else (value, "s")
    elif unit == "ratio":
        value, unit = value * 100, "%"
    size = abs(value)
    if 0 < size < 0.005:
        return "<0.01", unit
    if size >= 9_999.5:
        return f"{value / 1000:,.{0 if size >= 99_950 else 1}f}k", unit
    digits = 0 if size == 0 or size >= 99.95 else 1 if size >= 9.995 else 2
    return f"{value:.{digits}f}", unit


def split_name(service: str) -> tuple[str, str]:
    """Namespace (or nothing) and name."""
    namespace, _, name = service.rpartition("/")
    return namespace, name
