"""What people say about a silence, made into a draft: times as they write them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from observatory.annotations.silences import Draft
from observatory.errors import InvalidInputError
from observatory.model import Effect
from observatory.times import parse_duration, parse_time


def parse_draft(
    services: Sequence[str],
    reason: str,
    now: datetime,
    *,
    start: str = "now",
    end: str = "",
    lasts: str = "",
    cron: str = "",
    duration: str = "",
    timezone: str = "UTC",
    severities: Sequence[str] = (),
    metrics: Sequence[str] = (),
    effect: str = Effect.TELL_NOBODY,
) -> Draft:
    """A draft of what somebody said; raises InvalidInputError.

    `start` and `end` are as `parse_time` has them, `lasts` and `duration` as `parse_duration` has them. Either `end` or
    `lasts` tells when it is over for good; `duration` is how long one that comes again lasts each time.
    """
    begins = parse_moment(start, now, "start")
    if bool(end) == bool(lasts):
        raise InvalidInputError("end: say until when it lasts, or for how long: a silence always has an end")
    ends = parse_moment(end, now, "end") if end else max(begins, now) + parse_duration(lasts, "lasts")
    length: timedelta | None = parse_duration(duration, "duration") if duration else None
    return Draft(services, reason, begins, ends, severities, metrics, effect, cron, length, timezone)


def parse_moment(text: str, now: datetime, name: str) -> datetime:
    """A point in time as `parse_time` has it, or one to come: ``+2h``. Raises InvalidInputError."""
    if text.startswith("+"):
        return now + parse_duration(text[1:], name)
    try:
        return parse_time(text, now, name)
    except InvalidInputError as error:
        raise InvalidInputError(f"{error}, or one to come (+2h)") from None
