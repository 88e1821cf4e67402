"""The things the layers hand each other, and the columns of the frames they share.

A frame of samples is wide: one column a metric, missing values NaN. Of one service it has a UTC
``DatetimeIndex``; of many it has the columns ``service_name`` and ``timestamp`` instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import pandas as pd

SERVICE = "service_name"
TIMESTAMP = "timestamp"
IMPORTED = "import"
"""Source of services that are known from files only, until another has them."""
MOST_NAMED = 50
"""Services a source is asked for by name; of more it is asked for all, and what was not wanted is left out."""
LONGEST_NAME = 200


def is_usable_name(name: str) -> bool:
    """Whether a service may be called so: it must fit in a message, an address and a line."""
    return 0 < len(name) <= LONGEST_NAME and name.isprintable() and name == name.strip()


class Severity(StrEnum):
    """How bad an anomaly is; compare by `rank`, 0 is the worst."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class Band(StrEnum):
    """What a health score means in one word."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    POOR = "poor"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Service:
    """A service whose health is watched.

    `name` may be ``namespace/name``. Limits are totals over all pods: `cpu_limit` [cores],
    `memory_limit` [bytes]; `objective` is the availability target (0–1), `latency_target` the
    p95 that users should see at most [s]. None means not known, or the default of the settings.
    """

    name: str
    source: str = "prometheus"
    team: str | None = None
    tier: str | None = None
    objective: float | None = None
    latency_target: float | None = None
    cpu_limit: float | None = None
    memory_limit: float | None = None
    desired_pods: float | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one metric contributed to an anomaly, in base units."""

    metric: str
    actual: float
    typical: float
    lower: float
    upper: float
    share: float
    direction: str  # "up" or "down": on which side of typical the value lies


@dataclass(frozen=True, slots=True)
class Anomaly:
    """An episode in which one service departed from its normal behaviour.

    It is identified by service, `started_at` and detector. `ended_at` is the last anomalous sample;
    `score` the highest score so far, 1.0 being the alarm line; evidence and message are those of
    the worst moment, at `peak_at`.
    """

    service_name: str
    started_at: datetime
    ended_at: datetime
    peak_at: datetime
    is_open: bool
    severity: Severity
    score: float
    detector: str
    message: str
    evidence: tuple[Evidence, ...]

    @property
    def metrics(self) -> tuple[str, ...]:
        """Affected metrics, the largest share first."""
        return tuple(item.metric for item in self.evidence)

    @property
    def sentence(self) -> str:
        """Its message without the service in front, for where that is said already."""
        return self.message.removeprefix(f"{self.service_name}: ")


@dataclass(frozen=True, slots=True)
class Learning:
    """Why a service cannot be judged yet."""

    samples: int
    needed: int
    ready_at: datetime | None

    @property
    def message(self) -> str:
        when = f", ready about {self.ready_at:%Y-%m-%d %H:%M} UTC" if self.ready_at else ""
        return f"learning: {self.samples} of {self.needed} samples{when}"


@dataclass(frozen=True, slots=True)
class HealthPart:
    """One line of a health score's arithmetic: `points` = `weight` × `value` (0–1) after renormalising."""

    name: str
    weight: float
    value: float | None
    points: float
    detail: str


@dataclass(frozen=True, slots=True)
class Health:
    """A health score with its arithmetic. `score` is None when the band is unknown."""

    score: int | None
    band: Band
    coverage: int
    parts: tuple[HealthPart, ...]
    caps: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A labelled fault: ground truth to judge detectors by. Bounds are inclusive."""

    service_name: str
    kind: str
    start: datetime
    end: datetime
    metrics: tuple[str, ...]
    root_cause: str


class Verdict(StrEnum):
    """What a person says: of an anomaly that it was right or a false alarm, of a span that it was missed."""

    RIGHT = "right"
    FALSE_ALARM = "false_alarm"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Feedback:
    """A person's verdict on a span of one service, both ends inclusive.

    `detector` is whose anomaly it is about, empty for what was missed. Service, start and detector identify one.
    """

    service_name: str
    verdict: Verdict
    started_at: datetime
    ended_at: datetime
    given_at: datetime
    detector: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that did not work while the rest went on."""

    what: str
    error: str


@dataclass(frozen=True, slots=True)
class Cycle:
    """What one round of collecting and detecting did; `seconds` is how long it took.

    `skipped` is how many cycles before it did not run, because another took too long.
    """

    started_at: datetime
    seconds: float
    services: int
    samples: int
    anomalies: int
    failures: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Remark:
    """What a source said about its samples from `start` to `end`, such as that they are partial."""

    source: str
    start: datetime
    end: datetime
    text: str


class RunStatus(StrEnum):
    """How a run of a notebook goes, or went."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # a cell raised
    TIMED_OUT = "timed out"
    KERNEL_DIED = "kernel died"
    STOPPED = "stopped"  # somebody ended it
    LOST = "lost"  # its process ended without a word
    SKIPPED = "skipped"  # it was due, and not run


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a notebook.

    `job` and `due_at` tell which schedule asked for it, and for when; they are empty for a run by hand. `folder`
    holds the executed notebook and its report. `failed_cell` counts cells of code from 1. `process` is who runs it.
    """

    id: str
    notebook: str
    started_at: datetime
    seen_at: datetime
    status: RunStatus
    folder: str
    process: str
    parameters: dict[str, Any] = field(default_factory=dict)
    job: str = ""
    due_at: datetime | None = None
    ended_at: datetime | None = None
    failed_cell: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Collected:
    """An answer of a source: samples, and what could not be had.

    `frame` has the columns ``service_name``, ``timestamp`` (UTC) and one a metric that answered.
    """

    frame: pd.DataFrame
    failures: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    queries: int = 0


class Progress(Protocol):
    """Told how far something long has come: `done` of `total` parts of `what`, and a word on how it goes."""

    def __call__(self, done: int, total: int, what: str, detail: str = "") -> None: ...


def no_progress(done: int, total: int, what: str, detail: str = "") -> None:
    """Show nothing."""


@runtime_checkable
class Source(Protocol):
    """Where samples come from. Every method raises `SourceError` when nothing at all can be had."""

    name: str

    @property
    def asks(self) -> str:
        """What is asked, as a short text that changes with it: history fetched with another one is fetched again."""
        ...

    def discover(self) -> list[Service]:
        """The services that have samples now, sorted by name."""
        ...

    def collect(self, at: datetime, services: Sequence[str] | None = None) -> Collected:
        """One sample a service at `at`; all services, or only those named."""
        ...

    def history(self, start: datetime, end: datetime, step: float, services: Sequence[str] | None = None) -> Collected:
        """Samples every `step` seconds from `start` to `end`, both inclusive."""
        ...

    def graph(self) -> list[tuple[str, str]]:
        """Known calls as ``(caller, callee)``; empty where the source knows none."""
        ...

    def faults(self, start: datetime | None = None, end: datetime | None = None) -> list[Fault]:
        """Labelled faults that overlap a range; empty where the source knows none."""
        ...


def empty_samples(metrics: Sequence[str] = ()) -> pd.DataFrame:
    """A frame of samples of many services without a row."""
    columns: dict[str, pd.Series] = {
        SERVICE: pd.Series(dtype="object"),
        TIMESTAMP: pd.Series(dtype="datetime64[us, UTC]"),
    }
    return pd.DataFrame(columns | {name: pd.Series(dtype=float) for name in metrics})
