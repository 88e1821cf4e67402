"""Health of a service from 0 to 100, with the arithmetic that led to it.

Each part is worth 1 at its good bound and 0 at its bad one, in a straight line between. Parts that
cannot be judged are dropped and the others renormalised; `Health.coverage` says how much was left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from observatory.catalog import METRICS
from observatory.health.evidence import least_ratio
from observatory.model import Band, Health, HealthPart, Service, Severity

WEIGHTS = {"availability": 40, "latency": 25, "saturation": 15, "stability": 10, "anomaly": 10}
BURN_GOOD, BURN_BAD = 1.0, 14.4  # multiples of the error budget; 14.4 spends a month's in two days
LATENCY_BAD = 4.0  # multiples of the target
CPU_GOOD, MEMORY_GOOD = 0.7, 0.8  # shares of the limit
RESTARTS_BAD = 3.0
CERTIFICATE_GOOD = 14 * 86400.0  # a certificate that ends later needs nothing done [s]
MINIMUM_REQUESTS = 20
MINIMUM_COVERAGE = 50
PUSHED_LONG_AGO = 86400.0  # what was pushed stays for ever [s]: after a day it says nothing of now
PENALTY = {Severity.CRITICAL: 1.0, Severity.HIGH: 0.6, Severity.MEDIUM: 0.3, Severity.LOW: 0.1}
BANDS = ((85, Band.HEALTHY), (60, Band.DEGRADED), (40, Band.POOR), (0, Band.CRITICAL))
AVAILABILITY_CAP, LATENCY_CAP = 39, 59


@dataclass(frozen=True, slots=True)
class Targets:
    """What a service is held against: availability `objective` (0–1), p95 `latency` [s]."""

    objective: float
    latency: float


Judged = tuple[float | None, str]


def score(
    sample: Mapping[str, float | None],
    service: Service,
    targets: Targets,
    *,
    window: float,
    worst: Severity | None = None,
    learning: bool = False,
    stale: str = "",
) -> Health:
    """Score one service.

    Parameters
    ----------
    sample
        Its latest values by metric name, in base units; None is missing.
    service
        For its limits and desired pods.
    targets
        For availability and latency.
    window
        Rate window the sample was taken over [s]: of fewer than 20 requests in it only certain errors count.
    worst
        Highest severity among its open anomalies.
    learning
        Whether anomalies cannot be judged yet.
    stale
        Why the sample is too old to be judged, if it is.
    """
    if stale:
        return Health(None, Band.UNKNOWN, 0, (), reason=stale)
    judged: dict[str, Judged] = {
        "availability": _availability(sample, targets, window),
        "latency": _latency(sample, targets, window),
        "saturation": _saturation(sample, service),
        "stability": _stability(sample, service),
        "anomaly": (None, "learning") if learning else _anomaly(worst),
    }
    coverage = sum(WEIGHTS[name] for name, (value, _) in judged.items() if value is not None)
    parts = tuple(
        HealthPart(name, WEIGHTS[name], value, 0.0 if value is None else 100 * WEIGHTS[name] * value / coverage, why)
        for name, (value, why) in judged.items()
    )
    if sample.get("pod_count") == 0:
        what = "it is down" if sample.get("up") == 0 else "no running pods"
        return Health(0, Band.CRITICAL, coverage, parts, (f"{what}: 0",), reason=what)
    age = sample.get("push_age")
    if age is not None and age > PUSHED_LONG_AGO:
        reason = f"stale: it last pushed {METRICS['push_age'].show(age)} ago"
        return Health(None, Band.UNKNOWN, coverage, parts, reason=reason)
    is_ill = any(judged[name][0] == 0 for name in ("availability", "latency"))  # that needs no more evidence
    if coverage < MINIMUM_COVERAGE and not is_ill:
        missing = ", ".join(name for name, (value, _) in judged.items() if value is None)
        return Health(None, Band.UNKNOWN, coverage, parts, reason=f"too little is known to judge: no {missing}")
    total = sum(part.points for part in parts)
    caps = []
    for name, cap in (("availability", AVAILABILITY_CAP), ("latency", LATENCY_CAP)):
        if judged[name][0] == 0:
            caps.append(f"{name} at its bad bound: at most {cap}")
            total = min(total, cap)
    result = round(total)
    return Health(result, band(result), coverage, parts, tuple(caps))


def band(points: float) -> Band:
    """The word for a score."""
    return next(name for least, name in BANDS if points >= least)


def _availability(sample: Mapping[str, float | None], targets: Targets, window: float) -> Judged:
    """The worst of what tells it: errors, whether it is up and answers its probe, how long its certificate lasts."""
    errors = _error_budget(sample, targets, window)
    known = [(value, why) for value, why in (errors, _answers(sample), _certificate(sample)) if value is not None]
    return min(known, key=lambda judged: judged[0]) if known else errors


def _answers(sample: Mapping[str, float | None]) -> Judged:
    """Whether it answers those that only ask whether it is there."""
    probe, up, age = sample.get("probe_success"), sample.get("up"), sample.get("push_age")
    if probe is not None and probe < 1:
        return 0.0, "its probe fails"
    if up is not None and up < 1:
        return (0.0, "it is down") if up == 0 else (up, f"{METRICS['up'].show(up)} of its targets are up")
    if probe is not None:
        return 1.0, "its probe succeeds"
    if sample.get("request_rate") is not None or age is not None:
        return None, ""  # that it is up says less than its requests; and what it pushed may be up without it
    if up is not None:
        return 1.0, "it is up"
    failed = sample.get("failed_jobs")
    return (None, "") if failed is None else (float(failed <= 0), _failed_jobs(failed))


def _certificate(sample: Mapping[str, float | None]) -> Judged:
    """Nothing while it lasts long: that says nothing of whether the service answers."""
    left = sample.get("certificate_expiry")
    if left is None or left >= CERTIFICATE_GOOD:
        return None, ""
    if left <= 0:
        return 0.0, "its certificate has ended"
    days = int(left // 86400)
    when = {0: "in less than a day", 1: "in 1 day"}.get(days, f"in {days} days")
    return _between(left, CERTIFICATE_GOOD, 0.0), f"its certificate ends {when}"


def _failed_jobs(failed: float) -> str:
    return "no job failed" if failed <= 0 else "1 job failed" if failed == 1 else f"{failed:.0f} jobs failed"


def _error_budget(sample: Mapping[str, float | None], targets: Targets, window: float) -> Judged:
    requests = _requests(sample, window)
    if requests is None:
        return None, "no request rate"
    errors = sample.get("error_rate")
    if requests < 1:
        return 1.0, "no requests to burn the budget"
    if errors is None:
        return None, "no error rate"
    if requests < MINIMUM_REQUESTS:
        return _few_errors(errors, requests, targets)
    burn = errors / (1 - targets.objective)
    shown = METRICS["error_rate"].show(errors)
    return _between(burn, BURN_GOOD, BURN_BAD), f"errors {shown}, burning the budget {burn:.3g}× as fast as allowed"


def _few_errors(errors: float, requests: float, targets: Targets) -> Judged:
    """A few requests tell errors only where nearly all of them fail."""
    burn = least_ratio(errors, requests) / (1 - targets.objective)
    shown = METRICS["error_rate"].show(errors)
    if burn <= BURN_GOOD:
        return 1.0, f"too few requests to burn the budget ({requests:.0f} in the window, errors {shown})"
    return _between(burn, BURN_GOOD, BURN_BAD), f"errors {shown} of only {requests:.0f} requests in the window"


def _latency(sample: Mapping[str, float | None], targets: Targets, window: float) -> Judged:
    requests, p95, mean = _requests(sample, window), sample.get("latency_p95"), sample.get("latency_mean")
    if requests is not None and requests < MINIMUM_REQUESTS:
        return None, f"too few requests ({requests:.0f} in the window)"
    show = METRICS["latency_p95"].show
    if p95 is None and mean is not None:
        value = _between(mean, targets.latency, LATENCY_BAD * targets.latency)
        return value, f"mean {show(mean)}, target {show(targets.latency)} (p95 is not known)"
    if p95 is None:
        return None, "no latency"
    value = _between(p95, targets.latency, LATENCY_BAD * targets.latency)
    return value, f"p95 {show(p95)}, target {show(targets.latency)}"


def _saturation(sample: Mapping[str, float | None], service: Service) -> Judged:
    worst: Judged = (None, "no limits known")
    for name, limit, good in (
        ("cpu_usage", service.cpu_limit, CPU_GOOD),
        ("memory_usage", service.memory_limit, MEMORY_GOOD),
    ):
        used = sample.get(name)
        if used is None or not limit:
            continue
        value = _between(used / limit, good, 1.0)
        if worst[0] is None or value < worst[0]:
            worst = value, f"{METRICS[name].label} at {used / limit:.0%} of its limit"
    return worst


def _stability(sample: Mapping[str, float | None], service: Service) -> Judged:
    restarts, pods, desired = sample.get("restart_count"), sample.get("pod_count"), service.desired_pods
    failed, known = sample.get("failed_jobs"), []
    if restarts is not None:
        known.append((_between(restarts, 0.0, RESTARTS_BAD), f"{restarts:.0f} restarts"))
    if pods is not None and desired:
        known.append((min(1.0, pods / desired), f"{pods:.0f} of {desired:.0f} pods running"))
    if failed is not None:
        known.append((float(failed <= 0), _failed_jobs(failed)))
    return min(known, key=lambda judged: judged[0]) if known else (None, "no restarts or pods known")


def _anomaly(worst: Severity | None) -> Judged:
    return (1.0, "no open anomaly") if worst is None else (1 - PENALTY[worst], f"open anomaly: {worst}")


def _requests(sample: Mapping[str, float | None], window: float) -> float | None:
    rate = sample.get("request_rate")
    return None if rate is None else rate * window


def _between(value: float, good: float, bad: float) -> float:
    """1 at `good` or better, 0 at `bad` or worse."""
    return min(1.0, max(0.0, (bad - value) / (bad - good)))
