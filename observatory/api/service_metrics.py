"""What ``/metrics`` has of the services that the one who asks may see.

A value that is not known is absent, never 0 and never NaN: what is stale, not judged yet, or has no band. No label
changes while a service stays the same, so each service is the same few series for good: severity is a number, and the
id of an incident is no label, for each incident would begin new series; the REST API has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import get_args

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from observatory.api.middleware.metrics import NAME
from observatory.catalog import METRICS
from observatory.catalog import Metric as CatalogMetric
from observatory.config import Settings
from observatory.health.overview import Overview, ServiceStatus, State
from observatory.model import Band, Severity
from observatory.runtime.expected import Edges

UNITS = {"req/s": "per_second", "ratio": "ratio", "s": "seconds", "cores": "cores", "bytes": "bytes", "": ""}
"""Ends of names, by unit of the catalogue."""
WORST_FIRST = (Band.CRITICAL, Band.POOR, Band.DEGRADED, Band.UNKNOWN, Band.HEALTHY)
STATES: tuple[State, ...] = get_args(State)

EdgesOf = Callable[[str, datetime], Edges]


def exposed_name(metric: CatalogMetric, part: str = "") -> str:
    """What a metric of the catalogue is called at ``/metrics``; `part` is ``"lower"``, ``"upper"`` or empty.

    >>> exposed_name(METRICS["latency_p95"], "upper")
    'observatory_service_latency_p95_upper_seconds'
    >>> exposed_name(METRICS["pod_count"])
    'observatory_service_pods'
    """
    stem = metric.name.removesuffix("_count") + ("s" if metric.name.endswith("_count") else "")  # _count is taken
    return "_".join(filter(None, (NAME, "service", stem, part, UNITS[metric.unit])))


def chosen_services(services: Iterable[ServiceStatus], most: int) -> tuple[list[ServiceStatus], int]:
    """The worst `most` services, and how many are left out.

    They are told apart by band only: by score, those at the edge would come and go with every scrape. Of services that
    are inactive nothing is known, so they take no place.
    """
    known = [status for status in services if not status.is_inactive]
    known.sort(key=lambda one: (WORST_FIRST.index(one.health.band), one.incident is None, one.name))
    return known[:most], max(0, len(known) - most)


class ServiceMetrics(Collector):
    """An overview as metrics; `edges` tells the bands of a service at a time."""

    def __init__(self, overview: Overview, settings: Settings, edges: EdgesOf) -> None:
        self._overview = overview
        self._settings = settings
        self._edges = edges

    def collect(self) -> Iterator[Metric]:
        """See `Collector.collect`."""
        chosen, left_out = chosen_services(self._overview.services, self._settings.metrics_services)
        yield from self._fleet(left_out)
        yield from _judgements(chosen)
        yield from _values(chosen, self._edges)

    def _fleet(self, left_out: int) -> Iterator[Metric]:
        overview, settings = self._overview, self._settings
        bands = GaugeMetricFamily(f"{NAME}_services", "Services in each band.", labels=["band"])
        for band, count in overview.counts.items():
            bands.add_metric([str(band)], count)
        states = GaugeMetricFamily(
            f"{NAME}_services_by_state",
            "Services by what is known of them; of those that are silenced, those that are not judged for it.",
            labels=["state"],
        )
        for state in STATES:
            states.add_metric([state], sum(status.state == state for status in overview.services))
        yield from (bands, states)
        yield GaugeMetricFamily(
            f"{NAME}_services_left_out",
            "Services that are not here by name: there are more than OBSERVATORY_METRICS_SERVICES.",
            left_out,
        )
        yield GaugeMetricFamily(f"{NAME}_interval_seconds", "Time between samples, as it is set.", settings.interval)
        needed = settings.minimum_samples * settings.interval
        yield GaugeMetricFamily(
            f"{NAME}_learning_expected_seconds", "How long learning takes for a service that misses no sample.", needed
        )
        since = [
            status.learning.since
            for status in overview.services
            if status.state == "learning" and status.learning is not None and status.learning.since is not None
        ]
        if since:
            yield GaugeMetricFamily(
                f"{NAME}_learning_since_timestamp_seconds",
                "First sample of the service that has been learning for the longest time.",
                min(since).timestamp(),
            )
        cycle = overview.last_cycle
        if cycle is not None:
            yield GaugeMetricFamily(f"{NAME}_last_cycle_seconds", "How long the last cycle took.", cycle.seconds)
            stamp = cycle.started_at.timestamp()
            yield GaugeMetricFamily(f"{NAME}_last_cycle_timestamp_seconds", "When the last cycle began.", stamp)
            yield GaugeMetricFamily(
                f"{NAME}_last_cycle_failures", "What failed in the last cycle.", len(cycle.failures)
            )


def _judgements(chosen: Sequence[ServiceStatus]) -> Iterator[Metric]:
    label = ["service"]
    score = GaugeMetricFamily(f"{NAME}_health_score", "Health of a service, 0 to 100.", labels=label)
    open_ = GaugeMetricFamily(f"{NAME}_open_anomalies", "Anomalies that go on.", labels=["service", "severity"])
    anomalous = GaugeMetricFamily(
        f"{NAME}_service_anomalous", "Whether an anomaly of the service goes on; absent while not judged.", labels=label
    )
    incident = GaugeMetricFamily(
        f"{NAME}_service_incident_open", "Whether an incident that goes on reaches the service.", labels=label
    )
    severity = GaugeMetricFamily(
        f"{NAME}_service_incident_severity",
        "The service's worst symptom in the open incident: 1 low, 2 medium, 3 high, 4 critical; absent without one.",
        labels=label,
    )
    silenced = GaugeMetricFamily(
        f"{NAME}_service_silenced", "Whether a silence is in force that is about the service.", labels=label
    )
    seen = GaugeMetricFamily(
        f"{NAME}_service_sample_timestamp_seconds", "When the newest sample of the service was taken.", labels=label
    )
    for status in chosen:
        own = [status.name]
        if status.health.score is not None:
            score.add_metric(own, status.health.score)
        for level in Severity:
            count = sum(anomaly.severity is level for anomaly in status.open_anomalies)
            if count:
                open_.add_metric([status.name, str(level)], count)
        if status.open_anomalies or status.state == "judged":
            anomalous.add_metric(own, bool(status.open_anomalies))
        incident.add_metric(own, status.incident is not None)
        silenced.add_metric(own, bool(status.silences))
        if status.incident is not None:
            severity.add_metric(own, len(Severity) - status.incident.rank)
        if status.at is not None:
            seen.add_metric(own, status.at.timestamp())
    yield from (score, open_, anomalous, incident, severity, silenced, seen)


def _values(chosen: Sequence[ServiceStatus], edges: EdgesOf) -> Iterator[Metric]:
    """Each metric with the edges of its band, of services whose samples are fresh."""
    fresh = [(status, edges(status.name, status.at)) for status in chosen if status.at and not status.is_stale]
    for name, metric in METRICS.items():
        value = GaugeMetricFamily(exposed_name(metric), f"Newest {metric.label} of the service.", labels=["service"])
        sides = [
            GaugeMetricFamily(
                exposed_name(metric, side),
                f"{side.capitalize()} edge of the band of {metric.label}.",
                labels=["service"],
            )
            for side in ("lower", "upper")
        ]
        for status, known in fresh:
            newest = status.latest.get(name)
            if newest is not None:
                value.add_metric([status.name], newest)
            for side, edge in zip(sides, known.get(name, ()), strict=False):
                side.add_metric([status.name], edge)
        yield from (family for family in (value, *sides) if family.samples)
