"""Silences that are part of the set-up, such as a weekly maintenance: tables ``[silences.NAME]``."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from observatory.config.cadence import Cadence
from observatory.config.types import Names
from observatory.errors import InvalidInputError
from observatory.times import parse_duration


class SilenceSettings(BaseModel):
    """What is silenced, when and why: ``[silences.backup]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    services: Names = Field(min_length=1, description="Names or patterns (`shop/*`) of services; `*` is all of them.")
    reason: str = Field(min_length=1, description="Why, in words.")
    by: str = Field("settings", min_length=1, description="Who says so.")
    start: AwareDatetime | None = Field(
        None, description="When it begins, with its zone. Unset: when it is first read."
    )
    end: AwareDatetime = Field(description="When it is over for good, with its zone; at most a year ahead.")
    cron: str = Field("", description="It comes again: when it begins, as in `0 2 * * sun`.")
    duration: str = Field("", description="For how long it lasts each time, as in `2h`.")
    timezone: str = Field("UTC", description="Time zone of `cron`, such as `Europe/Berlin`.")
    severities: tuple[Literal["critical", "high", "medium", "low"], ...] = Field(
        (), description="Only what is of these severities. Empty: all."
    )
    metrics: Names = Field((), description="Only what lies in no other metric than these. Empty: all.")
    effect: Literal["tell_nobody", "do_not_judge", "do_not_learn"] = Field(
        "tell_nobody", description="What it does; each also does what stands before it."
    )

    @model_validator(mode="after")
    def _is_understood(self) -> Self:
        if bool(self.cron) != bool(self.duration):
            raise ValueError("cron and duration go together: when it begins, and for how long each time it lasts")
        try:
            if self.cron:
                _ = Cadence(self.cron, timezone=self.timezone), self.length
        except InvalidInputError as error:
            raise ValueError(str(error)) from None
        return self

    @property
    def length(self) -> timedelta | None:
        """`duration` as a length of time; None where it does not come again."""
        return parse_duration(self.duration) if self.duration else None
