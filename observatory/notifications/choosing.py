"""Which destination is told of what, and when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from observatory.config.notify import NotifySettings
from observatory.model import EventKind, Incident, Severity, covers
from observatory.times import parse_zone


def is_wanted(
    settings: NotifySettings,
    on: Sequence[EventKind],
    incident: Incident,
    services: Sequence[str],
    kind: EventKind,
) -> bool:
    """Whether a destination is told of a transition of an incident.

    Once an incident has been as severe as it asks for it hears of all that follows: who was told that something
    opened must be told that it ended.

    Parameters
    ----------
    settings
        Of the destination.
    on
        The kinds of transitions it is told of.
    incident, kind
        What happened to which incident.
    services
        Those that the incident is about; of one that was merged, those of the other.
    """
    if not settings.enabled or kind not in on:
        return False
    if incident.peak.rank > Severity(settings.severity).rank:
        return False
    return not settings.services or any(covers(pattern, name) for pattern in settings.services for name in services)


def quiet_until(settings: NotifySettings, severity: Severity, now: datetime) -> datetime | None:
    """When the quiet hours end that hold back a message of this severity; None: it may go out now.

    Examples
    --------
    >>> from datetime import UTC
    >>> settings = NotifySettings(quiet_hours="22:00-07:00", timezone="Europe/Berlin")
    >>> quiet_until(settings, Severity.HIGH, datetime(2026, 3, 1, 23, tzinfo=UTC))
    datetime.datetime(2026, 3, 2, 6, 0, tzinfo=datetime.timezone.utc)
    >>> quiet_until(settings, Severity.CRITICAL, datetime(2026, 3, 1, 23, tzinfo=UTC))
    """
    if settings.quiet is None:
        return None
    if settings.urgent != "none" and severity.rank <= Severity(settings.urgent).rank:
        return None
    first, last = settings.quiet
    local = now.astimezone(parse_zone(settings.timezone))
    clock = local.time()
    inside = first <= clock < last if first < last else clock >= first or clock < last
    if not inside:
        return None
    end = local.replace(hour=last.hour, minute=last.minute, second=0, microsecond=0)
    if end <= local:
        end = (local + timedelta(days=1)).replace(hour=last.hour, minute=last.minute, second=0, microsecond=0)
    return end.astimezone(now.tzinfo)
