"""How collecting went: cycles, failures, remarks of sources."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that did not work while the rest went on."""

    what: str
    error: str


@dataclass(frozen=True, slots=True)
class Cycle:
    """What one round of collecting and detecting did; `seconds` is how long it took.

    `skipped` is how many cycles before it did not run, because another took too long.
    """

    started_at: datetime
    seconds: float
    services: int
    samples: int
    anomalies: int
    failures: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Remark:
    """What a source said about its samples from `start` to `end`, such as that they are partial."""

    source: str
    start: datetime
    end: datetime
    text: str
