"""Incidents of a live process: opened, grown and ended at every cycle, and for a past that was filled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from observatory.health.overview import Overview
from observatory.incidents.grouping import Grouping
from observatory.incidents.opening import LASTS
from observatory.incidents.tracking import QUIET, REACH, IncidentBook
from observatory.model import OF_HEALTH, Anomaly, Band, Incident, IncidentChanges, Severity, Symptom, SymptomKey
from observatory.store import Store

LONGEST_STEP = timedelta(minutes=5)
"""After a longer pause what happened meanwhile is followed step by step."""
LONGEST_PAST = timedelta(days=90)
"""How far back anomalies become incidents where there were none yet."""


class IncidentTracker:
    """Follows the symptoms of a store, and keeps there the incidents they are.

    Parameters
    ----------
    store
        What is read and written. Any number of processes may follow the same: what one has done the next one finds.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._followed_until: datetime | None = None

    def follow(self, now: datetime, critical: Mapping[str, str]) -> IncidentChanges:
        """Take note of how everything is now.

        Parameters
        ----------
        now
            The time.
        critical
            Services whose health score is critical, and what is to be said of each.
        """
        last = self._followed_until or self._store.incidents.newest_change()
        if last is None or now - last > LONGEST_STEP:
            self.replay(max(last or now - LONGEST_PAST, now - LONGEST_PAST), now)
        held = self._store.incidents.recent(now - REACH)
        symptoms = self._read(_since(held, now), now)
        self._followed_until = now
        if not held and not symptoms and not critical:
            return IncidentChanges()
        grouping = self._grouping()

        def change(incidents: Sequence[Incident]) -> IncidentChanges:
            book = IncidentBook(incidents, grouping)
            book.step(now, [*symptoms, *_of_health(book.symptoms, critical, now)])
            return book.changes

        return self._store.incidents.update(now - REACH, change, now)

    def replay(self, start: datetime, end: datetime) -> IncidentChanges:
        """Follow a past step by step, as if it had been live; of health nothing is known there."""
        symptoms = self._read(start - REACH, end)
        if not symptoms:
            return IncidentChanges()
        grouping = self._grouping()

        def change(incidents: Sequence[Incident]) -> IncidentChanges:
            book = IncidentBook(incidents, grouping)
            for moment, there in _steps(symptoms, start, end):
                book.step(moment, there)
                book.forget(moment - REACH)
            return book.changes

        return self._store.incidents.update(start - REACH, change)

    def _grouping(self) -> Grouping:
        return Grouping(self._store.calls(), self._store.service_names())

    def _read(self, start: datetime, end: datetime) -> list[Symptom]:
        """Symptoms between two times: anomalies, and alerts of others."""
        found = [symptom_of(anomaly) for anomaly in self._store.anomalies(start=start, end=end)]
        told = (alert.as_symptom(end) for alert in self._store.alerts.read(start, end))
        return found + list(_worst({one for one in told if one is not None}))


def critical_services(overview: Overview) -> dict[str, str]:
    """Services whose health is critical now, and why."""
    return {
        status.name: f"{status.name}: health {status.health.score}, {status.health.why}"
        for status in overview.services
        if status.health.band is Band.CRITICAL
    }


def symptom_of(anomaly: Anomaly) -> Symptom:
    """An anomaly as a symptom of an incident."""
    return Symptom(
        anomaly.service_name,
        anomaly.started_at,
        anomaly.ended_at,
        anomaly.is_open,
        anomaly.severity,
        anomaly.detector,
        anomaly.message,
    )


def _worst(symptoms: Iterable[Symptom]) -> Iterable[Symptom]:
    """Of symptoms with one key, such as an alert for each pod, the one that goes on, or is the worst."""
    found: dict[SymptomKey, Symptom] = {}
    for one in sorted(symptoms, key=lambda one: (one.is_open, -one.severity.rank, one.ended_at, one.message)):
        found[one.key] = one
    return found.values()


def _of_health(known: Iterable[Symptom], critical: Mapping[str, str], now: datetime) -> Iterator[Symptom]:
    """Symptoms that the health score tells: those that are new, that go on, and that end now."""
    going_on = {one.service_name: one for one in known if one.detector == OF_HEALTH and one.is_open}
    for service, message in critical.items():
        before = going_on.pop(service, None)
        if before is None:
            yield Symptom(service, now, now, True, Severity.CRITICAL, OF_HEALTH, message)
        else:
            yield replace(before, ended_at=max(now, before.ended_at), message=message)
    for ended in going_on.values():
        yield replace(ended, is_open=False)


def _since(held: Iterable[Incident], now: datetime) -> datetime:
    """From when anomalies must be read: those of symptoms that are open may have ended long ago."""
    open_ones = (one.ended_at for incident in held for one in incident.symptoms if one.is_open)
    return min(open_ones, default=now) - REACH


def _steps(symptoms: Sequence[Symptom], start: datetime, end: datetime) -> Iterator[tuple[datetime, list[Symptom]]]:
    """The times at which something may become of incidents, and the symptoms there were, as they were then."""
    moments = {moment for one in symptoms for moment in (one.started_at, one.started_at + LASTS, one.ended_at + QUIET)}
    waiting = sorted(symptoms, key=lambda symptom: symptom.started_at, reverse=True)
    there: list[Symptom] = []
    for moment in sorted({moment for moment in moments if start < moment < end} | {end}):
        while waiting and waiting[-1].started_at <= moment:
            there.append(waiting.pop())
        there = [one for one in there if one.is_open or one.ended_at >= moment - REACH]
        yield moment, [_as_of(one, moment) for one in there]


def _as_of(symptom: Symptom, moment: datetime) -> Symptom:
    return replace(
        symptom,
        ended_at=min(symptom.ended_at, moment),
        is_open=symptom.is_open or symptom.ended_at > moment,
    )
