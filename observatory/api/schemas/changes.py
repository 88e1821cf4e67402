"""What answers about changes of services are made of."""

from __future__ import annotations

from datetime import datetime

from pydantic import ConfigDict, Field

from observatory.api.schemas import examples
from observatory.api.schemas.responses import Answer
from observatory.model import ChangeKind


class Change(Answer):
    """A change of one service at a moment."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.CHANGE]})

    id: str = Field(description="Stays the same, whatever else is reported of it later.")
    service_name: str
    at: datetime = Field(description="When it began.")
    kind: ChangeKind
    version: str = Field(description="What runs after it; empty where nobody said.")
    summary: str
    url: str = Field(description="Where to read more; may be empty.")
    source: str = Field(description="The metrics source that showed it, or who reported it.")


class ChangePage(Answer):
    """Changes, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.CHANGES]})

    start: datetime
    end: datetime
    changes: list[Change]
    next: str | None = Field(description="Path and query of the next page; null on the last.")
