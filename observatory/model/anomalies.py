"""Anomalies with their evidence, and why a service cannot be judged yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Severity(StrEnum):
    """How bad an anomaly is; compare by `rank`, 0 is the worst."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one metric contributed to an anomaly, in base units."""

    metric: str
    actual: float
    typical: float
    lower: float
    upper: float
    share: float
    direction: str  # "up" or "down": on which side of typical the value lies


@dataclass(frozen=True, slots=True)
class Anomaly:
    """An episode in which one service departed from its normal behaviour.

    It is identified by service, `started_at` and detector. `ended_at` is the last anomalous sample;
    `score` the highest score so far, 1.0 being the alarm line; evidence and message are those of
    the worst moment, at `peak_at`.
    """

    service_name: str
    started_at: datetime
    ended_at: datetime
    peak_at: datetime
    is_open: bool
    severity: Severity
    score: float
    detector: str
    message: str
    evidence: tuple[Evidence, ...]

    @property
    def metrics(self) -> tuple[str, ...]:
        """Affected metrics, the largest share first."""
        return tuple(item.metric for item in self.evidence)

    @property
    def sentence(self) -> str:
        """Its message without the service in front, for where that is said already."""
        return self.message.removeprefix(f"{self.service_name}: ")


@dataclass(frozen=True, slots=True)
class Learning:
    """Why a service cannot be judged yet; its first sample is of `since`."""

    samples: int
    needed: int
    ready_at: datetime | None
    since: datetime | None = None

    @property
    def message(self) -> str:
        when = f", ready about {self.ready_at:%Y-%m-%d %H:%M} UTC" if self.ready_at else ""
        return f"learning: {self.samples} of {self.needed} samples{when}"
