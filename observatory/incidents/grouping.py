"""Anomalies of services that call each other, at about the same time, are one incident.

A person on call is told of incidents, not of each anomaly: a fault deep in the call graph shows in every
service above it. The likeliest origin is the affected service that calls no other affected one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from observatory.model import Anomaly, Severity

SLACK = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Incident:
    """Anomalies that belong together, the earliest first; `suspects` are the likely origins."""

    anomalies: tuple[Anomaly, ...]
    suspects: tuple[str, ...]

    @property
    def id(self) -> str:
        """Stable while the incident grows: made from its first anomaly."""
        first = self.anomalies[0]
        return hashlib.sha256(f"{first.service_name} {first.started_at.isoformat()}".encode()).hexdigest()[:12]

    @property
    def services(self) -> tuple[str, ...]:
        """Affected services, in the order in which they fell ill."""
        return tuple(dict.fromkeys(anomaly.service_name for anomaly in self.anomalies))

    @property
    def started_at(self) -> datetime:
        return self.anomalies[0].started_at

    @property
    def ended_at(self) -> datetime:
        return max(anomaly.ended_at for anomaly in self.anomalies)

    @property
    def is_open(self) -> bool:
        return any(anomaly.is_open for anomaly in self.anomalies)

    @property
    def severity(self) -> Severity:
        return min((anomaly.severity for anomaly in self.anomalies), key=lambda severity: severity.rank)


def group(anomalies: Iterable[Anomaly], calls: Sequence[tuple[str, str]], slack: timedelta = SLACK) -> list[Incident]:
    """Incidents, the newest first.

    Two anomalies belong together when they overlap in time, give or take `slack`, and are of the same service or
    of two that call each other. Every anomaly ends up in exactly one incident, which covers it.
    """
    ordered = sorted(anomalies, key=lambda anomaly: (anomaly.started_at, anomaly.service_name))
    neighbours: dict[str, set[str]] = {}
    for caller, callee in calls:
        neighbours.setdefault(caller, set()).add(callee)
        neighbours.setdefault(callee, set()).add(caller)
    groups: list[list[Anomaly]] = []
    for anomaly in ordered:
        related = [members for members in groups if any(_together(anomaly, m, neighbours, slack) for m in members)]
        merged = [member for members in related for member in members] + [anomaly]
        groups = [members for members in groups if members not in related] + [merged]
    incidents = [_incident(members, calls) for members in groups]
    return sorted(incidents, key=lambda incident: incident.started_at, reverse=True)


def _together(one: Anomaly, other: Anomaly, neighbours: dict[str, set[str]], slack: timedelta) -> bool:
    known = neighbours.get(one.service_name, set())
    if one.service_name != other.service_name and other.service_name not in known:
        return False
    return one.started_at <= other.ended_at + slack and other.started_at <= one.ended_at + slack


def _incident(members: list[Anomaly], calls: Sequence[tuple[str, str]]) -> Incident:
    ordered = tuple(sorted(members, key=lambda anomaly: (anomaly.started_at, anomaly.service_name)))
    services = dict.fromkeys(anomaly.service_name for anomaly in ordered)
    callers = {caller for caller, callee in calls if caller != callee and caller in services and callee in services}
    origins = tuple(name for name in services if name not in callers)
    return Incident(ordered, origins or (ordered[0].service_name,))
