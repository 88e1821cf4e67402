"""Incidents: what one fault did, as one thing that people work on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from observatory.model.anomalies import Severity

OF_HEALTH = "health"
"""The detector of a symptom that the health score tells, not an anomaly."""
MOST_NAMED = 3

SymptomKey = tuple[str, datetime, str]


class IncidentState(StrEnum):
    """Where an incident is between its first symptom and its end."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    MERGED = "merged"

    @property
    def is_active(self) -> bool:
        """Whether it goes on."""
        return self in (IncidentState.OPEN, IncidentState.ACKNOWLEDGED)


@dataclass(frozen=True, slots=True)
class Symptom:
    """A time during which one service was ill: an anomaly, or a health score that was critical.

    Service, start and detector identify it. Each belongs to one incident at most.
    """

    service_name: str
    started_at: datetime
    ended_at: datetime
    is_open: bool
    severity: Severity
    detector: str
    message: str

    @property
    def key(self) -> SymptomKey:
        """What identifies it."""
        return self.service_name, self.started_at, self.detector

    @property
    def sentence(self) -> str:
        """Its message without the service in front, for where that is said already."""
        return self.message.removeprefix(f"{self.service_name}: ")


@dataclass(frozen=True, slots=True)
class Reason:
    """One part of a suspect's score, in points and in words."""

    kind: str
    points: float
    words: str
    metric: str | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True)
class LikelyCause:
    """A service as the cause of an incident: likely, never certain. See `observatory.rootcause.Suspect`.

    `is_clear` tells whether the score is high enough for a clear suspect.
    """

    service_name: str
    score: float
    is_clear: bool
    words: str
    metric: str | None = None
    onset: datetime | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Incident:
    """Symptoms that belong together, the earliest first; one that was merged has left its symptoms to another.

    Attributes
    ----------
    severity
        That of its worst symptom of the last minutes; it falls only once that has been over for a while.
    peak
        The worst that it was.
    causes
        The likeliest first; empty until they are known.
    opened_at, changed_at
        When people were first told of it, and when anything about it changed.
    resolved_by, acknowledged_by
        Who did so; empty where it ended by itself.
    merged_into
        The incident that it became part of.
    """

    id: str
    state: IncidentState
    severity: Severity
    peak: Severity
    opened_at: datetime
    changed_at: datetime
    symptoms: tuple[Symptom, ...]
    causes: tuple[LikelyCause, ...] = ()
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    assignee: str = ""
    resolved_at: datetime | None = None
    resolved_by: str = ""
    merged_into: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether it goes on."""
        return self.state.is_active

    @property
    def services(self) -> tuple[str, ...]:
        """Affected services, in the order in which they fell ill."""
        return tuple(dict.fromkeys(symptom.service_name for symptom in self.symptoms))

    @property
    def started_at(self) -> datetime:
        """Start of its first symptom."""
        return self.symptoms[0].started_at if self.symptoms else self.opened_at

    @property
    def ended_at(self) -> datetime:
        """When it was last seen."""
        return max((symptom.ended_at for symptom in self.symptoms), default=self.changed_at)

    @property
    def origin(self) -> str:
        """The affected service that people should look at first: the likeliest cause, else the first that fell ill."""
        affected = self.services
        likely = (cause.service_name for cause in self.causes[:MOST_NAMED] if cause.service_name in affected)
        return next(likely, affected[0] if affected else "")

    @property
    def title(self) -> str:
        """What happens, where it most likely began, and whom else it reaches."""
        if not self.symptoms:
            return f"part of incident {self.merged_into}"
        origin = self.origin
        symptom = min((one for one in self.symptoms if one.service_name == origin), key=lambda one: one.severity.rank)
        others = [name for name in self.services if name != origin]
        more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
        also = f"; also {', '.join(others[:MOST_NAMED])}{more}" if others else ""
        first = symptom.sentence.partition("; ")[0]
        return f"{origin}: {first}{also}"


def by_onset(symptoms: Iterable[Symptom]) -> tuple[Symptom, ...]:
    """Symptoms in the order in which they began."""
    return tuple(sorted(symptoms, key=lambda symptom: (symptom.started_at, symptom.service_name, symptom.detector)))


EventKind = Literal[
    "opened",
    "joined",
    "worse",
    "better",
    "cause",
    "change",
    "acknowledged",
    "assigned",
    "note",
    "resolved",
    "reopened",
    "merged",
    "report",
    "told",
]


@dataclass(frozen=True, slots=True)
class IncidentEvent:
    """A line of an incident's timeline.

    `who` is empty for what the workbench did by itself. `service_name` is set where it is about one service.
    """

    incident_id: str
    at: datetime
    kind: EventKind
    text: str
    who: str = ""
    service_name: str | None = None


@dataclass(frozen=True, slots=True)
class IncidentChanges:
    """Incidents as they are from now on, and what is added to their timelines."""

    incidents: tuple[Incident, ...] = ()
    events: tuple[IncidentEvent, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.incidents or self.events)
