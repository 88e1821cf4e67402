"""What a silence would have kept from people, had it been in force during the last week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from observatory.annotations.in_force import MetricsOf, metrics_by_symptom, under_new_names
from observatory.annotations.occurrences import spans
from observatory.model import TRANSITIONS, Incident, IncidentEvent, Silence, Span
from observatory.store.reader import StoreReader

LOOKS_BACK = timedelta(days=7)
MOST = 500
"""Incidents looked at, the newest."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """An incident of which a silence would have kept something from people.

    `messages` would not have been sent, of `of` that there were.
    """

    incident: Incident
    messages: int
    of: int

    @property
    def is_whole(self) -> bool:
        """Whether nobody would have heard of it."""
        return self.messages == self.of


@dataclass(frozen=True, slots=True)
class Preview:
    """What a silence is about, and what it would have hidden between two times, the newest first.

    `services` are those that it covers today; `incidents` is how many there were.
    """

    silence: Silence
    start: datetime
    end: datetime
    services: tuple[str, ...]
    hidden: tuple[Hidden, ...]
    incidents: int

    @property
    def messages(self) -> int:
        """How many messages to a destination that is told of everything."""
        return sum(one.messages for one in self.hidden)

    @property
    def summary(self) -> str:
        """All of it in a sentence or two."""
        covers = _many(len(self.services), "service") if self.services else "no service that is known today"
        whole = sum(one.is_whole for one in self.hidden)
        parts = len(self.hidden) - whole
        also = f", and parts of {parts} more" if parts else ""
        return (
            f"It covers {covers}. In the last {(self.end - self.start).days} days it would have hidden {whole} of "
            f"{_many(self.incidents, 'incident')}{also}: {_many(self.messages, 'message')}."
        )


def preview(store: StoreReader, silence: Silence, now: datetime) -> Preview:
    """What it would have hidden: each time that it comes again, or where it does not, had it lasted all week."""
    start = now - LOOKS_BACK
    silence = under_new_names(silence, store.names.rules())
    past = spans(replace(silence, starts_at=start, ends_at=now), start, now) if silence.is_recurring else [(start, now)]
    incidents = store.incidents.read(start, now, limit=MOST)
    anomalies = store.anomalies(start=start, end=now) if silence.metrics else ()
    metrics = metrics_by_symptom(anomalies)
    hidden = [
        Hidden(incident, *counts)
        for incident in incidents
        if (counts := _count(store.incidents.events(incident.id), incident, silence, past, metrics))[0]
    ]
    services = tuple(one.name for one in store.services() if silence.covers_service(one.name))
    return Preview(silence, start, now, services, tuple(hidden), len(incidents))


def _count(
    events: Sequence[IncidentEvent], incident: Incident, silence: Silence, past: Sequence[Span], metrics_of: MetricsOf
) -> tuple[int, int]:
    """Transitions of an incident that would not have been told, and how many there were."""
    told = [event for event in events if event.kind in TRANSITIONS]
    hidden = [event for event in told if _is_inside(event.at, past) and _covers(silence, incident, event, metrics_of)]
    return len(hidden), len(told)


def _is_inside(at: datetime, past: Sequence[Span]) -> bool:
    return any(since <= at < until for since, until in past)


def _covers(silence: Silence, incident: Incident, event: IncidentEvent, metrics_of: MetricsOf) -> bool:
    """Whether it covered all that there was of an incident by then."""
    there = [one for one in incident.symptoms if one.started_at <= event.at] or list(incident.symptoms)
    return all(silence.covers(one.service_name, one.severity, metrics_of(one)) for one in there)


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
