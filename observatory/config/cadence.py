"""When a job is due: a cron expression, or every so often. Both are the same for whoever reads the same words."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from observatory.errors import InvalidInputError
from observatory.times import parse_duration

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LONGEST = timedelta(days=4 * 366)
"""Even the 29th of February comes around in this time."""


@dataclass(frozen=True)
class Cadence:
    """Due times: `cron` (minute, hour, day, month, day of the week) in `timezone`, or every `every` since 1970.

    Raises
    ------
    InvalidInputError
        Neither or both are given, or one cannot be understood.
    """

    cron: str = ""
    every: str = ""
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        if bool(self.cron) == bool(self.every):
            raise InvalidInputError("give either cron or every")
        _ = self.trigger

    def __str__(self) -> str:
        zone = "" if self.timezone == "UTC" else f" {self.timezone}"
        return f"every {self.every}" if self.every else f"{self.cron}{zone}"

    @cached_property
    def trigger(self) -> Any:
        """APScheduler's trigger."""
        from apscheduler.triggers.cron import CronTrigger
        from apscheduler.triggers.interval import IntervalTrigger

        if self.every:
            seconds = parse_duration(self.every, "every").total_seconds()
            if seconds < 1:
                raise InvalidInputError(f"every = {self.every!r}: must be a second or longer")
            return IntervalTrigger(seconds=seconds, start_date=EPOCH, timezone=UTC)
        try:
            return CronTrigger.from_crontab(_named_days(self.cron), ZoneInfo(self.timezone))
        except (KeyError, ValueError, OSError) as error:
            what = "timezone" if isinstance(error, KeyError | OSError) else "cron"
            value = self.timezone if what == "timezone" else self.cron
            raise InvalidInputError(f"{what} = {value!r}: {error}") from None

    def after(self, time: datetime) -> datetime | None:
        """The first due time after `time`; None where there is none."""
        found: datetime | None = self.trigger.get_next_fire_time(None, time + timedelta(microseconds=1))
        return found.astimezone(UTC) if found else None

    def between(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Due times after `start`, up to and including `end`, the oldest first."""
        due = self.after(start)
        while due is not None and due <= end:
            yield due
            due = self.after(due)

    def before(self, time: datetime) -> datetime | None:
        """The last due time at or before `time`; None where there is none."""
        reach = timedelta(minutes=1)
        while reach < 2 * LONGEST:
            found = deque(self.between(time - reach, time), maxlen=1)
            if found:
                return found[0]
            reach *= 4
        return None


def _named_days(cron: str) -> str:
    """Days of the week by name: cron counts from Sunday, which is 0 and 7, and APScheduler from Monday.

    Raises
    ------
    ValueError
        There are not five fields, or both kinds of day are restricted: cron takes either, APScheduler wants both.
    """
    fields = cron.split()
    if len(fields) != 5:
        raise ValueError(f"five fields are wanted (minute, hour, day, month, day of the week), {len(fields)} are given")
    if "*" not in (fields[2], fields[4]):
        raise ValueError("give a day of the month or a day of the week, not both")
    fields[4] = ",".join(_named_range(part.lower()) for part in fields[4].split(","))
    return " ".join(fields)


def _named_range(part: str) -> str:
    """``1-5`` as ``mon,tue,wed,thu,fri``; a range may run over the end of the week."""
    if re.search(r"(?<!/)\b[89]\b", part):
        raise ValueError(f"{part} is no day of the week: they are 0 to 7, both ends being Sunday, or sun to sat")
    names = re.sub(r"(?<![/\d])\d", lambda number: DAYS[int(number[0]) % 7], part)
    bounds = re.fullmatch(r"([a-z]{3})-([a-z]{3})", names)
    if bounds is None:
        return names
    first, last = DAYS.index(bounds[1]), DAYS.index(bounds[2])
    return ",".join(DAYS[i % 7] for i in range(first, last + (1 if first <= last else 8)))
