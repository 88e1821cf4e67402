"""Fetching history, in pieces that fit in memory and that a server accepts; what is stored is not fetched again."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pandas as pd

from observatory.collection.collect import store_samples
from observatory.collection.names import named_sources, settle_names
from observatory.errors import InvalidInputError, SourceError, SourceUnreachableError
from observatory.model import MOST_NAMED, SERVICE, Collected, Failure, Progress, no_progress
from observatory.sources import Source
from observatory.store import Store
from observatory.store.tables.fetches import SAMPLES_AT_ONCE, Question
from observatory.times import floor_to

CHUNK_POINTS = 1440
"""Most points a series in one piece: a day of minutes."""
CHUNK_VALUES = 1_000_000
"""Most values of one metric in one piece: some 35 MB of an answer."""
SETTLED = timedelta(minutes=5)
"""Age at which a time counts as fetched: what is younger may come late to the server, and is asked for again."""
MOST_REACHES = 3
"""Times of one failure that are shown."""

Range = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class BackfillReport:
    """What a backfill brought.

    `chunks` were asked for in `seconds`, `stored` is the share of the range that was stored before. `coverage` has a
    row a service and a column a metric: the share of the expected samples that the store now has. `gaps` are the
    times nothing is known of; see `observatory.store.tables.fetches.FetchTable.gaps`.
    """

    samples: int
    chunks: int
    stored: float
    seconds: float
    failures: tuple[Failure, ...]
    warnings: tuple[str, ...]
    coverage: pd.DataFrame
    gaps: pd.DataFrame


@dataclass(slots=True)
class _Tally:
    began: float = field(default_factory=time.perf_counter)
    samples: int = 0
    failed: dict[Failure, list[Range]] = field(default_factory=dict)
    """Times by what could not be had."""
    warnings: dict[str, None] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.began

    def fail(self, failure: Failure, piece: Range) -> None:
        """Note that something could not be had for a piece."""
        self.failed.setdefault(failure, []).append(piece)

    def failures(self, step: float) -> Iterator[Failure]:
        """What could not be had, each once, with its times."""
        for failure, pieces in self.failed.items():
            yield Failure(", ".join(filter(None, (failure.what, _times(pieces, step)))), failure.error)


def backfill(
    sources: Sequence[Source],
    store: Store,
    start: datetime,
    end: datetime,
    step: float,
    services: Sequence[str] | None = None,
    progress: Progress = no_progress,
    *,
    again: bool = False,
    parallel: int = 2,
) -> BackfillReport:
    """Fetch samples every `step` seconds from `start` to `end` and upsert them: running it again changes nothing.

    What was fetched before with the same queries is not asked for again, unless `again` is set. `parallel` pieces are
    asked for while others are written. A piece that fails is in the report, and the others go on.

    Raises
    ------
    InvalidInputError
        `start` is not before `end`.
    SourceUnreachableError
        A source cannot be reached; what was fetched before is kept, and the next run goes on from there.
    """
    if start >= end:
        raise InvalidInputError(f"start = {start.isoformat()} must be before end = {end.isoformat()}")
    first, last = floor_to(start, step), floor_to(end, step)
    tally, work, stored = _Tally(), [], 0.0
    known = set(store.service_names())
    for source in named_sources(sources, store):
        question = Question(source.name, source.asks, tuple(services or ()), step)
        missing = [(first, last)] if again else list(_missing(store.fetches.done(question), first, last, step))
        stored += 1 - _points(missing, step) / _points([(first, last)], step)
        points = _chunk_points(source, store, services) if missing else 1
        work += [(source, question, piece) for reach in missing for piece in _pieces(reach, step, points)]
    progress(0, len(work), "fetching history")
    pool = ThreadPoolExecutor(parallel, thread_name_prefix="backfill")
    try:
        for done, (source, question, piece, answer) in enumerate(_answers(pool, work, services, parallel), 1):
            _keep(store, source, question, piece, answer, tally)
            rate = tally.samples / tally.seconds
            progress(done, len(work), "fetching history", f"{tally.samples:,} rows, {rate:,.0f} a second")
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # nobody who interrupts it waits for answers
    new = set(store.service_names()) - known
    tally.warnings.update(dict.fromkeys(settle_names(store, datetime.now(UTC), new)))
    return BackfillReport(
        samples=tally.samples,
        chunks=len(work),
        stored=stored / len(sources) if sources else 0.0,
        seconds=tally.seconds,
        failures=tuple(tally.failures(step)),
        warnings=tuple(tally.warnings),
        coverage=coverage(store, start, end, step, services),
        gaps=gaps(store, start, end, step, services),
    )


def coverage(
    store: Store, start: datetime, end: datetime, step: float, services: Sequence[str] | None = None
) -> pd.DataFrame:
    """Share of the expected samples that are stored: a row a service, a column a metric, values 0–1.

    A service of `services` of which there is nothing has a row of zeros.
    """
    first = _first_within(start, step)
    shares = store.fetches.coverage(first, end, int((end - first).total_seconds() // step) + 1, services)
    return shares if services is None else shares.reindex(sorted({*services}), fill_value=0.0).rename_axis(SERVICE)


def gaps(
    store: Store, start: datetime, end: datetime, step: float, services: Sequence[str] | None = None
) -> pd.DataFrame:
    """Times nothing is known of, the largest first; see `observatory.store.tables.fetches.FetchTable.gaps`."""
    return store.fetches.gaps(_first_within(start, step), floor_to(end, step), step, services)


def _first_within(start: datetime, step: float) -> datetime:
    first = floor_to(start, step)
    return first if first >= start else first + timedelta(seconds=step)


def _answers(
    pool: ThreadPoolExecutor,
    work: Sequence[tuple[Source, Question, Range]],
    services: Sequence[str] | None,
    parallel: int,
) -> Iterator[tuple[Source, Question, Range, Collected | SourceError]]:
    """Answers in the order of the work; no more are waiting to be written than are being asked for."""
    waiting: deque[tuple[Source, Question, Range, Future[Collected]]] = deque()
    coming = iter(work)
    while True:
        for source, question, piece in coming:
            future = pool.submit(source.history, *piece, question.step, services)
            waiting.append((source, question, piece, future))
            if len(waiting) > parallel - 1:
                break
        if not waiting:
            return
        source, question, piece, future = waiting.popleft()
        try:
            yield source, question, piece, future.result()
        except SourceUnreachableError:
            raise
        except SourceError as error:
            yield source, question, piece, error


def _keep(
    store: Store, source: Source, question: Question, piece: Range, answer: Collected | SourceError, tally: _Tally
) -> None:
    """Store what came; a piece is done only if all of it came."""
    if isinstance(answer, SourceError):
        tally.fail(Failure("", str(answer)), piece)
        return
    samples, strangers = 0, []
    for row in range(0, len(answer.frame), SAMPLES_AT_ONCE):
        count, warned = store_samples(store, source, answer.frame.iloc[row : row + SAMPLES_AT_ONCE])
        samples += count
        strangers += warned
    warnings = list(dict.fromkeys([*answer.warnings, *strangers]))
    now = datetime.now(UTC)
    settled = min(piece[1], floor_to(now - SETTLED, question.step))
    if not answer.failures and settled >= piece[0]:
        store.fetches.record(question, piece[0], settled, samples, warnings, now)
    tally.samples += samples
    for failure in dict.fromkeys(answer.failures):
        tally.fail(failure, piece)
    tally.warnings.update(dict.fromkeys(warnings))


def _chunk_points(source: Source, store: Store, services: Sequence[str] | None) -> int:
    """Points a series in one piece, so that the values of one metric stay within bounds."""
    if services and len(services) <= MOST_NAMED:
        count = len(services)
    else:
        count = sum(service.source == source.name for service in store.services()) or len(source.discover())
    return max(1, min(CHUNK_POINTS, CHUNK_VALUES // max(1, count)))


def _missing(done: Sequence[Range], first: datetime, last: datetime, step: float) -> Iterator[Range]:
    """What of the range from `first` to `last` no range of `done` (sorted) covers; all ends are included."""
    one = timedelta(seconds=step)
    for begin, end in done:
        if begin > last:
            break
        if end < first:
            continue
        if begin > first:
            yield first, begin - one
        first = max(first, end + one)
    if first <= last:
        yield first, last


def _points(ranges: Sequence[Range], step: float) -> int:
    return sum(int((last - first).total_seconds() // step) + 1 for first, last in ranges)


def _times(pieces: Sequence[Range], step: float) -> str:
    """When, for people: pieces beside each other as one."""
    reaches: list[Range] = []
    for first, last in sorted(pieces):
        if reaches and first - reaches[-1][1] <= timedelta(seconds=step):
            reaches[-1] = reaches[-1][0], max(last, reaches[-1][1])
        else:
            reaches.append((first, last))
    shown = [f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}" for first, last in reaches[:MOST_REACHES]]
    more = len(reaches) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _pieces(reach: Range, step: float, points: int) -> Iterator[Range]:
    start, end = reach
    span = timedelta(seconds=step * (points - 1))
    while start <= end:
        last = min(end, start + span)
        yield start, last
        start = last + timedelta(seconds=step)
