"""How incidents go on as symptoms come, go on and end.

Everything here is computed from what is given, so that it may be done again: a symptom that belongs to an incident
already opens no second one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from observatory.incidents.grouping import Bond, Grouping
from observatory.incidents.opening import is_worth_a_person
from observatory.model import (
    EventKind,
    Incident,
    IncidentChanges,
    IncidentEvent,
    IncidentState,
    Severity,
    Symptom,
    SymptomKey,
    by_onset,
)

QUIET = timedelta(minutes=10)
"""An incident without symptoms for so long is resolved by itself; a severity that is over for so long falls."""
REOPENS = timedelta(minutes=30)
"""A symptom that comes this soon after the end reopens the incident."""
REACH = QUIET + REOPENS
"""What ended longer ago matters to no incident."""


class IncidentBook:
    """The incidents that matter at a time, and what becomes of them.

    Parameters
    ----------
    incidents
        Those that go on, or ended less than `REACH` before the first step.
    grouping
        Tells which symptoms belong together.
    """

    def __init__(self, incidents: Iterable[Incident], grouping: Grouping) -> None:
        self._grouping = grouping
        self._incidents = {incident.id: incident for incident in incidents}
        self._owner: dict[SymptomKey, str] = {
            symptom.key: incident.id for incident in self._incidents.values() for symptom in incident.symptoms
        }
        self._changed: set[str] = set()
        self._put_aside: dict[str, Incident] = {}
        self._events: list[IncidentEvent] = []

    @property
    def changes(self) -> IncidentChanges:
        """Everything that changed since the beginning."""
        changed = self._put_aside | {key: self._incidents[key] for key in self._changed}
        return IncidentChanges(tuple(sorted(changed.values(), key=_age)), tuple(self._events))

    @property
    def symptoms(self) -> list[Symptom]:
        """The symptoms of all incidents."""
        return [symptom for incident in self._incidents.values() for symptom in incident.symptoms]

    def step(self, now: datetime, symptoms: Iterable[Symptom]) -> None:
        """Take note of symptoms as they are at `now`: of every one that is open, and of those that just ended."""
        new: list[Symptom] = []
        for symptom in by_onset(symptoms):
            owner = self._owner.get(symptom.key)
            if owner is None:
                new.append(symptom)
            else:
                self._update(owner, symptom, now)
        for group in self._groups(new):
            self._place(group, now)
        for incident in list(self._incidents.values()):
            if incident.is_active:
                self._settle(incident, now)

    def forget(self, before: datetime) -> None:
        """Put aside what ended before a time: nothing can become of it, and a long past has much of it."""
        for key, incident in list(self._incidents.items()):
            if not incident.is_active and _end(incident) < before:
                del self._incidents[key]
                if key in self._changed:
                    self._changed.discard(key)
                    self._put_aside[key] = incident

    # -- symptoms ---------------------------------------------------------------------------

    def _update(self, owner: str, symptom: Symptom, now: datetime) -> None:
        """A symptom that is known went on, or ended."""
        incident = self._incidents[owner]
        before = next(one for one in incident.symptoms if one.key == symptom.key)
        if before == symptom or _is_older(symptom, before):
            return
        symptoms = tuple(symptom if one is before else one for one in incident.symptoms)
        self._put(replace(incident, symptoms=symptoms), now)
        flared_up = symptom.is_open and not before.is_open and not incident.resolved_by
        got_worse = symptom.is_open and symptom.severity.rank < before.severity.rank
        if incident.state is IncidentState.RESOLVED and (flared_up or got_worse):
            self._reopen(owner, symptom, now)

    def _groups(self, symptoms: Sequence[Symptom]) -> list[list[Symptom]]:
        """Symptoms that belong to no incident, those of one fault together."""
        groups: list[list[Symptom]] = []
        for symptom in symptoms:
            related = [group for group in groups if any(self._grouping.bond(symptom, one) for one in group)]
            merged = [one for group in related for one in group] + [symptom]
            groups = [group for group in groups if group not in related] + [merged]
        return groups

    def _place(self, group: Sequence[Symptom], now: datetime) -> None:
        """Let symptoms join the incident that they belong to, or open one where they are worth it."""
        bonds = {incident.id: self._bond(incident, group) for incident in self._incidents.values()}
        related = sorted((self._incidents[key] for key, bond in bonds.items() if bond), key=_age)
        active = [incident for incident in related if incident.is_active]
        if active:
            first = active[0].id
            for other in active[1:]:
                if bonds[other.id].joins_incidents and bonds[first].joins_incidents:
                    self._merge(other.id, first, now)
            self._join(first, group, now)
            return
        ended = [one for one in related if one.resolved_at is not None and bonds[one.id] is not Bond.NAMESPACE]
        late = next((one for one in ended if _is_of_before(one, group)), None)
        if late is not None:
            self._join(late.id, group, now)
        elif is_worth_a_person(group, now):
            again = [one for one in ended if bonds[one.id] is Bond.SAME and now - _end(one) <= REOPENS]
            if again:
                self._join(again[-1].id, group, now)
                self._reopen(again[-1].id, group[0], now)
            else:
                self._open(group, now)

    def _bond(self, incident: Incident, group: Sequence[Symptom]) -> Bond:
        """What speaks for symptoms being of the fault of an incident; a service that it had soon before is enough."""
        bond = Bond.NONE
        for symptom in group:
            for member in incident.symptoms:
                if member.service_name == symptom.service_name and symptom.started_at - member.ended_at <= REACH:
                    return Bond.SAME
                bond = max(bond, self._grouping.bond(symptom, member))
        return bond

    # -- incidents --------------------------------------------------------------------------

    def _open(self, group: Sequence[Symptom], now: datetime) -> None:
        symptoms = by_onset(group)
        worst = _worst(symptoms)
        incident = Incident(_make_id(symptoms[0]), IncidentState.OPEN, worst, worst, now, now, symptoms)
        self._put(incident, now)
        self._owner.update((symptom.key, incident.id) for symptom in symptoms)
        self._tell(incident.id, now, "opened", incident.title)

    def _join(self, key: str, group: Sequence[Symptom], now: datetime) -> None:
        incident = self._incidents[key]
        self._put(replace(incident, symptoms=by_onset([*incident.symptoms, *group])), now)
        for symptom in by_onset(group):
            self._owner[symptom.key] = key
            self._tell(key, now, "joined", symptom.message, service=symptom.service_name)

    def _merge(self, key: str, into: str, now: datetime) -> None:
        """Make an incident part of an older one, which keeps what people said of it."""
        gone, stays = self._incidents[key], self._incidents[into]
        acknowledged = stays if stays.acknowledged_at or not gone.acknowledged_at else gone
        self._put(
            replace(
                stays,
                symptoms=by_onset([*stays.symptoms, *gone.symptoms]),
                state=IncidentState.ACKNOWLEDGED if acknowledged.acknowledged_at else stays.state,
                acknowledged_at=acknowledged.acknowledged_at,
                acknowledged_by=acknowledged.acknowledged_by,
                assignee=stays.assignee or gone.assignee,
                peak=min(stays.peak, gone.peak, key=lambda severity: severity.rank),
            ),
            now,
        )
        self._put(replace(gone, state=IncidentState.MERGED, merged_into=into, resolved_at=now, symptoms=()), now)
        self._owner.update((symptom.key, into) for symptom in gone.symptoms)
        self._tell(into, now, "merged", f"incident {key} is part of this one: {gone.title}")
        self._tell(key, now, "merged", f"became part of incident {into}")

    def _reopen(self, key: str, symptom: Symptom, now: datetime) -> None:
        incident = self._incidents[key]
        self._put(
            replace(
                incident,
                state=IncidentState.OPEN,
                resolved_at=None,
                resolved_by="",
                acknowledged_at=None,
                acknowledged_by="",
            ),
            now,
        )
        self._tell(key, now, "reopened", symptom.message, service=symptom.service_name)

    def _settle(self, incident: Incident, now: datetime) -> None:
        """Its severity now, and its end once nothing is left of it."""
        recent = [one for one in incident.symptoms if one.is_open or now - one.ended_at < QUIET]
        if not recent:
            self._put(replace(incident, state=IncidentState.RESOLVED, resolved_at=now, resolved_by=""), now)
            self._tell(incident.id, now, "resolved", "nothing unusual any more")
            return
        severity = _worst(recent)
        worse = severity.rank < incident.severity.rank
        if worse or (severity is not incident.severity and any(one.is_open for one in recent)):
            peak = min(severity, incident.peak, key=lambda one: one.rank)
            self._put(replace(incident, severity=severity, peak=peak), now)
            self._tell(
                incident.id, now, "worse" if worse else "better", f"severity {severity}, was {incident.severity}"
            )

    def _put(self, incident: Incident, now: datetime) -> None:
        self._incidents[incident.id] = replace(incident, changed_at=now)
        self._changed.add(incident.id)

    def _tell(self, key: str, at: datetime, kind: EventKind, text: str, service: str | None = None) -> None:
        self._events.append(IncidentEvent(key, at, kind, text, service_name=service))


def _make_id(first: Symptom) -> str:
    """Made from the first symptom when the incident is opened, and kept from then on: made twice, it is the same."""
    text = f"{first.service_name} {first.started_at.isoformat()} {first.detector}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _is_older(symptom: Symptom, known: Symptom) -> bool:
    """Whether a symptom is as it was before what is known of it: the past is followed again, or by another process."""
    if symptom.ended_at == known.ended_at:
        return symptom.is_open and not known.is_open
    return symptom.ended_at < known.ended_at


def _age(incident: Incident) -> tuple[datetime, str]:
    return incident.opened_at, incident.id


def _end(incident: Incident) -> datetime:
    """When it ended; somebody may have said so before its symptoms did."""
    return max(incident.ended_at, incident.resolved_at or incident.ended_at)


def _is_of_before(incident: Incident, group: Sequence[Symptom]) -> bool:
    """Whether symptoms that were found late had ended with an incident that is over."""
    end = _end(incident)
    return all(not symptom.is_open and symptom.ended_at <= end for symptom in group)


def _worst(symptoms: Iterable[Symptom]) -> Severity:
    return min((symptom.severity for symptom in symptoms), key=lambda severity: severity.rank)
