"""What people are told of incidents: transitions that wait to be handed out, and their delivery to each destination."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from observatory.model.incidents import EventKind, IncidentEvent

TRANSITIONS: tuple[EventKind, ...] = (
    "opened",
    "worse",
    "better",
    "acknowledged",
    "resolved",
    "reopened",
    "merged",
)
"""Lines of a timeline that destinations are told of."""


class DeliveryState(StrEnum):
    """How far a delivery has come."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    """Given up: a dead letter, which can be sent again by hand."""
    SUMMED = "summed"
    """A later message said it."""
    DROPPED = "dropped"
    """Left out, for the reason that it carries."""
    SILENCED = "silenced"
    """A silence covered it from beginning to end, or another message told of it once the silence was over."""


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """A line of a timeline that destinations are still to be told of: its incident, number, kind and time."""

    incident_id: str
    number: int
    kind: EventKind
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One transition on its way to one destination.

    Attributes
    ----------
    attempts
        How often it was tried.
    due_at
        When it is tried next, while it waits.
    changed_at
        When anything about it changed last; of what was sent, when that was.
    reason
        Why it failed last, waits, or was left out.
    silenced_by
        The silence that held it back, by its id.
    """

    destination: str
    incident_id: str
    number: int
    kind: EventKind
    happened_at: datetime
    state: DeliveryState
    due_at: datetime
    changed_at: datetime
    attempts: int = 0
    reason: str = ""
    silenced_by: str = ""

    @property
    def as_event(self) -> IncidentEvent:
        """As a line of the incident's timeline."""
        done = {
            DeliveryState.SENT: f"{self.destination}: {self.kind}",
            DeliveryState.SUMMED: f"{self.destination}: {self.kind}, {self.reason}",
        }
        text = done.get(self.state, f"{self.destination} was not told: {self.kind}, {self.reason}")
        return IncidentEvent(self.incident_id, self.changed_at, "told", text)

    @property
    def key(self) -> str:
        """What identifies the message over all attempts, for receivers that leave out what they have had."""
        return f"{self.incident_id}-{self.number}"
