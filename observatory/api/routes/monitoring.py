"""What Prometheus scrapes: how the services are, and how the workbench itself is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from apiflask import APIBlueprint
from flask import Response, current_app, g
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from observatory.access.gate import Access
from observatory.api import context
from observatory.api.middleware.authorization import access
from observatory.api.middleware.metrics import NAME
from observatory.health.overview import Overview
from observatory.model import Severity
from observatory.store.tables.notifications import Notifications

TAG = {"name": "monitoring", "description": "For Prometheus."}
routes = APIBlueprint("exposition", __name__, tag=TAG)


@routes.get("/metrics")
@access(Access.READ)
@routes.doc(operation_id="getMetrics", responses={200: "Prometheus' text format."})
def metrics() -> Response:
    """Metrics for Prometheus

    Health and open anomalies of the services you may see; requests to this process by route and status.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(OfServices(context.reader().overview()))
    text = generate_latest(registry)
    if g.caller.scope.is_everything:
        own = CollectorRegistry(auto_describe=False)
        runtime = context.context().runtime
        own.register(OfNotifications(runtime.store.notifications, runtime.clock()))
        text += generate_latest(own)
        text += generate_latest(current_app.extensions["requests"].registry)
    return Response(text, content_type=CONTENT_TYPE_LATEST)


class OfNotifications(Collector):
    """Who was told, and what waits: an alert on it needs another way than the one that fails."""

    def __init__(self, notifications: Notifications, now: datetime) -> None:
        self._notifications = notifications
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """See `Collector.collect`."""
        deliveries = GaugeMetricFamily(
            f"{NAME}_deliveries", "Messages about incidents by destination and state.", labels=["destination", "state"]
        )
        for count in self._notifications.counts():
            deliveries.add_metric([count.destination, str(count.state)], count.deliveries)
        yield deliveries
        oldest = self._notifications.oldest_overdue(self._now)
        if oldest is not None:
            yield GaugeMetricFamily(
                f"{NAME}_oldest_untold_timestamp_seconds",
                "When the oldest happened that somebody should have been told of.",
                oldest.timestamp(),
            )


class OfServices(Collector):
    """An overview as metrics."""

    def __init__(self, overview: Overview) -> None:
        self._overview = overview

    def collect(self) -> Iterator[Metric]:
        """See `Collector.collect`."""
        overview = self._overview
        score = GaugeMetricFamily(f"{NAME}_health_score", "Health of a service, 0 to 100.", labels=["service"])
        anomalies = GaugeMetricFamily(f"{NAME}_open_anomalies", "Anomalies that go on.", labels=["service", "severity"])
        bands = GaugeMetricFamily(f"{NAME}_services", "Services in each band.", labels=["band"])
        for status in overview.services:
            if status.health.score is not None:
                score.add_metric([status.name], status.health.score)
            for severity in Severity:
                count = sum(anomaly.severity is severity for anomaly in status.open_anomalies)
                if count:
                    anomalies.add_metric([status.name, str(severity)], count)
        for band, count in overview.counts.items():
            bands.add_metric([str(band)], count)
        yield from (score, anomalies, bands)
        cycle = overview.last_cycle
        if cycle is not None:
            yield GaugeMetricFamily(f"{NAME}_last_cycle_seconds", "How long the last cycle took.", cycle.seconds)
            stamp = cycle.started_at.timestamp()
            yield GaugeMetricFamily(f"{NAME}_last_cycle_timestamp_seconds", "When the last cycle began.", stamp)
            yield GaugeMetricFamily(
                f"{NAME}_last_cycle_failures", "What failed in the last cycle.", len(cycle.failures)
            )
