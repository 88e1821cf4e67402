"""Which silences are in force at a moment, and what they are about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from observatory.annotations.occurrences import span_at
from observatory.model import OF_HEALTH, Anomaly, Incident, NameRules, Silence, Symptom, SymptomKey
from observatory.store.reader import StoreReader
from observatory.times import TIME

MetricsOf = Callable[[Symptom], Sequence[str] | None]
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class InForce:
    """A silence that is in force, since when, and until when."""

    silence: Silence
    since: datetime
    until: datetime

    @property
    def brief(self) -> str:
        """Until when."""
        return f"silenced until {self.until:{TIME}} UTC"

    @property
    def words(self) -> str:
        """Until when, who said so and why."""
        return f"{self.brief} by {self.silence.created_by}: {self.silence.reason}"


def in_force(store: StoreReader, now: datetime) -> list[InForce]:
    """The silences of a store that are in force, the one that lasts longest first."""
    held = store.silences.read(now, now + _MOMENT)
    rules = store.names.rules() if held else NameRules()
    found = []
    for one in held:
        span = span_at(one, now)
        if span is not None:
            found.append(InForce(under_new_names(one, rules), *span))
    return sorted(found, key=lambda one: one.until, reverse=True)


def under_new_names(silence: Silence, rules: NameRules) -> Silence:
    """A silence that is also about services that were renamed since it was made."""
    renamed = (rules.name_of(name) for name in silence.services)
    return replace(silence, services=tuple(dict.fromkeys((*silence.services, *renamed))))


def covering(found: Iterable[InForce], service: str) -> list[InForce]:
    """Those about a whole service, whatever happens to it."""
    return [one for one in found if one.silence.is_whole and one.silence.covers_service(service)]


def over_incident(incident: Incident, found: Sequence[InForce], metrics_of: MetricsOf) -> InForce | None:
    """The silence that keeps an incident from people; None where anything of it is to be told.

    It must be about each symptom that goes on, or where none does about each there was. Of several the one that ends
    first is given: then it is looked at again.
    """
    if not found:
        return None
    found = [one for one in found if not one.silence.incidents or incident.id in one.silence.incidents]
    going_on = [one for one in incident.symptoms if one.is_open] or list(incident.symptoms)
    holding = []
    for symptom in going_on:
        one = next((one for one in found if _is_about(one.silence, symptom, metrics_of)), None)
        if one is None:
            return None
        holding.append(one)
    return min(holding, key=lambda one: one.until, default=None)


def over_each(store: StoreReader, found: Sequence[InForce], incidents: Sequence[Incident]) -> list[InForce | None]:
    """The silence that keeps each of some incidents from people; None where there is none."""
    anomalies: list[Anomaly] = []
    if incidents and any(one.silence.metrics for one in found):
        names = sorted({name for one in incidents for name in one.services})
        anomalies = store.anomalies(start=min(one.started_at for one in incidents), services=names)
    metrics = metrics_by_symptom(anomalies)
    return [over_incident(one, found, metrics) for one in incidents]


def over_one(store: StoreReader, incident: Incident, now: datetime) -> InForce | None:
    """The silence that keeps an incident from people now; None where there is none, or it is over."""
    return over_each(store, in_force(store, now), [incident])[0] if incident.is_active else None


def metrics_by_symptom(anomalies: Iterable[Anomaly]) -> MetricsOf:
    """Tells the metrics of symptoms, by the anomalies that they are."""
    known: dict[SymptomKey, Sequence[str]] = {
        (one.service_name, one.started_at, one.detector): one.metrics for one in anomalies
    }
    return lambda symptom: None if symptom.detector == OF_HEALTH else known.get(symptom.key)


def _is_about(silence: Silence, symptom: Symptom, metrics_of: MetricsOf) -> bool:
    metrics = metrics_of(symptom) if silence.metrics else None
    return silence.covers(symptom.service_name, symptom.severity, metrics)
