"""Where every service stands now: what the dashboard's cards and the API's summary are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np
import pandas as pd

from observatory.annotations.in_force import InForce, covering, in_force
from observatory.catalog import METRICS
from observatory.config import Settings
from observatory.health import score as health
from observatory.health.evidence import REACH, judged_ratio
from observatory.model import (
    SERVICE,
    TIMESTAMP,
    Anomaly,
    Band,
    Cycle,
    Health,
    IncidentState,
    Learning,
    Service,
    Severity,
)
from observatory.store import Store

State = Literal["waiting", "learning", "stale", "inactive", "silenced", "judged"]

STALE_INTERVALS = 3
TREND_HOURS = 3
TREND_POINTS = 60
ACTIVE = tuple(state for state in IncidentState if state.is_active)
TREND_METRICS = ("request_rate", "error_rate", "latency_p95", "cpu_usage")


@dataclass(frozen=True, slots=True, repr=False)
class ServiceStatus:
    """One service now.

    It `is_stale` when its newest sample is older than a few intervals, and `is_inactive` when it has reported nothing
    for `inactive_hours`; both end with its next sample.

    `latest` has a value (base units) or None for every metric of the catalogue, taken at `at`;
    `trends` has `TREND_POINTS` values of each of `TREND_METRICS` over the last `TREND_HOURS`, oldest first.
    `silences` are those in force that are about it, the one that lasts longest first.
    """

    service: Service
    health: Health
    at: datetime | None
    is_stale: bool
    is_inactive: bool
    learning: Learning | None
    latest: dict[str, float | None]
    trends: dict[str, list[float | None]]
    open_anomalies: tuple[Anomaly, ...]
    anomalies_24h: int
    silences: tuple[InForce, ...] = ()
    incident: Severity | None = None
    """How ill it is, or was, in the incident that goes on: its own worst symptom. None where there is no incident."""

    def __repr__(self) -> str:
        score = "no score" if self.health.score is None else f"score {self.health.score}"
        return f"{self.name}: {self.health.band}, {score}, {len(self.open_anomalies)} open anomalies"

    @property
    def name(self) -> str:
        return self.service.name

    @property
    def state(self) -> State:
        """Where it is between its first sample and its last."""
        if self.at is None:
            return "waiting"
        if self.is_inactive:
            return "inactive"
        if self.is_stale:
            return "stale"
        if any(not one.silence.judges for one in self.silences):
            return "silenced"
        return "learning" if self.learning else "judged"


@dataclass(frozen=True, slots=True)
class Overview:
    """All services now, the worst first."""

    at: datetime
    source: str
    services: tuple[ServiceStatus, ...]
    last_cycle: Cycle | None
    skipped_24h: int = 0
    """Cycles that did not run during the last day, because others took too long."""

    @property
    def counts(self) -> dict[Band, int]:
        """Number of services in each band."""
        counts = dict.fromkeys(Band, 0)
        for status in self.services:
            counts[status.health.band] += 1
        return counts

    @property
    def inactive(self) -> int:
        """Number of services that have not reported for so long that they are no longer watched."""
        return sum(status.is_inactive for status in self.services)

    @property
    def open_anomalies(self) -> int:
        return sum(len(status.open_anomalies) for status in self.services)

    @property
    def anomalies_24h(self) -> int:
        return sum(status.anomalies_24h for status in self.services)

    @property
    def updated_at(self) -> datetime | None:
        """Time of the newest sample of any service."""
        return max((status.at for status in self.services if status.at), default=None)


def overview(store: Store, settings: Settings, now: datetime) -> Overview:
    """Judge every registered service as of `now`."""
    day = now - timedelta(days=1)
    known = store.sample_counts()
    counts, oldest, newest = (known[name].to_dict() for name in ("samples", "first", "last"))
    rows = store.latest(now - timedelta(days=settings.training_days)).to_dict("index")
    trends, evidence = _trends(store, now), _evidence(store, settings, now)
    anomalies: dict[str, list[Anomaly]] = {}
    for anomaly in store.anomalies(start=day, end=now):
        anomalies.setdefault(anomaly.service_name, []).append(anomaly)
    silences = in_force(store, now)
    incidents = _incidents(store)
    statuses = []
    for service in store.services():
        row = rows.get(service.name)
        last = newest.get(service.name) if row is None else row[TIMESTAMP]
        at = None if last is None else last.to_pydatetime()
        sample = {name: None if row is None else _plain(row[name]) for name in METRICS}
        judged_by = sample | {"error_rate": evidence.get(service.name, sample["error_rate"])}
        since = oldest[service.name].to_pydatetime() if service.name in oldest else None
        state = learning(int(counts.get(service.name, 0)), settings.minimum_samples, settings.interval, now, since)
        recent = anomalies.get(service.name, [])
        status = _status(
            service,
            settings,
            now,
            at,
            sample,
            judged_by,
            trends.get(service.name, {}),
            recent,
            state,
            tuple(covering(silences, service.name)),
        )
        statuses.append(replace(status, incident=incidents.get(service.name)))
    statuses.sort(key=order)
    cycle = next(iter(store.cycles(1)), None)
    return Overview(now, source_of(store, settings), tuple(statuses), cycle, store.skipped_cycles(day))


def source_of(store: Store, settings: Settings) -> str:
    """Where the samples come from: ``prometheus``, ``demo`` or ``import``, as the store has it noted down.

    Whoever only reads need not name it; of a store that nothing filled yet it is that of the settings.
    """
    held = store.note("source")
    return settings.source_name if held is None else held.split()[0]  # the demo's note has its seed, too


def learning(
    samples: int, needed: int, interval: float, now: datetime, since: datetime | None = None
) -> Learning | None:
    """The learning state of a service with so many samples, the first of `since`; None once it is judged."""
    if samples >= needed:
        return None
    ready = now + timedelta(seconds=(needed - samples) * interval) if samples else None
    return Learning(samples, needed, ready, since)


def targets(service: Service, settings: Settings) -> health.Targets:
    """What a service is held against: its own facts, else those of the settings."""
    return health.Targets(
        objective=service.objective or settings.objective, latency=service.latency_target or settings.latency_target
    )


def _status(
    service: Service,
    settings: Settings,
    now: datetime,
    at: datetime | None,
    sample: dict[str, float | None],
    judged_by: dict[str, float | None],
    trends: dict[str, list[float | None]],
    recent: list[Anomaly],
    state: Learning | None,
    silences: tuple[InForce, ...],
) -> ServiceStatus:
    open_now = tuple(sorted((a for a in recent if a.is_open), key=lambda a: a.severity.rank))
    stale, inactive = _stale(at, now, settings)
    judged = health.score(
        judged_by,
        service,
        targets(service, settings),
        window=settings.window or REACH,
        worst=open_now[0].severity if open_now else None,
        learning=state is not None,
        stale=stale or _unjudged(silences),
    )
    empty: list[float | None] = [None] * TREND_POINTS
    return ServiceStatus(
        service=service,
        health=judged,
        at=at,
        is_stale=bool(stale),
        is_inactive=inactive,
        learning=state,
        latest=sample,
        trends={name: trends.get(name, empty) for name in TREND_METRICS},
        open_anomalies=open_now,
        anomalies_24h=len(recent),
        silences=silences,
    )


def _unjudged(silences: Sequence[InForce]) -> str:
    """Why a service is not judged on purpose; empty where it is."""
    return next((f"not judged, {one.brief}" for one in silences if not one.silence.judges), "")


def _stale(at: datetime | None, now: datetime, settings: Settings) -> tuple[str, bool]:
    """Why a sample taken at `at` says nothing about now, empty when it does; and whether that has been so for long."""
    if at is None:
        return "no samples yet", False
    age = (now - at).total_seconds()
    if age > settings.inactive_hours * 3600:
        return f"inactive: nothing for {_age(age)}; it comes back when it reports", True
    if age <= STALE_INTERVALS * settings.interval + settings.delay:
        return "", False
    return f"stale: the newest sample is {_age(age)} old, one is expected every {settings.interval:.0f} s", False


def _age(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _trends(store: Store, now: datetime) -> dict[str, dict[str, list[float | None]]]:
    """By service and metric, `TREND_POINTS` values."""
    width = TREND_HOURS * 3600 / TREND_POINTS
    first = pd.Timestamp(now).floor(f"{width:.0f}s") - pd.Timedelta(seconds=(TREND_POINTS - 1) * width)
    frame = store.trends(first.to_pydatetime(), now, width, TREND_METRICS)
    codes, names = pd.factorize(frame[SERVICE])
    places = ((frame[TIMESTAMP] - first) / pd.Timedelta(seconds=width)).round().to_numpy(dtype=int)
    values = np.full((len(names), len(TREND_METRICS), TREND_POINTS), np.nan)
    values[codes, :, places] = frame[list(TREND_METRICS)].to_numpy(dtype=float)
    plain = values.astype(object)
    plain[~np.isfinite(values)] = None
    rows = zip(names, plain.tolist(), strict=True)
    return {str(name): dict(zip(TREND_METRICS, lists, strict=True)) for name, lists in rows}


def _evidence(store: Store, settings: Settings, now: datetime) -> dict[str, float | None]:
    """By service the error ratio that it is judged by."""
    frame = store.history_of_all(now - timedelta(seconds=REACH + settings.delay), now)
    return {
        str(name): judged_ratio(
            group["request_rate"].to_numpy(dtype=float), group["error_rate"].to_numpy(dtype=float), settings.interval
        )
        for name, group in frame.sort_values(TIMESTAMP).groupby(SERVICE, sort=False)
    }


def _incidents(store: Store) -> dict[str, Severity]:
    """By service that an incident reaches which goes on, the severity of its own worst symptom."""
    worst: dict[str, Severity] = {}
    for incident in store.incidents.read(states=ACTIVE):
        for symptom in incident.symptoms:
            known = worst.get(symptom.service_name, symptom.severity)
            worst[symptom.service_name] = min(known, symptom.severity, key=lambda severity: severity.rank)
    return worst


def _plain(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None


def order(status: ServiceStatus) -> tuple[bool, float, int, str]:
    """Sorts ill services first, then those nobody can judge, then the healthy; at the end those that are gone."""
    unknown = health.BANDS[0][0] - 0.5
    points = unknown if status.health.score is None else float(status.health.score)
    return status.is_inactive, points, -len(status.open_anomalies), status.name
