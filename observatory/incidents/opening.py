"""When symptoms are worth a person: the one rule by which incidents are opened.

A sure symptom opens one at once: a health score that is critical, or an anomaly of severity high or worse. A weak one
does when it lasts, or when a second service shows one that belongs to it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from observatory.model import Severity, Symptom

SURE = Severity.HIGH
"""The least severity that needs no second sign."""
LASTS = timedelta(minutes=10)
"""A weak symptom that has gone on for so long is worth a person."""


def is_worth_a_person(symptoms: Collection[Symptom], now: datetime) -> bool:
    """Whether symptoms that belong together open an incident."""
    if any(symptom.severity.rank <= SURE.rank for symptom in symptoms):
        return True
    if len({symptom.service_name for symptom in symptoms}) > 1:
        return True
    return any(_lasted(symptom, now) >= LASTS for symptom in symptoms)


def _lasted(symptom: Symptom, now: datetime) -> timedelta:
    return (now if symptom.is_open else min(now, symptom.ended_at)) - symptom.started_at
