"""What answers about notifications are made of."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from observatory.api.schemas.responses import Answer
from observatory.model import DeliveryState, EventKind


class Destination(Answer):
    """Somebody who is told of incidents."""

    name: str = Field(description="As in `[notify.NAME]`.")
    kind: str
    goes_to: str = Field(description="The host or the like; the rest of an address may be a secret.")
    enabled: bool
    services: list[str] = Field(description="Patterns of services; empty: all.")
    severity: str = Field(description="Least severity of incidents that it is told of.")
    on: list[EventKind] = Field(description="What it is told of.")
    sent: int
    waiting: int
    failed: int = Field(description="Given up; `retry` has them sent again.")
    error: str = Field(
        description="Why it could not be told the last time, or its silences are not in step; empty where all is well, "
        "or another server tells it."
    )


class Delivery(Answer):
    """One transition of an incident on its way to one destination."""

    destination: str
    incident: str = Field(validation_alias="incident_id")
    number: int = Field(description="Of the line in the incident's timeline.")
    kind: EventKind
    key: str = Field(description="Identifies the message over all attempts.")
    happened_at: datetime
    state: DeliveryState
    attempts: int
    due_at: datetime = Field(description="When it is tried next, while it waits.")
    changed_at: datetime = Field(description="When anything about it changed; of what was sent, when that was.")
    reason: str = Field(description="Why it failed last, or was left out; never a secret.")


class Notifications(Answer):
    """Destinations, and what was sent to them, the newest first."""

    destinations: list[Destination]
    deliveries: list[Delivery]


class NotificationTest(BaseModel):
    """Which destination is tried."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, json_schema_extra={"examples": [{"destination": "log"}]}
    )

    destination: str = Field(max_length=200)


class NotificationRetry(BaseModel):
    """What is sent again of what was given up."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, json_schema_extra={"examples": [{"destination": "log"}]}
    )

    destination: str = Field(max_length=200)
    incident: str | None = Field(None, max_length=100, description="Only what is about this incident.")


class NotificationTested(Answer):
    """A test message was taken."""

    destination: str
    goes_to: str


class NotificationsRetried(Answer):
    """How many are sent again."""

    destination: str
    count: int
