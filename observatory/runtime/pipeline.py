"""Collect, detect, remember: what happens every interval, and what fills the past."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from observatory.annotations.settled_silences import follow_settings
from observatory.collection.backfill import backfill
from observatory.collection.changes import read_changes
from observatory.collection.collect import CollectReport, collect_once, discover
from observatory.collection.names import named_faults
from observatory.config import Settings
from observatory.errors import ObservatoryError, SourceError
from observatory.health.overview import ACTIVE, overview
from observatory.model import Anomaly, Cycle, Failure, Progress, Service, no_progress
from observatory.runtime.calls import CallReading
from observatory.runtime.causes import CauseFinder
from observatory.runtime.condition import COLLECT
from observatory.runtime.detection import LiveDetection
from observatory.runtime.failing import recorded
from observatory.runtime.incident_reports import IncidentReports
from observatory.runtime.incidents import IncidentTracker, critical_services
from observatory.sources import CallSource, ChangesSource, LabelledSource, Source
from observatory.store import Store
from observatory.store.options import Retention
from observatory.times import floor_to

log = logging.getLogger(__name__)

LONGEST_GAP = timedelta(days=1)
"""History fetched from a Prometheus at the first start, or after a long pause."""
CHANGES_EVERY = timedelta(minutes=2)
"""Age at which it is looked again for changes that a source shows."""
KEEP_CYCLES = timedelta(days=7)
MOST_EXPLAINED = 100
"""Newest incidents of a past whose likeliest causes are found."""


class Pipeline:
    """The work of a cycle over some sources and one store."""

    def __init__(
        self,
        sources: Sequence[Source],
        store: Store,
        settings: Settings,
        call_sources: Sequence[CallSource] = (),
    ) -> None:
        self.sources = sources
        self.store = store
        self.settings = settings
        self.detection = LiveDetection(store, settings)
        self.incidents = IncidentTracker(store)
        self.causes = CauseFinder(store)
        self.reports = IncidentReports(store, settings)
        self._described: set[str] = set()
        self.calls = CallReading(sources, call_sources, store, settings)
        self._changes_read: dict[str, datetime] = {}
        self._failing: set[Failure] = set()

    def run_cycle(self, now: datetime, skipped: int = 0) -> Cycle:
        """Collect one sample a service, detect on what is new, and remember how it went.

        `skipped` is how many cycles before it did not run, because another took too long.

        A source that does not answer, or a service that cannot be scored, is a failure in the cycle's record.
        """
        began = time.perf_counter()
        failures: list[Failure] = []
        report = self._collect(now, failures)
        self._read_labels(now - LONGEST_GAP, now, failures)
        self.describe_services()
        newest = self._newest()
        failures += self.calls.read(newest, now)
        self._read_changes(now - LONGEST_GAP, now, failures)
        self.detection.follow_names()
        with recorded("silences", failures):
            follow_settings(self.store, self.settings.silences, now)
            self.detection.follow_silences(now)
        found, failed = self.detection.detect_new(now, newest)
        failures += failed
        self._follow_incidents(now, failures)
        self._maintain(now, failures)
        warnings = () if report is None else tuple(report.warnings)
        if skipped:
            warnings = (*warnings, _say_skipped(skipped, self.settings.interval))
        cycle = Cycle(
            now,
            time.perf_counter() - began,
            0 if report is None else report.services,
            0 if report is None else report.samples,
            len(found),
            tuple(failures),
            warnings,
            skipped,
        )
        self._log_news(failures)
        self.store.write_cycle(cycle)
        self.store.prune_cycles(now - KEEP_CYCLES)
        return cycle

    def replay(
        self,
        start: datetime,
        end: datetime,
        services: Sequence[str] | None = None,
        progress: Progress = no_progress,
    ) -> tuple[list[Anomaly], list[Failure]]:
        """Detect from `start` to `end` as if the samples had come in live; keep what was found."""
        found, failures = self.detection.replay(start, end, services, progress)
        with recorded("incidents", failures):
            self.incidents.replay(start, end)
            past = self.store.incidents.read(start, end, limit=MOST_EXPLAINED)
            failures += self.causes.follow(past, end, MOST_EXPLAINED)
        return found, failures

    def fill(self, now: datetime, progress: Progress = no_progress) -> list[Failure]:
        """Fetch and score what happened since the newest sample, or at first start the history there is.

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
        failures = list(report.failures)
        self._read_labels(start, now, failures)
        failures += self.calls.read(self._newest(), now)
        self._read_changes(start, now, failures)
        _, failed = self.replay(start, now, None, progress)
        return [*failures, *failed]

    def describe_services(self) -> None:
        """Add what the settings say about services, once each is known."""
        waiting = self.settings.services.keys() - self._described
        known = [service for service in self.store.services() if service.name in waiting] if waiting else []
        self.store.register(
            Service(service.name, service.source, **self.settings.services[service.name].model_dump())
            for service in known
        )
        self._described.update(service.name for service in known)

    def close(self, now: datetime) -> None:
        """End what runs in the background, and keep what was learned for the next start."""
        self.reports.close()
        self.detection.scorer.close()
        try:
            self.detection.scorer.keep(now, everything=True)
        except ObservatoryError as error:
            log.warning("what was learned is not kept: %s", error)

    def _collect(self, now: datetime, failures: list[Failure]) -> CollectReport | None:
        at = floor_to(now - timedelta(seconds=self.settings.delay), self.settings.interval)
        try:
            report = collect_once(self.sources, self.store, at)
        except SourceError as error:
            failures.append(Failure(COLLECT, str(error)))
            return None
        except ObservatoryError as error:  # sources that answer are not to blame for what cannot be kept
            failures.append(Failure("store", str(error)))
            return None
        failures += report.failures
        return report

    def _newest(self) -> dict[str, datetime]:
        """The time of each service's newest sample."""
        return {str(name): last.to_pydatetime() for name, last in self.store.sample_counts()["last"].items()}

    def _read_labels(self, start: datetime, end: datetime, failures: list[Failure]) -> None:
        """Remember the labelled faults of sources that know them."""
        for source in self.sources:
            if isinstance(source, LabelledSource):
                with recorded(f"labels of {source.name}", failures):
                    self.store.write_faults(named_faults(source.faults(start, end), self.store.names.rules()))

    def _follow_incidents(self, now: datetime, failures: list[Failure]) -> None:
        """Open, carry on and end incidents, by what detection found and by the health of every service."""
        with recorded("incidents", failures):
            self.incidents.follow(now, critical_services(overview(self.store, self.settings, now)))
            failures += self.causes.follow(self.store.incidents.read(states=ACTIVE), now)
        with recorded("incident reports", failures):
            self.reports.follow(now)

    def _read_changes(self, start: datetime, now: datetime, failures: list[Failure]) -> None:
        """Remember what was changed: every few minutes where that has to be told from what is seen."""
        away = {failure.what for failure in failures}  # what is away is said once
        for source in self.sources:
            if {COLLECT, "store", source.name} & away:
                continue
            read_at = self._changes_read.get(source.name)
            is_asked_little = not isinstance(source, ChangesSource)
            if is_asked_little and read_at is not None and now - read_at < CHANGES_EVERY:
                continue
            with recorded(f"changes of {source.name}", failures):
                before = len(failures)
                read_changes(source, self.store, start, now, failures)
                if len(failures) == before:
                    self._changes_read[source.name] = now

    def _maintain(self, now: datetime, failures: list[Failure]) -> None:
        """The store's own upkeep; what fails is tried again in the next cycle."""
        with recorded("store upkeep", failures):
            self.store.maintain(now, Retention.of(self.settings))
            self.detection.scorer.keep(now)

    def _log_news(self, failures: Sequence[Failure]) -> None:
        """What goes on failing is in each cycle's record, and in the log once."""
        for failure in failures:
            if failure not in self._failing:
                log.warning("%s: %s", failure.what, failure.error)
        self._failing = set(failures)


def _say_skipped(skipped: int, interval: float) -> str:
    cycles = "1 cycle was" if skipped == 1 else f"{skipped} cycles were"
    return (
        f"{cycles} skipped, for the one before took longer than {interval:g} s: "
        "raise OBSERVATORY_INTERVAL, or see which source is slow with `observatory doctor`"
    )
