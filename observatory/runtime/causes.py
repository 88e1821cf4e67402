"""The likeliest causes of incidents, computed while they grow and kept with them."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from observatory.incidents.changes import evidence_of, span_of, told
from observatory.incidents.grouping import namespace
from observatory.model import SERVICE, TIMESTAMP, Failure, Incident, IncidentChanges, IncidentEvent, LikelyCause, Reason
from observatory.rootcause import Suspect, suspects
from observatory.rootcause.options import LOOKBACK_DAYS
from observatory.store import Store

log = logging.getLogger(__name__)

AGAIN = timedelta(minutes=5)
"""An incident that goes on is looked at again after so long."""
AT_ONCE = 5
"""Incidents of a cycle: a cycle must not wait for many of them."""
MOST_SERVICES = 100
MOST_KEPT = 5
MOST_REASONS = 8
STAYS = 1.2
"""Another suspect takes the first place only with a score so many times as high: the first must not jump about."""
YOUNG = timedelta(minutes=5)
"""Until it is so old an incident has few rows: it is looked at in every cycle, and what they say then may change."""


class CauseFinder:
    """Finds and keeps the likeliest causes of the incidents of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: dict[str, tuple[datetime, int]] = {}

    def follow(self, incidents: Iterable[Incident], now: datetime, most: int = AT_ONCE) -> list[Failure]:
        """Find the causes of incidents that are new, that grew or that were last looked at a while ago.

        Returns what failed; it is tried again when the incident is next due.
        """
        due = [one for one in incidents if one.symptoms and self._is_due(one, now)]
        due.sort(key=lambda one: self._found.get(one.id, (one.opened_at - AGAIN, 0))[0])
        failures = []
        for incident in due[:most]:
            try:
                self.find(incident, now)
            except Exception as error:  # one incident must not stop the others, nor the cycle
                log.exception("finding the cause of incident %s failed", incident.id)
                failures.append(Failure("likeliest cause", f"incident {incident.id}: {type(error).__name__}: {error}"))
            self._found[incident.id] = now, len(incident.symptoms)
        active = {incident.id for incident in incidents}
        self._found = {key: known for key, known in self._found.items() if key in active}
        return failures

    def find(self, incident: Incident, now: datetime) -> tuple[LikelyCause, ...]:
        """Compute and keep the likeliest causes of an incident."""
        end = now if incident.is_active else incident.ended_at
        known_calls = self._store.calls()
        names = self._near(incident, known_calls)
        lookback = timedelta(days=LOOKBACK_DAYS)
        rows = self._store.history_of_all(incident.started_at - lookback, max(end, incident.started_at), names)
        frames = {str(name): frame.drop(columns=SERVICE).set_index(TIMESTAMP) for name, frame in rows.groupby(SERVICE)}
        calls = [call for call in known_calls if frames.keys() >= set(call)]
        changes = self._store.changes.read(*span_of(incident), names)
        ranked = suspects(frames, incident.started_at, end, calls, known=evidence_of(changes, incident))
        before = () if end - incident.started_at < YOUNG else incident.causes
        causes = steady(before, [as_cause(one) for one in ranked if one.score > 0][: 2 * MOST_KEPT])
        seen = {event.text for event in self._store.incidents.events(incident.id) if event.kind == "change"}
        lines = [
            IncidentEvent(incident.id, change.at, "change", told(change), service_name=change.service_name)
            for change in changes
            if told(change) not in seen and change.service_name in incident.services
        ]
        self._store.incidents.change(incident.id, lambda held: _with_causes(held, causes, end, lines))
        return causes

    def _is_due(self, incident: Incident, now: datetime) -> bool:
        known = self._found.get(incident.id)
        if known is None:
            return not incident.causes or incident.is_active
        looked_at, symptoms = known
        again = timedelta(0) if now - incident.started_at < YOUNG else AGAIN
        return symptoms != len(incident.symptoms) or now - looked_at >= again

    def _near(self, incident: Incident, calls: Iterable[tuple[str, str]]) -> list[str]:
        """Services that may be the cause: all of a small fleet, else those that are affected and those around them."""
        everybody = self._store.service_names()
        if len(everybody) <= MOST_SERVICES:
            return everybody
        neighbours: defaultdict[str, set[str]] = defaultdict(set)
        for caller, callee in calls:
            neighbours[caller].add(callee)
            neighbours[callee].add(caller)
        near = dict.fromkeys(incident.services)
        for _ in range(2):
            near |= dict.fromkeys(sorted(other for name in near for other in neighbours[name]))
        spaces = {namespace(name) for name in incident.services}
        near |= dict.fromkeys(name for name in everybody if namespace(name) in spaces)
        return list(near)[:MOST_SERVICES]


def as_cause(suspect: Suspect) -> LikelyCause:
    """What is kept of a suspect."""
    return LikelyCause(
        suspect.service,
        suspect.score,
        suspect.clear,
        suspect.reason,
        suspect.metric,
        None if suspect.onset is None else suspect.onset.to_pydatetime(),
        tuple(
            Reason(part.kind, part.points, part.words, part.metric, part.service)
            for part in suspect.contributions[:MOST_REASONS]
        ),
    )


def steady(before: Sequence[LikelyCause], found: Sequence[LikelyCause]) -> tuple[LikelyCause, ...]:
    """What was found, with the first of before still first unless another is clearly more suspicious."""
    first = before[0].service_name if before else None
    stays = next((one for one in found if one.service_name == first), None)
    if stays is not None and stays.score * STAYS >= found[0].score:
        found = [stays, *(one for one in found if one is not stays)]
    return tuple(found[:MOST_KEPT])


def _with_causes(
    held: Incident, causes: tuple[LikelyCause, ...], at: datetime, lines: Sequence[IncidentEvent]
) -> IncidentChanges:
    """The incident with its causes, and a line in its timeline where another clear one came first."""
    changed = replace(held, causes=causes)
    first = causes[0] if causes and causes[0].is_clear else None
    before = held.causes[0].service_name if held.causes and held.causes[0].is_clear else None
    if first is None or first.service_name == before:
        return IncidentChanges((changed,), tuple(lines))
    text = f"likeliest cause: {first.service_name}: {first.words}"
    cause = IncidentEvent(held.id, at, "cause", text, service_name=first.service_name)
    return IncidentChanges((changed,), (*lines, cause))
