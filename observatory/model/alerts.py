"""Alerts of others, such as those of a Prometheus or of Grafana: what they say of a service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from observatory.model.anomalies import Severity
from observatory.model.incidents import Symptom

OF_ALERT = "alert "
"""How the detector of a symptom begins that an alert of others tells; its name follows."""


@dataclass(frozen=True, slots=True)
class ExternalAlert:
    """One alert of others; fingerprint and start identify it.

    Attributes
    ----------
    service_name
        The service here that it is about; empty where none was found.
    severity
        None where it only informs: it is part of no incident.
    ended_at
        When it was resolved; None while it fires.
    expires_at
        When it is over unless it is told again.
    sender
        Who told it.
    """

    fingerprint: str
    started_at: datetime
    service_name: str
    name: str
    severity: Severity | None
    summary: str
    url: str
    sender: str
    seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    def is_firing(self, now: datetime) -> bool:
        """Whether it goes on."""
        return self.ended_at is None and now < self.expires_at

    @property
    def sentence(self) -> str:
        """What it says, without the service."""
        return f"alert {self.name}: {self.summary}" if self.summary else f"alert {self.name}"

    def as_symptom(self, now: datetime) -> Symptom | None:
        """As a symptom of an incident; None where it is about no service here, or only informs."""
        if not self.service_name or self.severity is None:
            return None
        is_open = self.is_firing(now)
        ended = now if is_open else self.ended_at or self.expires_at
        return Symptom(
            self.service_name,
            self.started_at,
            max(ended, self.started_at),
            is_open,
            self.severity,
            f"{OF_ALERT}{self.name}",
            f"{self.service_name}: {self.sentence}",
        )
