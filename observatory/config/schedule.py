"""Notebooks that are run again and again: tables ``[schedule.NAME]``."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from observatory.config.cadence import Cadence
from observatory.errors import InvalidInputError
from observatory.times import parse_duration


class JobSettings(BaseModel):
    """A notebook that is run again and again: ``[schedule.hourly]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    notebook: str = Field(description="Name of the notebook, or a file that ends in `.ipynb`.")
    cron: str = Field("", description="When: minute, hour, day, month, day of the week.")
    every: str = Field("", description="Or how often: `90s`, `15m`, `6h`, `1d`, counted from midnight UTC.")
    timezone: str = Field("UTC", description="Time zone of `cron`, such as `Europe/Berlin`.")
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="Of the notebook; `{now}` and `{now-1h}` are the time it was due, or before."
    )
    timeout: str = Field("1h", description="Longest time a run may take.")
    grace: str = Field("5m", description="A run that could not begin so long after its time is left out.")
    catch_up: bool = Field(False, description="Make up for what was missed while no scheduler ran, the oldest first.")
    code: bool = Field(False, description="Show the code in the report.")

    @model_validator(mode="after")
    def _is_understood(self) -> Self:
        try:
            _ = self.cadence, parse_duration(self.timeout, "timeout"), parse_duration(self.grace, "grace")
        except InvalidInputError as error:
            raise ValueError(str(error)) from None
        return self

    @property
    def cadence(self) -> Cadence:
        """When it is due."""
        return Cadence(self.cron, self.every, self.timezone)
