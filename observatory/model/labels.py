"""Ground truth: labelled faults, and what people say of anomalies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Fault:
    """A labelled fault: ground truth to judge detectors by. Bounds are inclusive."""

    service_name: str
    kind: str
    start: datetime
    end: datetime
    metrics: tuple[str, ...]
    root_cause: str


class Verdict(StrEnum):
    """What a person says: of an anomaly that it was right or a false alarm, of a span that it was missed."""

    RIGHT = "right"
    FALSE_ALARM = "false_alarm"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Feedback:
    """A person's verdict on a span of one service, both ends inclusive.

    `detector` is whose anomaly it is about, empty for what was missed. Service, start and detector identify one.
    """

    service_name: str
    verdict: Verdict
    started_at: datetime
    ended_at: datetime
    given_at: datetime
    detector: str = ""
    note: str = ""
