"""What a metric tells of, and how much its rise and its fall count: declared in the catalogue, or read from its name.

>>> signal_of("latency_p95"), signal_of("http5xxCount"), signal_of("HeapUsed")
('latency', 'error', 'resource')
>>> weights_of("error_rate"), weights_of("client_latency")
((1.0, 0.0), (0.7, 0.175))
"""

from __future__ import annotations

import re
from functools import lru_cache

from observatory.catalog import METRICS, Signal

SYMPTOMS = frozenset({"latency", "error", "success"})
"""Signals that travel from a callee to its callers."""

PASSIVE = 0.25
"""Weight of the harmless direction: a service that is called less uses less, and answers sooner."""
TWO_WAYS: dict[Signal, float] = {"network": 0.3, "traffic": 0.3, "other": 0.7}
"""Signals of which either direction may be the bad one."""
OUTGOING_WEIGHT = 0.7
"""What a service measures of those it calls is partly theirs."""

NAMES: tuple[tuple[Signal, str], ...] = (
    ("success", r"succ|availab|uptime|apdex"),
    ("event", r"restart|oom|crash|evict|panic"),
    (
        "error",
        r"err|fail|exception|5xx|(^|_)5\d\d(_|$)|timeout|timed_out|reject|drop|retr(y|ies|ans)|throttl|denied|abort",
    ),
    ("success", r"health|ready|replica|(^|_)up(_|$)|hit_?ra"),
    (
        "latency",
        r"laten|durat|respon|elapsed|(^|_)p\d\d|(^|_)lat(_|$)|(^|_)rt(_|$)|delay|(^|_)lag|_ms$|wait|slow",
    ),
    (
        "resource",
        r"cpu|mem|heap|(^|_)gc(_|$)|disk|(^|_)fs(_|$)|thread|conn|pool|queue|backlog|satur|util|usage|used"
        r"|syscall|iops|(^|_)io(_|$)|(^|_)fds?(_|$)|load\d|pressure|cache",
    ),
    ("network", r"net|byte|receive|transmit|(^|_)[rt]x(_|$)|packet"),
    (
        "traffic",
        r"req|rps|qps|(^|_)ops|tps|through|traffic|call|invoc|count|hits|(^|_)loa?d(_|$)|volume|rate$|per_?(s|m)",
    ),
)
"""The first that is found in the name of an unknown metric."""
OUTGOING = re.compile(r"client|outbound|upstream|downstream|egress|depend|external")


@lru_cache(4096)
def signal_of(metric: str) -> Signal:
    """What `metric` tells of."""
    declared = METRICS.get(metric)
    if declared is not None and declared.signal is not None:
        return declared.signal
    words = _words(metric)
    return next((signal for signal, pattern in NAMES if re.search(pattern, words)), "other")


@lru_cache(4096)
def weights_of(metric: str) -> tuple[float, float]:
    """How much a rise and a fall of `metric` count, each from 0 to 1."""
    declared, signal = METRICS.get(metric), signal_of(metric)
    if declared is not None and not declared.detect:
        return 0.0, 0.0  # it only counts down, or grows until the next event
    if signal == "success":
        rise, fall = 0.0, 1.0
    elif signal in ("error", "event"):
        rise, fall = 1.0, 0.0
    elif signal in TWO_WAYS:
        rise = fall = TWO_WAYS[signal]
    else:
        rise, fall = 1.0, PASSIVE
        if declared is not None and declared.worse == "down":
            rise, fall = fall, rise
    weight = OUTGOING_WEIGHT if OUTGOING.search(_words(metric)) else 1.0
    return rise * weight, fall * weight


def _words(metric: str) -> str:
    """In lower case, words apart by one underscore: ``PodClientLatency`` is ``pod_client_latency``."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", metric).lower())
