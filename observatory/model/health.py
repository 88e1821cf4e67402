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
    """A health score with its arithmetic. `score` is None when the band is unknown; `reason` says why.

    A `reason` beside a score of 0 is one that needs no arithmetic.
    """

    score: int | None
    band: Band
    coverage: int
    parts: tuple[HealthPart, ...]
    caps: tuple[str, ...] = ()
    reason: str = ""

    @property
    def worst(self) -> HealthPart | None:
        """The part that costs the most points; None where no part is below 1."""
        below = [part for part in self.parts if part.value is not None and part.value < 1]
        return max(below, key=lambda part: part.weight * (1 - (part.value or 0.0)), default=None)

    @property
    def why(self) -> str:
        """Why it is not healthy, in a few words; empty where it is."""
        if self.band is Band.HEALTHY:
            return ""
        return self.reason or (self.worst.detail if self.worst else "")
