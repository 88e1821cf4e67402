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


def split_name(service: str) -> tuple[str, str]:
    """Namespace (or nothing) and name."""
    namespace, _, name = service.rpartition("/")
    return namespace, name


def sentence(anomaly: Anomaly) -> str:
    """Its message without the service in front, for where that is said already."""
    return anomaly.message.removeprefix(f"{anomaly.service_name}: ")
