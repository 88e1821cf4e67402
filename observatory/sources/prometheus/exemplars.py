"""Exemplars of the requests of a service: the slowest, and the traces that they are part of.

A server takes a whole query and answers with the exemplars of every series in it, as they are before anything is
summed. So they are told apart by their labels.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from datetime import UTC, datetime

from observatory.model import Exemplar, Renames
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.finding import ServiceFinder, names_of_target
from observatory.sources.prometheus.plan import Asked, Plan
from observatory.sources.prometheus.remembered import Remembered

TRACE = ("trace_id", "traceID", "traceId", "TraceID", "trace.id", "trace")
"""Labels of exemplars that hold a trace, as libraries call them."""
LATENCIES = ("latency_p95", "latency_p99", "latency_p50", "latency_mean")
LONGEST_ID = 128


def read_exemplars(
    client: PrometheusClient,
    plan: Plan,
    service: str,
    services: Collection[str],
    start: datetime,
    end: datetime,
    most: int,
    renames: Renames = (),
) -> list[Exemplar]:
    """The slowest requests of a service that have a trace, the slowest first; each trace once.

    Raises
    ------
    SourceError
        The server cannot be reached, or has no exemplars.
    """
    finder = ServiceFinder(services, renames)
    found: dict[str, Exemplar] = {}
    for asked in plan.asked:
        query, unit = _latency_query(asked)
        if not query:
            continue
        for series in client.exemplars(query, start, end):
            if finder.find(names_of_target(series.labels), series.labels) == service:
                for one in _with_trace(series, unit):
                    known = found.get(one.trace_id)
                    if known is None or known.seconds < one.seconds:
                        found[one.trace_id] = one
    return sorted(found.values(), key=lambda one: one.seconds, reverse=True)[:most]


def _latency_query(asked: Asked) -> tuple[str, float]:
    """A query of the latency of a family, and how many of its units are a second; empty where it has none."""
    if asked.buckets is not None:
        return asked.buckets.query, asked.buckets.unit
    return next(((asked.queries[name], 1.0) for name in LATENCIES if name in asked.queries), ("", 1.0))


def _with_trace(series: Remembered, unit: float) -> Iterator[Exemplar]:
    for labels, value, timestamp in series.exemplars:
        trace = next((labels[name] for name in TRACE if labels.get(name)), "")
        if trace and len(trace) <= LONGEST_ID and trace.isprintable() and math.isfinite(value):
            yield Exemplar(datetime.fromtimestamp(timestamp, UTC), value / unit, trace)
