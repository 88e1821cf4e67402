"""What people may do who sign in: tables ``[users.NAME]``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from observatory.config.types import Names


class UserSettings(BaseModel):
    """What somebody may do who signs in with a token or at the dashboard: ``[users."ann@example.com"]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Literal["viewer", "operator", "admin"] = Field("viewer", description="What they may do.")
    services: Names = Field(("*",), description="Patterns of the services they see, such as `payments/*`.")
