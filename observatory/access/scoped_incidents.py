"""Incidents as somebody may see them who sees some services only.

Of an incident that has a service of theirs they see that part; what people and the workbench said in words may speak
of others, and is left out. To work on it they must see all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from observatory.access.permissions import Scope
from observatory.errors import ForbiddenError
from observatory.model import Incident, IncidentChanges, IncidentEvent, IncidentState, LikelyCause
from observatory.store.reader import IncidentsReader, IncidentsWriter
from observatory.store.tables.incidents import NOT_MERGED, no_incident

OUTSIDE = "details are left out: they may concern services outside of what you may see"
OF_ITSELF = ("worse", "better")
"""Lines of a timeline that speak of no service."""
OWN = ("metric", "reporting", "known")
"""Reasons that speak of the service itself."""


class ScopedIncidents:
    """See `observatory.store.reader.IncidentsReader`; `inside` gives the names of the services inside."""

    def __init__(
        self, base: IncidentsReader, scope: Scope, inside: Callable[[Sequence[str] | None], list[str]]
    ) -> None:
        self._base = base
        self._scope = scope
        self._inside = inside

    def read(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        services: Sequence[str] | None = None,
        states: Sequence[IncidentState] = NOT_MERGED,
        severities: Sequence[str] | None = None,
        limit: int | None = None,
        after: tuple[datetime, str] | None = None,
    ) -> list[Incident]:
        found = self._base.read(start, end, self._inside(services), states, severities, limit, after)
        return [shown for incident in found if (shown := self._part(incident)) is not None]

    def get(self, incident_id: str) -> Incident:
        shown = self._part(self._base.get(incident_id))
        if shown is None:
            raise no_incident(incident_id)
        return shown

    def events(self, incident_id: str) -> list[IncidentEvent]:
        self.get(incident_id)  # there is none where nothing of it is inside
        is_whole = self._is_whole(self._base.get(incident_id))
        return [self._event(event, is_whole) for event in self._base.events(incident_id) if self._covers(event)]

    def _is_whole(self, incident: Incident) -> bool:
        return all(map(self._scope.covers, incident.services))

    def _covers(self, event: IncidentEvent) -> bool:
        return not event.service_name or self._scope.covers(event.service_name)

    def _part(self, incident: Incident) -> Incident | None:
        """What is inside of an incident; None where nothing is."""
        symptoms = tuple(one for one in incident.symptoms if self._scope.covers(one.service_name))
        if not symptoms:
            return None
        causes = tuple(
            _without_others(cause, self._scope) for cause in incident.causes if self._scope.covers(cause.service_name)
        )
        if len(symptoms) == len(incident.symptoms):
            return replace(incident, causes=causes)
        severity = min((one.severity for one in symptoms), key=lambda severity: severity.rank)
        return replace(incident, symptoms=symptoms, causes=causes, severity=severity, peak=severity, assignee="")

    def _event(self, event: IncidentEvent, is_whole: bool) -> IncidentEvent:
        if event.kind == "cause":
            return replace(event, text=f"likeliest cause: {event.service_name}")
        is_clean = event.service_name is not None or event.kind in OF_ITSELF or not event.text
        if event.kind == "merged" or not (is_whole or is_clean):
            return replace(event, text=OUTSIDE)
        return event


class ScopedIncidentsWriter(ScopedIncidents):
    """The same for whoever may also work on them."""

    def __init__(
        self, base: IncidentsWriter, scope: Scope, inside: Callable[[Sequence[str] | None], list[str]]
    ) -> None:
        super().__init__(base, scope, inside)
        self._operated = base

    def change(self, incident_id: str, change: Callable[[Incident], IncidentChanges]) -> Incident:
        def checked(incident: Incident) -> IncidentChanges:
            if self._part(incident) is None:
                raise no_incident(incident_id)
            if not self._is_whole(incident):
                raise ForbiddenError(
                    f"incident {incident_id!r} has services outside of what you may see: {self._scope}; who works on "
                    "it must see all of them"
                )
            return change(incident)

        self._operated.change(incident_id, checked)
        return self.get(incident_id)


def _without_others(cause: LikelyCause, scope: Scope) -> LikelyCause:
    reasons = tuple(one for one in cause.reasons if one.service is None or scope.covers(one.service))
    words = "; ".join(one.words for one in reasons if one.kind in OWN) or "nothing unusual of its own"
    return replace(cause, reasons=reasons, words=words)
