"""What answers about health are made of: the summary with its arithmetic, and anomalies with their evidence."""

from __future__ import annotations

from datetime import datetime

from pydantic import ConfigDict, Field

from observatory.api.schemas import examples
from observatory.api.schemas.responses import Answer, Failure, Learning
from observatory.catalog import present
from observatory.health.overview import Overview, ServiceStatus
from observatory.model import Band, Severity, Verdict


class Cycle(Answer):
    """What one round of collecting and detecting did."""

    started_at: datetime
    seconds: float
    services: int
    samples: int
    anomalies: int
    failures: list[Failure]
    warnings: list[str]
    skipped: int = Field(description="Cycles before it that did not run, because another took too long.")


class HealthPart(Answer):
    """One line of a score's arithmetic."""

    name: str
    weight: float
    value: float | None = Field(description="0 (bad) to 1 (good); null when it cannot be judged.")
    points: float = Field(description="What it adds to the score.")
    detail: str


class ServiceHealth(Answer):
    """Where one service stands now."""

    service_name: str
    score: int | None = Field(description="0 to 100; null when the band is `unknown`.")
    band: Band
    coverage: int = Field(description="Share of the score's weight that could be judged [%].")
    reason: str = Field(description="Why the band is `unknown`; else empty.")
    caps: list[str] = Field(description="What holds the score down whatever the parts say.")
    parts: list[HealthPart]
    metrics: dict[str, float | None] = Field(
        description="Latest values in base units; metrics that few services have only where there is one."
    )
    at: datetime | None = Field(description="Time of these values.")
    stale: bool
    inactive: bool = Field(description="It has reported nothing for so long that it is no longer watched.")
    learning: Learning | None
    open_anomalies: int
    anomalies_24h: int
    silences: list[str] = Field(description="Silences in force that are about it, by id.")

    @classmethod
    def of(cls, status: ServiceStatus) -> ServiceHealth:
        """From where it stands now."""
        health, latest = status.health, status.latest
        return cls(
            service_name=status.name,
            score=health.score,
            band=health.band,
            coverage=health.coverage,
            reason=health.reason,
            caps=list(health.caps),
            parts=[HealthPart.model_validate(part) for part in health.parts],
            metrics={name: latest[name] for name in present(latest, lambda name: latest[name] is not None)},
            at=status.at,
            stale=status.is_stale,
            inactive=status.is_inactive,
            learning=None if status.learning is None else Learning.model_validate(status.learning),
            open_anomalies=len(status.open_anomalies),
            anomalies_24h=status.anomalies_24h,
            silences=[one.silence.id for one in status.silences],
        )


class HealthSummary(Answer):
    """Every service now, the worst first."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.SUMMARY]})

    at: datetime = Field(description="When this was put together.")
    updated_at: datetime | None = Field(description="Time of the newest sample of any service.")
    source: str
    counts: dict[Band, int] = Field(description="Services in each band, whatever the filter.")
    open_anomalies: int
    anomalies_24h: int
    last_cycle: Cycle | None
    skipped_24h: int = Field(description="Cycles that did not run during the last day, because others took too long.")
    services: list[ServiceHealth]
    total: int = Field(description="Services that match the filter.")
    next: str | None = Field(description="Path and query of the next page; null on the last.")

    @classmethod
    def of(cls, overview: Overview, chosen: list[ServiceStatus], total: int, following: str | None) -> HealthSummary:
        """`chosen` services out of `total`, with the totals over all."""
        cycle = overview.last_cycle
        return cls(
            at=overview.at,
            updated_at=overview.updated_at,
            source=overview.source,
            counts=overview.counts,
            open_anomalies=overview.open_anomalies,
            anomalies_24h=overview.anomalies_24h,
            last_cycle=None if cycle is None else Cycle.model_validate(cycle),
            skipped_24h=overview.skipped_24h,
            services=[ServiceHealth.of(status) for status in chosen],
            total=total,
            next=following,
        )


class Evidence(Answer):
    """What one metric contributed, in base units."""

    metric: str
    actual: float | None
    typical: float | None
    lower: float | None
    upper: float | None
    share: float | None = Field(description="Of the anomaly (0–1).")
    direction: str = Field(description="`up` or `down`: on which side of typical the value lies.")


class Anomaly(Answer):
    """An episode in which one service departed from its normal behaviour."""

    service_name: str
    started_at: datetime
    ended_at: datetime = Field(description="Its last anomalous sample so far.")
    peak_at: datetime
    is_open: bool
    severity: Severity
    score: float | None = Field(description="Highest score so far; 1.0 is the alarm line.")
    detector: str
    message: str
    metrics: list[str] = Field(description="Affected metrics, the largest share first.")
    evidence: list[Evidence]


class Feedback(Answer):
    """A person's verdict on a span of one service."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.FEEDBACK]})

    service_name: str
    verdict: Verdict
    started_at: datetime
    ended_at: datetime
    detector: str = Field(description="Whose anomaly it is about; empty for what was missed.")
    note: str
    given_at: datetime


class AnomalyPage(Answer):
    """Anomalies, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ANOMALIES]})

    start: datetime
    end: datetime
    anomalies: list[Anomaly]
    next: str | None = Field(description="Path and query of the next page; null on the last.")
