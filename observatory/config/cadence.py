"""When a job is due: a cron expression, or every so often. Both are the same for whoever reads the same words."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from observatory.errors import InvalidInputError
from observatory.times import parse_duration, parse_zone

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST = timedelta(days=4 * 366)
"""Even the 29th of February comes around in this time."""
FIELDS = {
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day-of-month": "1 to 31 in a month that has it, or L for the last",
    "month": "1 to 12, or jan to dec",
    "day-of-week": "0 to 7, both ends being Sunday, or sun to sat",
}
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True)
class Cadence:
    """Due times: `cron` (minute, hour, day, month, day of the week) in `timezone`, or every `every` since 1970.

    Cron is that of Debian. A job at a set time runs once each day, also when clocks change: a time that is skipped is
    due when the clocks have moved on, and of one that comes twice the first counts. ``*`` in minute or hour goes on
    in real time.

    Raises
    ------
    InvalidInputError
        Neither or both are given, or one cannot be understood.

    Examples
    --------
    >>> Cadence("30 6 * * mon-fri", timezone="Europe/Berlin").after(datetime(2026, 3, 1, tzinfo=UTC))
    datetime.datetime(2026, 3, 2, 5, 30, tzinfo=datetime.timezone.utc)
    """

    cron: str = ""
    every: str = ""
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        if bool(self.cron) == bool(self.every):
            raise InvalidInputError("give either cron or every")
        if self.every:
            _ = self._length
        else:
            _require_cron(self.cron)
            _ = self._zone

    def __str__(self) -> str:
        zone = "" if self.timezone == "UTC" else f" {self.timezone}"
        return f"every {self.every}" if self.every else f"{self.cron}{zone}"

    def after(self, time: datetime) -> datetime | None:
        """The first due time after `time`; None where there is none."""
        return next(self._all_after(time), None)

    def between(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Due times after `start`, up to and including `end`, the oldest first."""
        for due in self._all_after(start):
            if due > end:
                return
            yield due

    def before(self, time: datetime) -> datetime | None:
        """The last due time at or before `time`; None where there is none."""
        if self.every:
            return EPOCH + (time - EPOCH) // self._length * self._length
        reach = timedelta(minutes=1)
        while reach < 2 * LONGEST:  # looked for forwards, so that no time is found that `between` does not have
            found = deque(self.between(time - reach, time), maxlen=1)
            if found:
                return found[0]
            reach *= 4
        return None

    def _all_after(self, time: datetime) -> Iterator[datetime]:
        if self.every:
            due = EPOCH + (time - EPOCH) // self._length * self._length
            while True:
                due += self._length
                yield due
        for local in CronSim(_unwrapped(self.cron), time.astimezone(self._zone)):
            due = local.astimezone(UTC)
            if due > time:  # in an hour that comes twice, the first is over in the second
                yield due

    @cached_property
    def _length(self) -> timedelta:
        length = parse_duration(self.every, "every")
        if length < timedelta(seconds=1):
            raise InvalidInputError(f"every = {self.every!r}: must be a second or longer")
        return length

    @cached_property
    def _zone(self) -> ZoneInfo:
        return parse_zone(self.timezone, "timezone")


def _require_cron(cron: str) -> None:
    """Raise InvalidInputError, naming the field that cannot be understood and what it takes."""
    fields = cron.split()
    if len(fields) != len(FIELDS):
        raise InvalidInputError(
            f"cron = {cron!r}: five fields are wanted (minute, hour, day, month, day of the week), "
            f"{len(fields)} are given"
        )
    try:
        CronSim(_unwrapped(cron), EPOCH)
    except CronSimError as error:
        name = str(error).removeprefix("Bad ")
        value = dict(zip(FIELDS, fields, strict=True)).get(name)
        raise InvalidInputError(f"cron = {cron!r}: {name} cannot be {value!r}: give {FIELDS.get(name)}") from None


def _unwrapped(cron: str) -> str:
    """``fri-mon`` as ``fri-sat,sun-mon``: cron wants ranges not to run over the end of the week."""
    *others, days = cron.lower().split()
    return " ".join([*others, ",".join(_unwrapped_range(part) for part in days.split(","))])


def _unwrapped_range(part: str) -> str:
    first, dash, last = part.partition("-")
    if not dash or {first, last} - {*DAYS, *"01234567"}:
        return part
    bounds = [DAYS.index(bound) if bound in DAYS else int(bound) for bound in (first, last)]
    return f"{bounds[0]}-6,0-{bounds[1]}" if bounds[0] > bounds[1] else part
