"""The values that the layers hand each other."""

from __future__ import annotations

from observatory.model.alerts import OF_ALERT, ExternalAlert
from observatory.model.anomalies import Anomaly, Evidence, Learning, Severity
from observatory.model.calls import COUNTS_FOR_DAYS, UNKNOWN_KIND, Call, End, as_calls
from observatory.model.changes import Change, ChangeKind, change_id
from observatory.model.cycles import Cycle, Failure, Remark
from observatory.model.exemplars import Exemplar
from observatory.model.health import Band, Health, HealthPart
from observatory.model.incidents import (
    OF_HEALTH,
    EventKind,
    Incident,
    IncidentChanges,
    IncidentEvent,
    IncidentState,
    LikelyCause,
    Reason,
    Symptom,
    SymptomKey,
    by_onset,
)
from observatory.model.known import KnownServices
from observatory.model.labels import Fault, Feedback, Verdict
from observatory.model.links import Link
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
from observatory.model.notifications import TRANSITIONS, Delivery, DeliveryState, OutboxEntry
from observatory.model.progress import Progress, no_progress
from observatory.model.runs import Run, RunStatus
from observatory.model.samples import SERVICE, TIMESTAMP, Collected, empty_samples
from observatory.model.services import IMPORTED, LONGEST_NAME, MOST_NAMED, Service, is_usable_name
from observatory.model.silences import OF_PEOPLE, Effect, Silence
from observatory.model.transitions import Transition, TransitionKind

__all__ = [
    "COUNTS_FOR_DAYS",
    "IMPORTED",
    "LONGEST_NAME",
    "MOST_NAMED",
    "OF_ALERT",
    "OF_HEALTH",
    "OF_PEOPLE",
    "SERVICE",
    "TIMESTAMP",
    "TRANSITIONS",
    "UNKNOWN_KIND",
    "Anomaly",
    "Band",
    "Call",
    "Change",
    "ChangeKind",
    "Collected",
    "Cycle",
    "Delivery",
    "DeliveryState",
    "Effect",
    "End",
    "EventKind",
    "Evidence",
    "Exemplar",
    "ExternalAlert",
    "Failure",
    "Fault",
    "Feedback",
    "Health",
    "HealthPart",
    "Incident",
    "IncidentChanges",
    "IncidentEvent",
    "IncidentState",
    "KnownServices",
    "Learning",
    "LikelyCause",
    "Link",
    "NameRule",
    "NameRules",
    "OutboxEntry",
    "Overlap",
    "Progress",
    "Reason",
    "Remark",
    "Renames",
    "RuleKind",
    "Run",
    "RunStatus",
    "Service",
    "Severity",
    "Silence",
    "Span",
    "Symptom",
    "SymptomKey",
    "Transition",
    "TransitionKind",
    "Verdict",
    "apply_renames",
    "as_calls",
    "by_onset",
    "change_id",
    "covers",
    "empty_samples",
    "is_pattern",
    "is_usable_name",
    "no_progress",
]
