"""Thirty days of a shop, with what happens in thirty days: a gap, a restart, NaN, and a service that goes away."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from support.openmetrics import Exposition

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 30
DAY = 86_400
MB = 1e6
GAP = (10, 12)
"""Days `api` could not be reached."""
RESTART = 5 * DAY + 6 * 3600
"""When `checkout` began again [s after the start]."""
UNKNOWN = (15, 16)
"""Days the memory of ``shop/cart`` is NaN."""
GONE = 20
"""The day `legacy` was switched off."""


def month(every: int, services: int = 0) -> Exposition:
    """The history with a sample each `every` seconds, and so many more `services` that nothing happens to."""
    start = int(START.timestamp())
    times = range(start, start + DAYS * DAY + 1, every)
    text = Exposition(times)
    shown = {
        "api": [at for at in times if not GAP[0] * DAY <= at - start < GAP[1] * DAY],
        "legacy": [at for at in times if at - start < GONE * DAY],
    } | {f"s{number}": list(times) for number in range(services)}
    for job, seen in shown.items():
        for code, rate in (("200", 9.0), ("500", 1.0)):
            text.histogram("http_request_duration_seconds", {"job": job, "code": code}, rate, 0.1, seen)
    for code, rate in (("200", 20.0), ("503", 5.0)):
        labels = {"job": "checkout", "http_response_status_code": code}
        text.histogram("http_server_request_duration_seconds", labels, rate)
    for job, seen in {**shown, "checkout": list(times)}.items():
        reset = start + RESTART if job == "checkout" else None
        text.counter("process_cpu_seconds", {"job": job}, 0.25, seen, **({"reset": reset} if reset else {}))
        text.gauge("process_resident_memory_bytes", {"job": job}, lambda at: 64 * MB, seen)
        text.gauge("process_start_time_seconds", {"job": job}, lambda at, r=reset: r if r and at >= r else start, seen)
        text.gauge("up", {"job": job}, lambda at: 1, seen)
    pod = {"namespace": "shop", "pod": "cart-5d9f7c8b6d-x2x9p"}
    container = {**pod, "container": "cart", "image": "cart:1"}
    text.counter("container_cpu_usage_seconds", container, 0.5)
    text.gauge(
        "container_memory_working_set_bytes",
        container,
        lambda at: math.nan if UNKNOWN[0] * DAY <= at - start < UNKNOWN[1] * DAY else 128 * MB,
    )
    owner = {**pod, "owner_kind": "ReplicaSet", "owner_name": "cart-5d9f7c8b6d"}
    text.gauge("kube_pod_owner", owner, lambda at: 1)
    text.gauge("kube_pod_status_phase", {**pod, "phase": "Running"}, lambda at: 1)
    text.counter("kube_pod_container_status_restarts", {**pod, "container": "cart"}, 0)
    return text
