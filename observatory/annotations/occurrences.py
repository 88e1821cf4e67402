"""When a silence is in force: from beginning to end, or each time that it comes again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from observatory.config.cadence import Cadence
from observatory.model import Silence, Span

SilenceState = Literal["active", "pending", "ended"]
"""`pending` is what will begin, or begin again."""


def cadence_of(silence: Silence) -> Cadence:
    """When one that comes again begins."""
    return Cadence(silence.cron, timezone=silence.timezone)


def span_at(silence: Silence, now: datetime) -> Span | None:
    """Since when and until when it is in force now; None where it is not."""
    if not silence.starts_at <= now < silence.ends_at:
        return None
    if silence.duration is None:
        return silence.starts_at, silence.ends_at
    began = cadence_of(silence).before(now)
    if began is None or now >= began + silence.duration:
        return None
    return _clipped(began, silence.duration, silence)


def state_at(silence: Silence, now: datetime) -> SilenceState:
    """Whether it is in force, will be, or is over for good."""
    if span_at(silence, now) is not None:
        return "active"
    return "pending" if next_span(silence, now) is not None else "ended"


def next_span(silence: Silence, now: datetime) -> Span | None:
    """When it begins after `now`, and how long it lasts then; None where it does not begin any more."""
    if now >= silence.ends_at:
        return None
    if silence.duration is None:
        return (silence.starts_at, silence.ends_at) if silence.starts_at > now else None
    begins = cadence_of(silence).after(max(now, silence.starts_at - timedelta(seconds=1)))
    return None if begins is None or begins >= silence.ends_at else _clipped(begins, silence.duration, silence)


def spans(silence: Silence, start: datetime, end: datetime) -> list[Span]:
    """When it was in force between two times, in order; those that touch are one."""
    first, last = max(start, silence.starts_at), min(end, silence.ends_at)
    if first >= last:
        return []
    if silence.duration is None:
        return [(first, last)]
    found: list[Span] = []
    for begins in cadence_of(silence).between(first - silence.duration, last):
        begin, over = max(begins, first), min(begins + silence.duration, last)
        if begin >= over:
            continue
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(over, found[-1][1])
        else:
            found.append((begin, over))
    return found


def _clipped(begins: datetime, lasts: timedelta, silence: Silence) -> Span:
    return max(begins, silence.starts_at), min(begins + lasts, silence.ends_at)
