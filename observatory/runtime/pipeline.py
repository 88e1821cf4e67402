"""Collect, detect, remember: what happens every interval, and what fills the past.

Each service is handled by itself: one that fails is recorded and the others go on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pandas as pd

from observatory.collection.backfill import backfill
from observatory.collection.collect import collect_once, discover
from observatory.config import Settings
from observatory.detection.baselines import Expectations
from observatory.detection.episodes import detect
from observatory.detection.replay import CONTEXT_ROWS, first_row, replay_episodes
from observatory.detection.threshold import Threshold
from observatory.errors import NotEnoughDataError, ObservatoryError
from observatory.model import SERVICE, TIMESTAMP, Anomaly, Cycle, Failure, Progress, Service, no_progress
from observatory.runtime.factory import judge_of
from observatory.sources import Source
from observatory.store import Store
from observatory.store.options import Retention
from observatory.times import floor_to

log = logging.getLogger(__name__)

LONGEST_GAP = timedelta(days=1)
"""History fetched from a Prometheus at the first start, or after a long pause."""
ABANDONED = timedelta(hours=1)
KEEP_CYCLES = timedelta(days=7)


class Pipeline:
    """The work of a cycle over some sources and one store."""

    def __init__(self, sources: Sequence[Source], store: Store, settings: Settings) -> None:
        self.sources = sources
        self.store = store
        self.settings = settings
        self._judge = judge_of(store, settings)
        self._threshold = Threshold(sensitivity=settings.sensitivity)
        self._expected = Expectations(store, settings)
        self._described: set[str] = set()
        self._judged: dict[str, datetime] = {}
        self._failing: set[Failure] = set()

    def run_cycle(self, now: datetime, skipped: int = 0) -> Cycle:
        """Collect one sample a service, detect on what is new, and remember how it went.

        `skipped` is how many cycles before it did not run, because another took too long.

        A source that does not answer, or a service that cannot be judged, is a failure in the cycle's record.
        """
        began = time.perf_counter()
        failures: list[Failure] = []
        warnings: tuple[str, ...] = ()
        services = samples = 0
        at = floor_to(now - timedelta(seconds=self.settings.delay), self.settings.interval)
        try:
            report = collect_once(self.sources, self.store, at)
            services, samples = report.services, report.samples
            failures += report.failures
            warnings = tuple(report.warnings)
        except ObservatoryError as error:
            failures.append(Failure("collect", str(error)))
        for source in self.sources:
            self.store.write_faults(source.faults(now - LONGEST_GAP, now))
        self.describe_services()
        found, failed = self.detect_new(now)
        failures += failed
        failures += self._maintain(now)
        if skipped:
            warnings = (*warnings, _say_skipped(skipped, self.settings.interval))
        seconds = time.perf_counter() - began
        cycle = Cycle(now, seconds, services, samples, len(found), tuple(failures), warnings, skipped)
        self._log_news(failures)
        self.store.write_cycle(cycle)
        self.store.prune_cycles(now - KEEP_CYCLES)
        return cycle

    def _log_news(self, failures: Sequence[Failure]) -> None:
        """What goes on failing is in each cycle's record, and in the log once."""
        for failure in failures:
            if failure not in self._failing:
                log.warning("%s: %s", failure.what, failure.error)
        self._failing = set(failures)

    def _maintain(self, now: datetime) -> list[Failure]:
        """The store's own upkeep; what fails is tried again in the next cycle."""
        try:
            self.store.maintain(now, Retention.of(self.settings))
            self._judge.keep(now)
        except ObservatoryError as error:
            return [Failure("store upkeep", str(error))]
        return []

    def close(self, now: datetime) -> None:
        """End what runs in the background, and keep what was learned for the next start."""
        self._judge.close()
        try:
            self._judge.keep(now, everything=True)
        except ObservatoryError as error:
            log.warning("what was learned is not kept: %s", error)

    def describe_services(self) -> None:
        """Add what the settings say about services, once each is known."""
        waiting = self.settings.services.keys() - self._described
        known = [service for service in self.store.services() if service.name in waiting] if waiting else []
        self.store.register(
            Service(service.name, service.source, **self.settings.services[service.name].model_dump())
            for service in known
        )
        self._described.update(service.name for service in known)

    def detect_new(self, now: datetime) -> tuple[list[Anomaly], list[Failure]]:
        """Judge the samples of every service that came since it was last judged; keep what was found."""
        found: list[Anomaly] = []
        failures: list[Failure] = []
        still_open = {anomaly.service_name: anomaly for anomaly in self.store.anomalies(open_only=True)}
        newest = {str(name): last.to_pydatetime() for name, last in self.store.sample_counts()["last"].items()}
        fresh = {name: last for name, last in newest.items() if self._judged.get(name) != last}
        for name in newest.keys() - fresh.keys():
            found += _give_up(still_open.get(name), now)
        if not fresh:
            self.store.write_anomalies(found)
            return found, failures
        half = timedelta(seconds=self.settings.interval / 2)
        since = {name: self._judged.get(name) or last - half for name, last in fresh.items()}
        rows = self._recent(since, max(fresh.values()))
        try:
            verdicts = self._judge.scores(rows, since, now)
        except Exception as error:
            log.exception("detecting failed")
            self.store.write_anomalies(found)
            return found, [Failure("detect", f"{type(error).__name__}: {error}")]
        failed = dict(verdicts.failed)
        loud = self._threshold.classify(verdicts.scores)
        concerned = {str(name) for name in rows.loc[loud, SERVICE].unique()} | (still_open.keys() & since.keys())
        rows = rows.assign(score=verdicts.scores)
        for key, frame in rows[rows[SERVICE].isin(concerned)].groupby(SERVICE):
            try:
                found += self._detect_service(str(key), frame, since[str(key)], still_open.get(str(key)))
            except Exception as error:  # one service must not stop the others
                log.exception("detecting on %s failed", key)
                failed[str(key)] = error
                self._judge.forget(str(key))
        failures = [Failure(f"detect {who}", f"{type(error).__name__}: {error}") for who, error in failed.items()]
        self._judged.update({name: last for name, last in fresh.items() if name not in failed})
        self.store.write_anomalies(found)
        return found, failures

    def _recent(self, since: Mapping[str, datetime], until: datetime) -> pd.DataFrame:
        """New samples of services, with some before them as context, in one query for all."""
        first = min(since.values()) - CONTEXT_ROWS * timedelta(seconds=self.settings.interval)
        return self.store.history_of_all(first, until, list(since))

    def _detect_service(
        self, name: str, frame: pd.DataFrame, since: datetime, still_open: Anomaly | None
    ) -> list[Anomaly]:
        frame = frame.drop(columns=SERVICE).set_index(TIMESTAMP)
        scores = frame.pop("score").dropna()
        return detect(
            name,
            frame,
            scores,
            lambda: self._expected.bands(name, since),
            still_open,
            detector_name=self.settings.detector,
            threshold=self._threshold,
        )

    def replay(
        self,
        start: datetime,
        end: datetime,
        services: Sequence[str] | None = None,
        progress: Progress = no_progress,
    ) -> tuple[list[Anomaly], list[Failure]]:
        """Detect from `start` to `end` as if the samples had come in live; keep what was found."""
        names = [service.name for service in self.store.services()] if services is None else list(services)
        found: list[Anomaly] = []
        failures: list[Failure] = []
        still_open = {a.service_name: a for a in self.store.anomalies(open_only=True) if a.started_at < start}
        for done, name in enumerate(names):
            progress(done, len(names), "detecting anomalies")
            frame = self.store.history(name, start - timedelta(days=self.settings.training_days), end)
            try:
                found += replay_episodes(
                    name,
                    frame,
                    self._judge.replay(name, frame, start),
                    first_row(frame, start, self.settings.minimum_samples),
                    detector_name=self.settings.detector,
                    threshold=self._threshold,
                    training=timedelta(days=self.settings.training_days),
                    still_open=still_open.get(name),
                )
                self._judged[name] = frame.index[-1].to_pydatetime() if len(frame) else start
            except NotEnoughDataError:
                continue
            except Exception as error:  # one service must not stop the others
                log.exception("detecting on %s failed", name)
                failures.append(Failure(f"detect {name}", f"{type(error).__name__}: {error}"))
        progress(len(names), len(names), "detecting anomalies")
        self.store.write_anomalies(found)
        return found, failures

    def fill(self, now: datetime, progress: Progress = no_progress) -> list[Failure]:
        """Fetch and judge what happened since the newest sample, or at first start the history there is.

        Raises
        ------
        SourceError
            The source cannot be reached at all.
        """
        settings = self.settings
        newest = self.store.newest()
        span = timedelta(days=settings.demo_days) if settings.source_name == "demo" else LONGEST_GAP
        start = now - span if newest is None else max(newest, now - span)
        if (now - start).total_seconds() < 2 * settings.interval:
            return []
        discover(self.sources, self.store)
        self.describe_services()
        report = backfill(self.sources, self.store, start, now, settings.interval, None, progress)
        for source in self.sources:
            self.store.write_calls(source.graph())
            self.store.write_faults(source.faults(start, now))
        _, failures = self.replay(start, now, None, progress)
        return [*report.failures, *failures]


def _give_up(anomaly: Anomaly | None, now: datetime) -> list[Anomaly]:
    """A service that stopped reporting is stale; its anomaly is not left open for ever."""
    if anomaly is None or now - anomaly.ended_at < ABANDONED:
        return []
    return [replace(anomaly, is_open=False)]


def _say_skipped(skipped: int, interval: float) -> str:
    cycles = "1 cycle was" if skipped == 1 else f"{skipped} cycles were"
    return (
        f"{cycles} skipped, for the one before took longer than {interval:g} s: "
        "raise OBSERVATORY_INTERVAL, or see which source is slow with `observatory doctor`"
    )
