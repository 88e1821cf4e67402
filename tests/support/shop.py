"""A runtime over the demo shop whose clock the test moves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from observatory.config import Settings
from observatory.runtime import Runtime

NOON = datetime(2026, 3, 1, 12, 0, 20, tzinfo=UTC)


@dataclass
class Clock:
    """Stands still until it is told to move on."""

    now: datetime = field(default=NOON)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **time: float) -> datetime:
        self.now += timedelta(**time)
        return self.now


def shop(**settings: Any) -> Runtime:
    """A runtime in memory over two days of the shop, with the quickest detector; its clock is a `Clock`."""
    chosen = {"store": ":memory:", "worker": False, "detector": "seasonal", "demo_days": 2.0} | settings
    return Runtime(Settings(**chosen), clock=Clock())
