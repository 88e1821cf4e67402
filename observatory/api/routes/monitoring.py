"""What Prometheus scrapes: how the services are, and how the workbench itself is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from apiflask import APIBlueprint
from flask import Flask, Response, current_app, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from observatory.api import context as wire
from observatory.api.middleware.authorization import Access, access
from observatory.health.overview import Overview
from observatory.model.samples import Severity

NAME = "observatory"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

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
    registry.register(OfServices(wire.runtime().overview()))
    text = generate_latest(registry)
    if g.caller.scope.is_everything:
        text += generate_latest(current_app.extensions["requests"].registry)
    return Response(text, content_type=CONTENT_TYPE_LATEST)


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


class Requests:
    """Counts requests of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels: dict[str, Any] = {"registry": self.registry, "namespace": NAME}
        self._count = Counter("http_requests", "Requests answered.", ["method", "route", "status"], **labels)
        self._seconds = Histogram(
            "http_request_seconds", "Time from the request to its answer.", ["route"], buckets=BUCKETS, **labels
        )

    def begin(self) -> None:
        """A request came in."""
        g.began = time.perf_counter()

    def end(self, response: Response) -> Response:
        """It is answered."""
        route = request.url_rule.rule if request.url_rule else "none"
        self._count.labels(request.method if request.url_rule else "any", route, response.status_code).inc()
        self._seconds.labels(route).observe(time.perf_counter() - g.began)
        return response


def install(app: Flask) -> None:
    """Count the requests of `app`."""
    counted = app.extensions["requests"] = Requests()
    app.before_request(counted.begin)
    app.after_request(counted.end)
