"""What Prometheus scrapes: how the services are, and how the workbench itself is."""

from __future__ import annotations

from datetime import timedelta

from apiflask import APIBlueprint
from flask import Response, current_app, g
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from observatory.access.gate import Access
from observatory.annotations.masks import learned_history_of_all
from observatory.api import context
from observatory.api.conditional import Rendered
from observatory.api.middleware.authorization import access
from observatory.api.own_metrics import ConditionMetrics, NotificationMetrics
from observatory.api.service_metrics import ServiceMetrics, chosen_services
from observatory.health.overview import Overview
from observatory.runtime import Runtime
from observatory.runtime.condition import condition
from observatory.runtime.expected import ExpectedRanges

TAG = {"name": "monitoring", "description": "For Prometheus."}
routes = APIBlueprint("exposition", __name__, tag=TAG)


@routes.get("/metrics")
@access(Access.READ)
@routes.doc(operation_id="getMetrics", responses={200: "Prometheus' text format."})
def metrics() -> Response:
    """Metrics for Prometheus

    Of the services you may see: health, anomalies, incidents, the newest value of each metric and the band that is
    expected of it. For those who may see every service also how the workbench is: sources, store, messages, requests.
    """
    runtime, scope = context.context().runtime, g.caller.scope
    overview = runtime.overview()
    seen = context.reader().overview()
    ranges = expected_ranges(runtime)
    chosen, _ = chosen_services(seen.services, runtime.settings.metrics_services)
    fresh = {status.name: status.at for status in chosen if status.at is not None and not status.is_stale}
    ranges.follow(fresh, {status.name for status in overview.services})

    def make() -> Rendered:
        collectors: list[Collector] = [ServiceMetrics(seen, runtime.settings, ranges.edges)]
        if scope.is_everything:
            collectors.append(_condition(runtime, overview))
        return Rendered(_text(*collectors), "")

    body = context.context().renderings.get(overview, ("metrics", scope.patterns), make).body
    if scope.is_everything:
        body += _text(NotificationMetrics(runtime.store.notifications, runtime.clock()))
        body += generate_latest(current_app.extensions["requests"].registry)
    return Response(body, content_type=CONTENT_TYPE_LATEST)


def expected_ranges(runtime: Runtime) -> ExpectedRanges:
    """The bands of all services, made when they are first asked for."""

    def make() -> ExpectedRanges:
        settings = runtime.settings
        made = ExpectedRanges(
            learned_history_of_all(runtime.store),
            interval=settings.interval,
            training=timedelta(days=settings.training_days),
            refit_after=timedelta(hours=settings.refit_hours),
        )
        runtime.before_close.append(made.close)
        return made

    return runtime.parts.get(ExpectedRanges, make)


def _condition(runtime: Runtime, overview: Overview) -> ConditionMetrics:
    found = condition(runtime.store, runtime.settings, overview, runtime.source_names)
    return ConditionMetrics(found, runtime.worker.skipped)


def _text(*collectors: Collector) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    for collector in collectors:
        registry.register(collector)
    return generate_latest(registry)
