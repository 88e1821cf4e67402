"""One collection: ask the sources for a sample of every service, and keep what came."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from observatory.collection.names import named_sources, settle_names
from observatory.errors import SourceError
from observatory.model import IMPORTED, SERVICE, Collected, Failure, Service
from observatory.sources import Source
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


def collect_once(
    sources: Sequence[Source], store: Store, at: datetime, services: Sequence[str] | None = None
) -> CollectReport:
    """Collect the sample at `at`, of all services or of those named; services met for the first time are registered.

    All sources are asked at once; one that does not answer is a failure in the report while another does.

    Raises
    ------
    SourceError
        Nothing at all could be had. What a single metric's query met is in the report.
    """
    began = time.perf_counter()
    known = set(store.service_names())
    answers = _ask_all(named_sources(sources, store), at, services)
    if all(isinstance(answer, SourceError) for _, answer in answers):
        for _, answer in answers:
            if isinstance(answer, SourceError):
                raise answer
    names: set[str] = set()
    samples, queries = 0, 0
    failures: list[Failure] = []
    warnings: list[str] = []
    for source, answer in answers:
        prefix = f"{source.name}: " if len(answers) > 1 else ""
        if isinstance(answer, SourceError):
            failures.append(Failure(source.name, str(answer)))
            continue
        written, warned = store_samples(store, source, answer.frame)
        samples += written
        queries += answer.queries
        names |= set(answer.frame[SERVICE])
        store.remarks.record(source.name, at, answer.warnings)
        failures += [Failure(prefix + failure.what, failure.error) for failure in answer.failures]
        warnings += [prefix + text for text in (*answer.warnings, *warned)]
    warnings += settle_names(store, at, names - known)
    return CollectReport(
        at=at,
        services=len(names),
        samples=samples,
        queries=queries,
        seconds=time.perf_counter() - began,
        failures=tuple(failures),
        warnings=tuple(warnings),
    )


def discover(sources: Sequence[Source], store: Store) -> list[Service]:
    """Register every service the sources have now; returns those that are new.

    Raises
    ------
    SourceError
        A source did not answer; what others have is registered.
    """
    owners = {service.name: service.source for service in store.services() if service.source != IMPORTED}
    found: dict[str, Service] = {}
    failed: SourceError | None = None
    for source in named_sources(sources, store):
        try:
            found |= {service.name: service for service in source.discover() if service.name not in found}
        except SourceError as error:
            failed = failed or error
    store.register(service for service in found.values() if owners.get(service.name, service.source) == service.source)
    if failed:
        raise failed
    return [service for name, service in sorted(found.items()) if name not in owners]


def store_samples(store: Store, source: Source, frame: pd.DataFrame) -> tuple[int, list[str]]:
    """Write a source's samples and register services that are new; returns their number, and warnings.

    A service belongs to the source that had it first; what another source says of it is left out, with a warning.
    """
    owners = {service.name: service.source for service in store.services() if service.source != IMPORTED}
    names = sorted(set(frame[SERVICE]))
    strange = [name for name in names if owners.get(name, source.name) != source.name]
    if strange:
        frame = frame[~frame[SERVICE].isin(strange)]
    store.register(Service(name, source.name) for name in names if name not in owners)
    return store.write_samples(frame), [
        f"{name} belongs to source {owners[name]}: samples of {source.name} were left out, exclude it there"
        for name in strange
    ]


def _ask_all(
    sources: Sequence[Source], at: datetime, services: Sequence[str] | None
) -> list[tuple[Source, Collected | SourceError]]:
    def ask(source: Source) -> Collected | SourceError:
        try:
            return source.collect(at, services)
        except SourceError as error:
            return error

    with ThreadPoolExecutor(max(1, len(sources)), thread_name_prefix="collect") as pool:
        return list(zip(sources, pool.map(ask, sources), strict=True))
