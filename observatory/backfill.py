"""Fetching history, in pieces that fit in memory and that a server accepts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from observatory.collect import register_new
from observatory.errors import InvalidInputError, SourceError, SourceUnreachableError
from observatory.model import SERVICE, TIMESTAMP, Failure, Source
from observatory.store import Store
from observatory.times import floor_to

CHUNK_POINTS = 1440
"""Points a series in one question: a day of minutes."""


@dataclass(frozen=True, slots=True)
class BackfillReport:
    """What a backfill brought.

    `coverage` has a row a service and a column a metric: the share of the expected samples that the store now has.
    """

    samples: int
    chunks: int
    failures: tuple[Failure, ...]
    warnings: tuple[str, ...]
    coverage: pd.DataFrame


def backfill(
    source: Source,
    store: Store,
    start: datetime,
    end: datetime,
    step: float,
    services: Sequence[str] | None = None,
    progress: Callable[[int, int, str], None] = lambda done, total, what: None,
) -> BackfillReport:
    """Fetch samples every `step` seconds from `start` to `end` and upsert them: running it again changes nothing.

    A chunk that fails is in the report, and the others go on.

    Raises
    ------
    InvalidInputError
        `start` is not before `end`.
    SourceUnreachableError
        The source cannot be reached; what was fetched before is kept.
    """
    if start >= end:
        raise InvalidInputError(f"start = {start.isoformat()} must be before end = {end.isoformat()}")
    pieces = list(_pieces(floor_to(start, step), end, step))
    samples = 0
    failures: list[Failure] = []
    warnings: list[str] = []
    for done, (first, last) in enumerate(pieces):
        progress(done, len(pieces), "fetching history")
        try:
            answer = source.history(first, last, step, services)
        except SourceUnreachableError:
            raise
        except SourceError as error:
            failures.append(Failure(f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}", str(error)))
            continue
        register_new(store, source, sorted(set(answer.frame[SERVICE])))
        samples += store.write_samples(answer.frame)
        failures += answer.failures
        warnings += answer.warnings
    progress(len(pieces), len(pieces), "fetching history")
    return BackfillReport(
        samples=samples,
        chunks=len(pieces),
        failures=tuple(dict.fromkeys(failures)),
        warnings=tuple(dict.fromkeys(warnings)),
        coverage=coverage(store, start, end, step, services),
    )


def coverage(
    store: Store, start: datetime, end: datetime, step: float, services: Sequence[str] | None = None
) -> pd.DataFrame:
    """Share of the expected samples that are stored: a row a service, a column a metric, values 0–1."""
    frame = store.history_of_all(start, end, services)
    first = floor_to(start, step)
    expected = int((end - first).total_seconds() // step) + (1 if first >= start else 0)
    counts = frame.drop(columns=TIMESTAMP).groupby(SERVICE).count()
    return (counts / max(1, expected)).clip(upper=1.0)


def _pieces(start: datetime, end: datetime, step: float) -> Iterator[tuple[datetime, datetime]]:
    span = timedelta(seconds=step * (CHUNK_POINTS - 1))
    while start <= end:
        last = min(end, start + span)
        yield start, last
        start = last + timedelta(seconds=step)
