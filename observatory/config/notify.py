"""Who is told of incidents: tables ``[notify.NAME]``."""

from __future__ import annotations

import re
from datetime import time
from typing import Any, Literal, Self

from limits import RateLimitItem, parse
from pydantic import BaseModel, ConfigDict, Field, Secret, model_validator

from observatory.config.types import Names
from observatory.errors import InvalidInputError
from observatory.times import parse_zone

TransitionName = Literal["opened", "worse", "better", "acknowledged", "resolved", "reopened", "merged"]
_HOURS = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\s*-\s*([01]?\d|2[0-4]):([0-5]\d)")


class NotifySettings(BaseModel):
    """One destination: ``[notify.oncall]``. What its kind takes besides is in `options`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str = Field("", description="What it is, such as `slack`; unset: as the table is called.")
    enabled: bool = Field(True, description="Whether it is told of anything.")
    services: Names = Field((), description="Patterns (`shop/*`) of the services it is told of. Empty: all.")
    severity: Literal["critical", "high", "medium", "low"] = Field(
        "low", description="An incident is told of once it was of this severity, or a worse one."
    )
    on: tuple[TransitionName, ...] = Field(
        (),
        description="What it is told of: `opened`, `worse`, `better`, `acknowledged`, `resolved`, `reopened`, "
        "`merged`. Empty: what suits its kind.",
    )
    quiet_hours: str = Field(
        "", description="Hours of the day in which only what is `urgent` is told, such as `22:00-07:00`."
    )
    timezone: str = Field("UTC", description="Time zone of the quiet hours, such as `Europe/Berlin`.")
    urgent: Literal["critical", "high", "medium", "low", "none"] = Field(
        "critical", description="Least severity that is told in quiet hours; `none`: nothing is."
    )
    rate: str = Field("30/minute", description="Most messages; what is more waits, and is summed up.")
    options: Secret[dict[str, Any]] = Field(default_factory=lambda: Secret({}), description="What its kind takes.")

    @model_validator(mode="before")
    @classmethod
    def _gather_options(cls, given: Any) -> Any:
        """Whatever is not of every destination belongs to its kind, and may be secret."""
        if not isinstance(given, dict):
            return given
        own = {name: value for name, value in given.items() if name in cls.model_fields and name != "options"}
        options = {name: value for name, value in given.items() if name not in own and name != "options"}
        held = given.get("options")
        if isinstance(held, Secret):  # a copy of settings that were checked
            options = held.get_secret_value() | options
        elif held is not None:
            options["options"] = held
        return {**own, "options": Secret(options)}

    @model_validator(mode="after")
    def _is_understood(self) -> Self:
        try:
            _ = self.limit, self.quiet, parse_zone(self.timezone)
        except InvalidInputError as error:
            raise ValueError(str(error)) from None
        return self

    @property
    def limit(self) -> RateLimitItem:
        """How many messages in how long a time."""
        try:
            return parse(self.rate)
        except ValueError:
            raise InvalidInputError(f"rate = {self.rate!r}: write it as in 30/minute or 200/hour") from None

    @property
    def quiet(self) -> tuple[time, time] | None:
        """Beginning and end of the quiet hours, by the clock of their time zone; None: there are none."""
        if not self.quiet_hours:
            return None
        found = _HOURS.fullmatch(self.quiet_hours.strip())
        if found is None:
            raise InvalidInputError(f"quiet_hours = {self.quiet_hours!r}: write them as in 22:00-07:00")
        first, last = (time(int(found[place]) % 24, int(found[place + 1])) for place in (1, 3))
        if first == last:
            raise InvalidInputError(f"quiet_hours = {self.quiet_hours!r} begin and end at the same time")
        return first, last
