"""The demo shop: a dozen services with daily and weekly patterns, a call graph, and labelled faults.

Every sample is a function of seed, service and time, so that a range asked for in pieces, live, or again gives the
same values. Noise is drawn for each UTC day from its own seed and smoothed over the end of the day before.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from observatory.errors import InvalidInputError, UnknownServiceError
from observatory.model import SERVICE, TIMESTAMP, Call, Change, Collected, End, Fault, Service, empty_samples
from observatory.sources.demo import deployments
from observatory.sources.demo.faults import KINDS, Injection, Reach, apply, reach

FloatArray = NDArray[np.float64]

DAY = 86400
MEMORY = 1800.0  # time over which noise is correlated [s]
BLIPS = 1 / 700  # share of samples with a harmless blip
CLEAN_BEFORE_LIVE = timedelta(minutes=45)
RECURRENCE = timedelta(hours=3)
LIVE_LENGTH = timedelta(minutes=18)


@dataclass(frozen=True, slots=True)
class Shape:
    """What one service of the shop is like when it is well."""

    team: str
    tier: str
    share: float  # of the frontend's requests
    p50: float  # [s]
    cores_per_request: float
    memory: float  # [bytes]
    pods: int
    sawtooth: float  # time between two garbage collections or compactions [s]


SHOP: dict[str, Shape] = {
    "shop/frontend": Shape("web", "tier-1", 1.0, 0.055, 0.004, 9e8, 6, 5.3 * 3600),
    "shop/catalog": Shape("discovery", "tier-1", 0.9, 0.018, 0.002, 1.4e9, 4, 7.1 * 3600),
    "shop/search": Shape("discovery", "tier-2", 0.35, 0.06, 0.007, 2.6e9, 4, 9.7 * 3600),
    "shop/recommendations": Shape("discovery", "tier-3", 0.5, 0.03, 0.006, 1.8e9, 3, 11.3 * 3600),
    "shop/cart": Shape("checkout", "tier-1", 0.3, 0.012, 0.002, 6e8, 4, 6.1 * 3600),
    "shop/checkout": Shape("checkout", "tier-1", 0.08, 0.12, 0.012, 8e8, 4, 8.9 * 3600),
    "shop/payments": Shape("payments", "tier-1", 0.06, 0.15, 0.009, 7e8, 4, 7.7 * 3600),
    "shop/shipping": Shape("fulfilment", "tier-2", 0.06, 0.045, 0.005, 5e8, 3, 12.1 * 3600),
    "shop/email": Shape("fulfilment", "tier-3", 0.05, 0.08, 0.004, 4e8, 3, 10.3 * 3600),
    "shop/inventory": Shape("fulfilment", "tier-2", 0.45, 0.02, 0.002, 9e8, 4, 6.7 * 3600),
    "shop/orders-db": Shape("platform", "tier-1", 0.6, 0.006, 0.003, 6.2e9, 3, 23.9 * 3600),
    "shop/sessions": Shape("platform", "tier-1", 1.2, 0.003, 0.0006, 2.2e9, 3, 13.7 * 3600),
}
CALLS = (
    ("shop/frontend", "shop/catalog"),
    ("shop/frontend", "shop/search"),
    ("shop/frontend", "shop/recommendations"),
    ("shop/frontend", "shop/cart"),
    ("shop/frontend", "shop/checkout"),
    ("shop/frontend", "shop/sessions"),
    ("shop/search", "shop/catalog"),
    ("shop/recommendations", "shop/catalog"),
    ("shop/catalog", "shop/inventory"),
    ("shop/cart", "shop/sessions"),
    ("shop/checkout", "shop/cart"),
    ("shop/checkout", "shop/payments"),
    ("shop/checkout", "shop/shipping"),
    ("shop/checkout", "shop/email"),
    ("shop/checkout", "shop/inventory"),
    ("shop/payments", "shop/orders-db"),
    ("shop/inventory", "shop/orders-db"),
    ("shop/shipping", "shop/orders-db"),
)
OUTSIDE = (
    Call("user", "shop/frontend", caller_is=End.USER),
    Call("shop/payments", "api.acquirer.example", callee_is=End.EXTERNAL),
    Call("shop/email", "smtp.mail.example", callee_is=End.EXTERNAL),
    Call("shop/catalog", "products", callee_is=End.DATABASE),
)
"""Calls that begin or end outside of the shop."""
FRONTEND_RATE = 240.0  # requests per second at the busiest hour

# Hours before the anchor in a history of a week, and length in minutes.
PAST = (
    ("memory_leak", "shop/recommendations", 110.0, 240),
    ("latency_spike", "shop/catalog", 92.0, 40),
    ("error_burst", "shop/search", 75.0, 25),
    ("traffic_drop", "shop/email", 60.0, 45),
    ("crash_loop", "shop/shipping", 44.0, 30),
    ("cascade", "shop/inventory", 27.0, 35),
    ("latency_spike", "shop/sessions", 15.0, 20),
    ("error_burst", "shop/cart", 7.0, 15),
)
WEEK_HOURS = 168.0


class DemoSource:
    """A `observatory.sources.Source` over the shop.

    Parameters
    ----------
    seed
        The same seed gives the same data.
    anchor
        Where the past ends: the labelled faults of the past lie at fixed distances before it.
    live_since, live_fault_after
        A cascade from ``shop/payments`` begins `live_fault_after` seconds after `live_since`, further faults
        every three hours after that. Without `live_since` nothing happens after the anchor.
    days
        Length of the history the past's faults are laid out over.
    step
        Time between samples [s].
    """

    name = "demo"

    def __init__(
        self,
        seed: int,
        anchor: datetime,
        live_since: datetime | None = None,
        live_fault_after: float = 75.0,
        days: float = 7.0,
        step: float = 60.0,
    ) -> None:
        self.seed = seed
        self.step = step
        self._anchor = _utc(anchor, "anchor")
        self._live_since = None if live_since is None else _utc(live_since, "live_since")
        self._live_fault_after = timedelta(seconds=live_fault_after)
        self._days = days
        self._past = self._past_faults()
        self._white = lru_cache(maxsize=1024)(self._draw)
        self._healthy_day = lru_cache(maxsize=256)(self._make_day)

    @property
    def asks(self) -> str:
        """The seed, and when the history begins."""
        return f"{self.seed} {self._anchor.isoformat()}"

    def go_live(self, now: datetime) -> None:
        """Let what happens live begin at `now`: filling the past may have taken longer than the first fault waits."""
        self._live_since = _utc(now, "now")

    def discover(self) -> list[Service]:
        """The shop's services, with limits and targets."""
        return [self._service(name) for name in sorted(SHOP)]

    def collect(self, at: datetime, services: Sequence[str] | None = None) -> Collected:
        """The sample of each service at `at`, rounded down to the step."""
        moment = _utc(at, "at").timestamp() // self.step * self.step
        time = datetime.fromtimestamp(moment, UTC)
        return self.history(time, time, self.step, services)

    def history(self, start: datetime, end: datetime, step: float, services: Sequence[str] | None = None) -> Collected:
        """Samples from `start` to `end`, at multiples of the step."""
        first, last = _utc(start, "start"), _utc(end, "end")
        if last < first:
            raise InvalidInputError(f"end = {end.isoformat()} is before start = {start.isoformat()}")
        names = list(SHOP) if services is None else list(services)
        for name in names:
            if name not in SHOP:
                raise UnknownServiceError(name, list(SHOP))
        if not names:
            return Collected(empty_samples(MEASURED), queries=len(MEASURED))
        frames = [self._samples(name, first, last, step).assign(**{SERVICE: name}) for name in names]
        frame = pd.concat(frames).rename_axis(TIMESTAMP).reset_index()
        return Collected(frame[[SERVICE, TIMESTAMP, *MEASURED]], queries=len(MEASURED))

    def graph(self) -> list[Call]:
        """Who calls whom in the shop, and what is outside of it."""
        between = [Call(caller, callee, "demo", self.name) for caller, callee in CALLS]
        return [*between, *(replace(call, kind="demo", source=self.name) for call in OUTSIDE)]

    def faults(self, start: datetime | None = None, end: datetime | None = None) -> list[Fault]:
        """Labels of the faults that overlap a range; after `live_since` an end must be given."""
        first = self._anchor - timedelta(days=365) if start is None else _utc(start, "start")
        last = max(self._anchor, first) if end is None else _utc(end, "end")
        found = [reached.fault for reached in self._reached(first, last)]
        return sorted(found, key=lambda fault: (fault.start, fault.service_name))

    def changes(self, start: datetime, end: datetime) -> list[Change]:
        """Deployments and other changes of a range, the oldest first; most do nothing."""
        found = deployments.planned(self._anchor, self._scale)
        found += [
            deployments.guilty(one.start) for one in self._past if (one.kind, one.service) == deployments.GUILTY[:2]
        ]
        if self._live_since is not None:
            found.append(deployments.live(self._live_since + self._live_fault_after))
        first, last = _utc(start, "start"), _utc(end, "end")
        return sorted((one for one in found if first <= one.at <= last), key=lambda one: (one.at, one.service_name))

    # -- what is well -----------------------------------------------------------------------

    def _service(self, name: str) -> Service:
        shape = SHOP[name]
        peak = FRONTEND_RATE * shape.share * shape.cores_per_request
        return Service(
            name,
            self.name,
            team=shape.team,
            tier=shape.tier,
            latency_target=max(0.1, round(shape.p50 * 8, 2)),
            cpu_limit=float(math.ceil(peak * 2.2 + 0.5)),
            memory_limit=round(shape.memory * 1.9, -8),
            desired_pods=float(shape.pods),
        )

    def _samples(self, name: str, start: datetime, end: datetime, step: float) -> pd.DataFrame:
        first = math.ceil(start.timestamp() / self.step) * self.step
        every = max(1, round(step / self.step))
        days = range(int(first // DAY), int(max(first, end.timestamp()) // DAY) + 1)
        values = np.concatenate([self._healthy_day(name, day) for day in days])
        begin = datetime.fromtimestamp(self._turns(days[0])[0] * self.step, UTC)
        times = pd.date_range(begin, periods=len(values), freq=pd.Timedelta(seconds=self.step)).as_unit("us")
        frame = pd.DataFrame(values, index=times, columns=list(MEASURED))
        frame = frame[(times >= pd.Timestamp(first, unit="s", tz=UTC)) & (times <= pd.Timestamp(end))].iloc[::every]
        for reached in self._reached(start, end):
            if reached.fault.service_name == name:
                frame = apply(reached, frame)
        return frame

    def _turns(self, day: int) -> range:
        """Which multiples of the step lie in a day; their number differs where the step does not divide a day."""
        return range(math.ceil(day * DAY / self.step), math.ceil((day + 1) * DAY / self.step))

    def _make_day(self, name: str, day: int) -> FloatArray:
        """A healthy day of one service: shape (samples, metrics)."""
        shape, count = SHOP[name], len(self._turns(day))
        seconds: FloatArray = np.asarray(self._turns(day), dtype=np.float64) * self.step
        shared, own = self._noise("shop", "traffic", day), self._noise(name, "traffic", day)
        load = _pattern(seconds, _phase(name)) * np.exp(0.05 * shared + 0.03 * own)
        rate = FRONTEND_RATE * shape.share * load
        slow = self._noise(name, "latency", day)
        blips = self._blips(name, day)
        p50 = shape.p50 * (0.85 + 0.35 * load**2) * np.exp(0.05 * slow)
        p95 = p50 * (2.1 + 0.5 * load) * np.exp(0.05 * np.abs(self._noise(name, "p95", day))) * blips
        p99 = p95 * (1.5 + 0.2 * load) * np.exp(0.09 * np.abs(self._noise(name, "p99", day)))
        errors = 0.0006 * np.exp(0.45 * self._noise(name, "errors", day)) * (1 + 0.4 * load) * blips
        cpu = 0.04 + rate * shape.cores_per_request * np.exp(0.04 * self._noise(name, "cpu", day))
        saw = (seconds / shape.sawtooth + _phase(name) / 24) % 1.0
        memory = shape.memory * (0.88 + 0.16 * saw + 0.04 * load) * np.exp(0.008 * self._noise(name, "memory", day))
        pods = np.full(count, float(shape.pods))
        if name == "shop/frontend":  # scales with the hour, as an autoscaler would
            pods += 2.0 * (_pattern(seconds, _phase(name)) > 0.75)
        columns = (rate, np.minimum(errors, 0.008), p50, p95, p99, cpu, memory, np.zeros(count), pods)
        values = np.column_stack(columns)
        values.setflags(write=False)
        return values

    def _noise(self, name: str, channel: str, day: int) -> FloatArray:
        """Heavy-tailed noise of about unit variance, half of it correlated over `MEMORY`."""
        today, before = self._white(name, channel, day), self._white(name, channel, day - 1)
        reach_back = min(len(today), max(1, round(MEMORY / self.step)))
        kernel = np.exp(-np.arange(reach_back) / max(1.0, reach_back / 3))
        kernel /= np.sqrt(np.square(kernel).sum())
        joined = np.concatenate([before[-reach_back + 1 :] if reach_back > 1 else before[:0], today])
        return np.asarray(0.7 * np.convolve(joined, kernel, mode="valid") + 0.7 * today)

    def _draw(self, name: str, channel: str, day: int) -> FloatArray:
        """White Student-t noise with five degrees of freedom, of unit variance."""
        return self._generator(name, channel, day).standard_t(5, len(self._turns(day))) / math.sqrt(5 / 3)

    def _blips(self, name: str, day: int) -> FloatArray:
        """Factors of 1, but for a few single samples that are harmless."""
        generator, count = self._generator(name, "blips", day), len(self._turns(day))
        factors = np.ones(count)
        hit = generator.random(count) < BLIPS
        factors[hit] = generator.uniform(1.3, 1.9, int(hit.sum()))
        return factors

    def _generator(self, name: str, channel: str, day: int) -> np.random.Generator:
        key = zlib.crc32(f"{name} {channel}".encode())
        return np.random.Generator(np.random.Philox(np.random.SeedSequence([self.seed, key, day])))

    # -- what is not ------------------------------------------------------------------------

    @property
    def _scale(self) -> float:
        """Of the distances in a week's history."""
        return min(1.0, self._days * 24 / WEEK_HOURS)

    def _past_faults(self) -> list[Injection]:
        scale = self._scale
        injections = []
        for kind, service, hours, minutes in PAST:
            start = self._anchor - timedelta(hours=hours * scale)
            end = start + timedelta(minutes=minutes * min(1.0, 3 * scale))
            if end <= self._anchor - CLEAN_BEFORE_LIVE:
                injections.append(Injection(kind, service, start, end))
        return injections

    def _live_faults(self, until: datetime) -> list[Injection]:
        if self._live_since is None:
            return []
        first = self._live_since + self._live_fault_after
        injections = [Injection("cascade", "shop/payments", first, first + LIVE_LENGTH)]
        kinds, services = sorted(KINDS), sorted(SHOP)
        for turn in range(1, max(0, int((until - first) / RECURRENCE)) + 1):
            generator = self._generator("shop", "faults", turn)
            start = first + turn * RECURRENCE + timedelta(minutes=float(generator.uniform(0, 60)))
            end = start + timedelta(minutes=float(generator.uniform(15, 40)))
            injections.append(Injection(str(generator.choice(kinds)), str(generator.choice(services)), start, end))
        return injections

    def _reached(self, start: datetime, end: datetime) -> list[Reach]:
        return [
            reached
            for injection in [*self._past, *self._live_faults(end)]
            for reached in reach(injection, CALLS)
            if reached.fault.start <= end and reached.fault.end >= start
        ]


MEASURED = (
    "request_rate",
    "error_rate",
    "latency_p50",
    "latency_p95",
    "latency_p99",
    "cpu_usage",
    "memory_usage",
    "restart_count",
    "pod_count",
)


def _phase(name: str) -> float:
    """Hours by which a service's day is shifted: a little, as its users differ."""
    return (zlib.crc32(name.encode()) % 100) / 100 * 1.5


def _pattern(seconds: FloatArray, phase: float) -> FloatArray:
    """Load by time of day and week, at most about 1: nights are quiet, evenings busy, weekends calmer."""
    hour = (seconds / 3600 - phase) % 24
    daily = 0.28 + 0.6 * (0.5 - 0.5 * np.cos(2 * np.pi * (hour - 3.5) / 24)) ** 1.2
    evening = 0.14 * np.exp(-0.5 * ((hour - 20) / 1.6) ** 2)
    weekday = (seconds / DAY + 3) % 7  # 1970-01-01 was a Thursday; 0 is Monday
    saturday_sunday = 1 / (1 + np.exp(-(weekday - 5) * 24)) - 1 / (1 + np.exp(-(weekday - 6.98) * 24))
    return np.asarray((daily + evening) * (1 - 0.22 * saturday_sunday))


def _utc(time: datetime, name: str) -> datetime:
    if time.tzinfo is None:
        raise InvalidInputError(f"{name} = {time.isoformat()} has no time zone: give UTC")
    return time.astimezone(UTC)
