"""What changed between two looks at the services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

TransitionKind = Literal["health", "anomaly", "anomaly-ended", "incident", "incident-ended"]


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of the `services` it names; `data` is what clients are sent, ready for JSON."""

    kind: TransitionKind
    services: tuple[str, ...]
    data: dict[str, Any]
