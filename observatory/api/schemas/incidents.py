"""What answers about incidents are made of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import ConfigDict, Field

from observatory import model
from observatory.analysis.similar_incidents import SimilarIncident
from observatory.annotations.in_force import InForce
from observatory.api.schemas import examples
from observatory.api.schemas.links import Link
from observatory.api.schemas.responses import Answer
from observatory.model import EventKind, IncidentState, Severity


class Incident(Answer):
    """Symptoms that belong together."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.INCIDENT]})

    id: str = Field(description="For good: it stays while the incident grows, ends and comes back.")
    state: IncidentState
    title: str = Field(description="What happens, where it most likely began, and whom else it reaches.")
    severity: Severity = Field(description="That of its worst symptom now; it falls a while after that is over.")
    peak: Severity = Field(description="The worst it was.")
    services: list[str] = Field(description="Affected services, in the order in which they fell ill.")
    suspects: list[str] = Field(description="Likeliest causes, the likeliest first; none until they are known.")
    started_at: datetime
    ended_at: datetime = Field(description="When it was last seen.")
    is_open: bool = Field(description="Whether it goes on: open or acknowledged.")
    opened_at: datetime = Field(description="When it was worth a person: a while after it began.")
    changed_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str
    assignee: str
    resolved_at: datetime | None
    resolved_by: str = Field(description="Empty where it ended by itself.")
    merged_into: str | None = Field(description="The incident that it became part of.")
    anomalies: int = Field(description="How many symptoms belong to it.")
    message: str = Field(description="What its first symptom says.")

    @classmethod
    def of(cls, incident: model.Incident) -> Incident:
        """From one of the store."""
        return cls.model_validate(_facts(incident))


class Symptom(Answer):
    """A time during which one service was ill."""

    service_name: str
    started_at: datetime
    ended_at: datetime
    is_open: bool
    severity: Severity
    detector: str = Field(description="What found it; `health` where the health score was critical.")
    message: str


class Reason(Answer):
    """One part of a suspect's score."""

    kind: str
    points: float
    words: str
    metric: str | None
    service: str | None


class Cause(Answer):
    """A service as the cause of an incident: likely, never certain."""

    service_name: str
    score: float = Field(description="Only to be compared within one incident.")
    is_clear: bool = Field(description="Whether the score is high enough for a clear suspect.")
    metric: str | None = Field(description="The metric to blame.")
    onset: datetime | None = Field(description="Since when it was unusual.")
    words: str = Field(description="The evidence in words.")
    reasons: list[Reason] = Field(description="The largest parts of the score.")


class TimelineEntry(Answer):
    """A line of the timeline."""

    at: datetime
    kind: EventKind
    who: str = Field(description="Empty for what the workbench did by itself.")
    service_name: str | None
    text: str


class Similar(Answer):
    """An earlier incident."""

    id: str
    title: str
    started_at: datetime
    likeness: float = Field(description="From 0 to 1: services and likeliest causes in common.")
    notes: list[str] = Field(description="What people noted then, the oldest first.")


class IncidentDetails(Incident):
    """One incident with everything that is known of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.INCIDENT_DETAILS]})

    symptoms: list[Symptom]
    causes: list[Cause] = Field(description="The likeliest first.")
    timeline: list[TimelineEntry] = Field(description="The oldest line first.")
    similar: list[Similar] = Field(description="Earlier incidents, the most similar first.")
    links: list[Link] = Field(description="Where other programs show more of the service to look at first.")
    silenced_by: str | None = Field(description="The silence that keeps it from people now, by its id.")
    silenced_until: datetime | None

    @classmethod
    def with_timeline(
        cls,
        incident: model.Incident,
        events: Iterable[model.IncidentEvent],
        similar: Iterable[SimilarIncident],
        silence: InForce | None,
        links: Iterable[model.Link],
    ) -> IncidentDetails:
        """From one of the store, its timeline, what was like it before, what keeps it from people, and links."""
        more = {"symptoms": incident.symptoms, "causes": incident.causes, "timeline": list(events)}
        silenced = {
            "silenced_by": silence.silence.id if silence else None,
            "silenced_until": silence.until if silence else None,
        }
        alike = [
            Similar(
                id=one.incident.id,
                title=one.incident.title,
                started_at=one.incident.started_at,
                likeness=one.likeness,
                notes=list(one.notes),
            )
            for one in similar
        ]
        return cls.model_validate(_facts(incident) | more | {"similar": alike, "links": list(links)} | silenced)


class IncidentPage(Answer):
    """Incidents, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.INCIDENTS]})

    start: datetime
    end: datetime
    incidents: list[Incident]
    next: str | None = Field(description="Path and query of the next page; null on the last.")


def _facts(incident: model.Incident) -> dict[str, object]:
    names = ("id", "state", "title", "severity", "peak", "started_at", "ended_at", "opened_at", "changed_at")
    said = ("acknowledged_at", "acknowledged_by", "assignee", "resolved_at", "resolved_by", "merged_into")
    return {name: getattr(incident, name) for name in (*names, *said)} | {
        "services": list(incident.services),
        "suspects": [cause.service_name for cause in incident.causes],
        "is_open": incident.is_active,
        "anomalies": len(incident.symptoms),
        "message": incident.symptoms[0].message if incident.symptoms else "",
    }
