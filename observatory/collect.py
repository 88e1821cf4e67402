"""One collection: ask the source for a sample of every service, and keep what came."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from observatory.model import SERVICE, Failure, Service, Source
from observatory.store import Store


@dataclass(frozen=True, slots=True)
class CollectReport:
    """What one collection brought: samples are rows, one a service and time; `seconds` is how long it took."""

    at: datetime
    services: int
    samples: int
    queries: int
    seconds: float
    failures: tuple[Failure, ...]
    warnings: tuple[str, ...]


def collect_once(source: Source, store: Store, at: datetime, services: Sequence[str] | None = None) -> CollectReport:
    """Collect the sample at `at`, of all services or of those named; services met for the first time are registered.

    Raises
    ------
    SourceError
        Nothing at all could be had. What a single metric's query met is in the report.
    """
    began = time.perf_counter()
    answer = source.collect(at, services)
    names = sorted(set(answer.frame[SERVICE]))
    register_new(store, source, names)
    samples = store.write_samples(answer.frame)
    return CollectReport(
        at=at,
        services=len(names),
        samples=samples,
        queries=answer.queries,
        seconds=time.perf_counter() - began,
        failures=answer.failures,
        warnings=answer.warnings,
    )


def register_new(store: Store, source: Source, names: Sequence[str]) -> list[str]:
    """Register those of `names` that the store does not know; returns them."""
    known = {service.name for service in store.services()}
    new = [name for name in names if name not in known]
    store.register(Service(name, source.name) for name in new)
    return new
