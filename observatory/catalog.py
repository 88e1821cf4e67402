"""METRICS: the one place where a metric is declared.

A row here is collected, stored in a column of its own, detected on, served and shown; nothing else
needs to change. Values are in Prometheus base units everywhere (seconds, bytes, ratios, cores);
only views rescale them through `Metric.show`.

How the metrics here are asked for is the sources' business (`observatory.sources.prometheus.presets`). A row of your
own may hold its query templates by preset, over ``$by`` and ``$window``:
``queries={"process": "sum by ($by) (queue_depth)"}``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from observatory.units import show

FloatArray = NDArray[np.float64]
Direction = Literal["up", "down", "both"]
Transform = Literal["log", "sqrt", "identity"]
Signal = Literal["latency", "error", "success", "event", "resource", "network", "traffic", "other"]
"""What a metric tells of: the golden signals, with events (restarts, crashes) and shares of success apart."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One golden-signal or resource metric of a service.

    Parameters
    ----------
    name
        Column name, and name in the API.
    label
        What people call it.
    unit
        Base unit: ``"req/s"``, ``"ratio"``, ``"s"``, ``"cores"``, ``"bytes"``, ``""`` (a count).
    worse
        The direction in which the metric gets worse.
    transform
        Scale on which its deviations are about symmetric.
    min_absolute, min_relative
        Smallest deviation worth a word [unit, share of typical]; both must be exceeded.
    aggregate
        How samples of several series or of a longer step are summarised.
    needs_traffic
        Whether the metric means nothing while hardly any request arrives.
    detect
        Whether an unusual value is an anomaly. What only counts down, or grows until the next event, is none.
    common
        Whether services mostly have it. One that few have is shown only where it has values.
    queries
        Query templates by preset, of a metric that no preset knows.
    signal
        What it tells of, when the likeliest cause of an incident is looked for; taken from its name if None.
    """

    name: str
    label: str
    unit: str
    worse: Direction
    transform: Transform
    min_absolute: float
    min_relative: float
    aggregate: Literal["avg", "max", "sum"] = "avg"
    needs_traffic: bool = False
    detect: bool = True
    common: bool = True
    queries: Mapping[str, str] = field(default_factory=dict)
    signal: Signal | None = None

    def apply(self, values: FloatArray) -> FloatArray:
        """`values` on the scale of `transform`; shape is kept, NaN stays NaN."""
        if self.transform == "log":
            return np.asarray(np.log(np.maximum(values, 0) + self.min_absolute))
        if self.transform == "sqrt":
            return np.asarray(np.sqrt(np.maximum(values, 0)))
        return np.asarray(values, dtype=float)

    def invert(self, values: FloatArray) -> FloatArray:
        """The inverse of `apply`."""
        if self.transform == "log":
            return np.asarray(np.maximum(np.exp(np.minimum(values, 700.0)) - self.min_absolute, 0))
        if self.transform == "sqrt":
            return np.asarray(np.square(np.maximum(values, 0)))
        return np.asarray(values, dtype=float)

    def show(self, value: float | None) -> str:
        """`value` for people, with its unit; see `observatory.units.show`."""
        return show(value, self.unit)


_ROWS = (
    Metric(
        "request_rate",
        "request rate",
        "req/s",
        worse="down",
        transform="sqrt",
        min_absolute=1.0,
        min_relative=0.3,
        signal="traffic",
    ),
    Metric(
        "error_rate",
        "errors",
        "ratio",
        worse="up",
        transform="sqrt",
        min_absolute=0.01,
        min_relative=0.5,
        needs_traffic=True,
        signal="error",
    ),
    Metric(
        "latency_p50",
        "p50 latency",
        "s",
        worse="up",
        transform="log",
        min_absolute=0.02,
        min_relative=0.3,
        needs_traffic=True,
        signal="latency",
    ),
    Metric(
        "latency_p95",
        "p95 latency",
        "s",
        worse="up",
        transform="log",
        min_absolute=0.03,
        min_relative=0.3,
        needs_traffic=True,
        signal="latency",
    ),
    Metric(
        "latency_p99",
        "p99 latency",
        "s",
        worse="up",
        transform="log",
        min_absolute=0.05,
        min_relative=0.3,
        needs_traffic=True,
        signal="latency",
    ),
    Metric(
        "cpu_usage",
        "CPU",
        "cores",
        worse="up",
        transform="log",
        min_absolute=0.05,
        min_relative=0.3,
        signal="resource",
    ),
    Metric(
        "memory_usage",
        "memory",
        "bytes",
        worse="up",
        transform="log",
        min_absolute=32e6,
        min_relative=0.2,
        signal="resource",
    ),
    Metric(
        "restart_count",
        "restarts",
        "",
        worse="up",
        transform="identity",
        min_absolute=1.5,
        min_relative=0.0,
        aggregate="max",
        signal="event",
    ),
    Metric(
        "pod_count",
        "running pods",
        "",
        worse="down",
        transform="identity",
        min_absolute=1.5,
        min_relative=0.36,
        signal="resource",
    ),
    Metric(
        "latency_mean",
        "mean latency",
        "s",
        worse="up",
        transform="log",
        min_absolute=0.02,
        min_relative=0.3,
        needs_traffic=True,
        common=False,
        signal="latency",
    ),
    Metric(
        "up",
        "targets up",
        "ratio",
        worse="down",
        transform="identity",
        min_absolute=0.3,
        min_relative=0.3,
        common=False,
        signal="success",
    ),
    Metric(
        "probe_success",
        "probe",
        "ratio",
        worse="down",
        transform="identity",
        min_absolute=0.5,
        min_relative=0.5,
        common=False,
        signal="success",
    ),
    Metric(
        "probe_duration",
        "probe time",
        "s",
        worse="up",
        transform="log",
        min_absolute=0.05,
        min_relative=0.5,
        common=False,
        signal="latency",
    ),
    Metric(
        "certificate_expiry",
        "certificate",
        "s",
        worse="down",
        transform="identity",
        min_absolute=86400.0,
        min_relative=0.5,
        detect=False,
        common=False,
        signal="other",
    ),
    Metric(
        "queue_lag",
        "queue",
        "",
        worse="up",
        transform="log",
        min_absolute=100.0,
        min_relative=0.5,
        common=False,
        signal="resource",
    ),
    Metric(
        "replica_lag",
        "replica lag",
        "s",
        worse="up",
        transform="log",
        min_absolute=5.0,
        min_relative=0.5,
        common=False,
        signal="resource",
    ),
    Metric(
        "push_age",
        "last push",
        "s",
        worse="up",
        transform="log",
        min_absolute=600.0,
        min_relative=1.0,
        detect=False,
        common=False,
        signal="other",
    ),
    Metric(
        "failed_jobs",
        "failed jobs",
        "",
        worse="up",
        transform="identity",
        min_absolute=0.5,
        min_relative=0.0,
        common=False,
        signal="event",
    ),
)

METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _ROWS})
"""Every metric by name, in the order in which people read them."""


def metric(name: str) -> Metric:
    """The metric called `name`; a column nobody declared is taken to get worse both ways."""
    return METRICS.get(name) or Metric(name, name, "", "both", "identity", 0.0, 0.0)


def detected(names: Iterable[str]) -> list[str]:
    """Of `names` those in which an unusual value is an anomaly.

    >>> detected(["error_rate", "certificate_expiry"])
    ['error_rate']
    """
    return [name for name in names if metric(name).detect]


def present(names: Iterable[str], has_values: Callable[[str], bool]) -> list[str]:
    """Of `names` the common metrics, and of the others those that have values.

    >>> present(["error_rate", "up", "queue_lag"], lambda name: name == "up")
    ['error_rate', 'up']
    """
    return [name for name in names if metric(name).common or has_values(name)]
