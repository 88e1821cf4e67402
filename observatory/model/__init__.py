"""The values that the layers hand each other."""

from __future__ import annotations

from observatory.model.anomalies import Anomaly, Evidence, Learning, Severity
from observatory.model.cycles import Cycle, Failure, Remark
from observatory.model.health import Band, Health, HealthPart
from observatory.model.labels import Fault, Feedback, Verdict
from observatory.model.names import (
    NameRule,
    NameRules,
    Overlap,
    Renames,
    RuleKind,
    Span,
    apply_renames,
    covers,
    is_pattern,
)
from observatory.model.progress import Progress, no_progress
from observatory.model.runs import Run, RunStatus
from observatory.model.samples import SERVICE, TIMESTAMP, Collected, empty_samples
from observatory.model.services import IMPORTED, LONGEST_NAME, MOST_NAMED, Service, is_usable_name
from observatory.model.transitions import Transition, TransitionKind

__all__ = [
    "IMPORTED",
    "LONGEST_NAME",
    "MOST_NAMED",
    "SERVICE",
    "TIMESTAMP",
    "Anomaly",
    "Band",
    "Collected",
    "Cycle",
    "Evidence",
    "Failure",
    "Fault",
    "Feedback",
    "Health",
    "HealthPart",
    "Learning",
    "NameRule",
    "NameRules",
    "Overlap",
    "Progress",
    "Remark",
    "Renames",
    "RuleKind",
    "Run",
    "RunStatus",
    "Service",
    "Severity",
    "Span",
    "Transition",
    "TransitionKind",
    "Verdict",
    "apply_renames",
    "covers",
    "empty_samples",
    "is_pattern",
    "is_usable_name",
    "no_progress",
]
