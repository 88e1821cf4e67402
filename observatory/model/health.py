"""A health score with its arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Band(StrEnum):
    """What a health score means in one word."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    POOR = "poor"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class HealthPart:
    """One line of a health score's arithmetic: `points` = `weight` × `value` (0–1) after renormalising."""

    name: str
    weight: float
    value: float | None
    points: float
    detail: str


@dataclass(frozen=True, slots=True)
class Health:
    """A health score with its arithmetic. `score` is None when the band is unknown."""

    score: int | None
    band: Band
    coverage: int
    parts: tuple[HealthPart, ...]
    caps: tuple[str, ...] = ()
    reason: str = ""
