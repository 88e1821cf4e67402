"""One process's settings, store, source and worker, put together once and handed to whoever needs them.

The dashboard, the REST API and the command line share a `Runtime`; in ``panel serve`` it is `current`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from observatory.analysis.history import POINTS, ServiceHistory, service_history
from observatory.analysis.links import incident_links
from observatory.collection.collect import CollectReport, collect_once
from observatory.config import Settings, load_settings
from observatory.config.location import DEMO, OF_SETTINGS
from observatory.config.reading import settings_to_read
from observatory.detectors import DETECTORS
from observatory.errors import ConfigError, InvalidInputError, SourceError
from observatory.health.overview import Overview, overview
from observatory.model import Cycle, Exemplar, Failure, Fault, Incident, Progress, no_progress
from observatory.runtime.feed import Feed
from observatory.runtime.hand_out import destinations_of
from observatory.runtime.leader import LeaderElection
from observatory.runtime.notifier import Notifier
from observatory.runtime.overviews import OverviewCache
from observatory.runtime.parts import Parts
from observatory.runtime.pictures import Pictures
from observatory.runtime.pipeline import Pipeline
from observatory.runtime.silence_sync import SilenceSyncs
from observatory.runtime.sources import LazySources, make_call_sources, make_sources, source_names
from observatory.runtime.worker import Worker
from observatory.sources import ExemplarSource, LabelledSource, Source
from observatory.store import Store
from observatory.store.opening import store_of
from observatory.times import floor_to, parse_time, utc_now

if TYPE_CHECKING:
    from observatory.integrations.heartbeat import Heartbeat

log = logging.getLogger(__name__)

SHORTEST_LEASE = 180.0
"""Shortest time a process that works in the background is waited for after it fell silent [s]."""
DEMO_END = "2026-03-01T12:00:00Z"
INCIDENT_SPAN = timedelta(hours=1)
"""How long an incident that ended is compared with what it was, for those who want to know what changed."""


class Runtime:
    """Everything a view, a route or a command needs. It satisfies `observatory.runtime.reader.Operator`.

    To read needs no source: they are made, and checked against what the store holds, when something collects.

    Parameters
    ----------
    settings
        Read once; see `observatory.config.settings`.
    store, sources
        Opened and made from the settings unless given.
    clock
        Tells the time, in UTC.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store | None = None,
        sources: Sequence[Source] | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        if settings.detector not in DETECTORS:
            raise ConfigError(
                f"setting detector = {settings.detector!r}: choose one of {', '.join(DETECTORS)} "
                "(set it with OBSERVATORY_DETECTOR or in observatory.toml)"
            )
        self.settings = settings
        self.clock = clock
        self.store = store or store_of(settings)
        self.sources = LazySources(self._make_sources) if sources is None else sources
        self.failures: tuple[Failure, ...] = ()
        """What did not work while the past was filled."""
        self.parts = Parts()
        self.leader = LeaderElection(
            self.store, "worker", clock, timedelta(seconds=max(SHORTEST_LEASE, 3 * settings.interval))
        )
        self.worker = Worker(self._cycle_as_leader, settings.interval, clock)
        self.notifier = Notifier(
            self.store,
            destinations_of(settings),
            clock,
            str(settings.public_url or ""),
            Pictures(self.store, settings).of,
            lambda incident, now: incident_links(settings.links, incident, now),
        )
        self.silence_syncs = SilenceSyncs(self.store, self.notifier.told, clock)
        self._heartbeat = _heartbeat(settings)
        self.before_close: list[Callable[[], object]] = []
        """Called before the store is closed, by whatever has something left to write."""
        self.feed = Feed(lambda: self.overview(), self._incidents)
        self._overviews = OverviewCache(
            lambda now: overview(self.store, self.settings, now), lambda: self.store.revision, clock
        )
        self._lock = threading.Lock()
        self._pipeline: Pipeline | None = None
        self._is_closed = False

    @property
    def is_live(self) -> bool:
        """Whether its clock runs; that of `at` may stand still."""
        return self.clock is utc_now

    @property
    def pipeline(self) -> Pipeline:
        """What collects and detects; made when it is first asked for."""
        with self._lock:
            if self._pipeline is None:
                calls = make_call_sources(self.settings, self.clock)
                self._pipeline = Pipeline(self.sources, self.store, self.settings, calls)
            return self._pipeline

    def overview(self) -> Overview:
        """Every service now; kept until the store changes, see `observatory.runtime.overviews`."""
        return self._overviews.get()

    def history(
        self, service: str, start: datetime, end: datetime, points: int = POINTS, **options: Any
    ) -> ServiceHistory:
        """One service from `start` to `end`; see `observatory.analysis.history.service_history`."""
        return service_history(self.store, self.settings, service, start, end, points, **options)

    def collect(self, service: str | None = None) -> CollectReport:
        """Collect one sample now, of one registered service or of all."""
        at = floor_to(self.clock() - timedelta(seconds=self.settings.delay), self.settings.interval)
        if service is None:
            return collect_once(self.sources, self.store, at)
        known = self.store.service(service)
        sources: Sequence[Source] = [source for source in self.sources if source.name == known.source] or self.sources
        return collect_once(sources, self.store, at, [known.name])

    def exemplars(self, service: str, start: datetime, end: datetime, most: int = 10) -> list[Exemplar]:
        """The slowest requests of a service that its source remembers with their traces, the slowest first.

        Raises
        ------
        UnknownServiceError, SourceError
            There is no such service; its source cannot be asked.
        """
        known = self.store.service(service)
        if not self.source_names:  # the store was filled by others: their source is not known here
            return []
        names = self.store.service_names()
        asked = [one for one in self.sources if isinstance(one, ExemplarSource)]
        mine = [one for one in asked if one.name == known.source] or asked
        found = [one for source in mine for one in source.exemplars(known.name, names, start, end, most)]
        return sorted(found, key=lambda one: one.seconds, reverse=True)[:most]

    def read_calls(self) -> list[Failure]:
        """Read who calls whom, now; a cycle does so by itself. Returns what failed."""
        return self.pipeline.calls.read(self.store.service_names(), self.clock())

    @property
    def source_names(self) -> tuple[str, ...]:
        """Names of the sources that collect into this store; none where it was filled by others."""
        return source_names(self.settings, self.store.note("source"))

    def require_sources(self) -> None:
        """Make the sources now; raises ConfigError where the store holds samples of others."""
        len(self.sources)

    def sources_called(self, names: Sequence[str] | None) -> Sequence[Source]:
        """The sources of those names, or all.

        Raises
        ------
        InvalidInputError
            There is no source of a name.
        """
        known = {source.name: source for source in self.sources}
        for name in names or ():
            if name not in known:
                raise InvalidInputError(f"unknown source {name!r}: choose from {', '.join(known)}")
        return [known[name] for name in names] if names else self.sources

    def cycle(self) -> Cycle:
        """Collect and detect once, now."""
        return self.pipeline.run_cycle(self.clock())

    @classmethod
    def at(
        cls,
        end: str = "",
        store: str = OF_SETTINGS,
        prometheus_url: str = "",
        *,
        only_reads: bool = False,
        **settings: Any,
    ) -> Self:
        """A runtime for notebooks and reports; it has no worker.

        Parameters
        ----------
        end
            Where its clock stands still, RFC 3339. With ``now`` or nothing it runs; only the demo's stands, at noon of
            a day in March.
        store
            ``"settings"``: the store and the sources of the settings. ``"demo"``: the demo shop in memory. Or the
            address of another store.
        prometheus_url
            Another source than that of the settings.
        only_reads
            Whether nothing is to be collected; see `observatory.config.reading`.
        settings
            More of them, by name.
        """
        chosen: dict[str, Any] = {"worker": False}
        if store == DEMO:
            chosen |= {"store": ":memory:", "prometheus_url": None, "sources": {}, "jaeger": {}, "calls": {}}
        elif store != OF_SETTINGS:
            chosen["store"] = store
        if prometheus_url:
            chosen["prometheus_url"] = prometheus_url
        elif store == DEMO:
            end = end or DEMO_END
        loaded = load_settings(**chosen | settings)
        if only_reads:
            loaded = settings_to_read(loaded)
        if end in ("", "now"):
            return cls(loaded)
        now = parse_time(end, utc_now(), "end")
        return cls(loaded, clock=lambda: now)

    def prepare(self, progress: Progress = no_progress) -> None:
        """Fill what is missing since the newest sample; a source that does not answer is kept as a failure.

        Raises
        ------
        ConfigError
            The store holds samples of another source.
        """
        self.require_sources()
        now = self.clock()
        try:
            self.failures = tuple(self.pipeline.fill(now, progress))
        except SourceError as error:
            log.warning("history could not be fetched: %s", error)
            self.failures = (Failure("history", str(error)),)

    def go_live(self) -> None:
        """Let the demo's first live fault begin a while from now, however long its past took to be filled."""
        for source in self.sources:
            if isinstance(source, LabelledSource):
                source.go_live(self.clock())

    def next_fault(self) -> Fault | None:
        """The demo's next fault, for people who want to watch it being detected."""
        now = self.clock()
        day = now + timedelta(days=1)
        labelled = [source for source in self.sources if isinstance(source, LabelledSource)]
        coming = [fault for source in labelled for fault in source.faults(now, day) if fault.start >= now]
        return min(coming, key=lambda fault: fault.start, default=None)

    def start(self) -> None:
        """Fill what is missing and begin to collect in the background, where the settings say so.

        Of several processes that share the store one does so; another takes over when it ends.
        """
        self.require_sources()
        if self.leader.claim():
            self.prepare()
        with self._lock:
            if self.settings.worker and not self._is_closed:
                self.worker.start()
                self.notifier.start()
                self.silence_syncs.start()

    def _cycle_as_leader(self, now: datetime, skipped: int = 0) -> None:
        """What the worker does: a cycle, unless another process leads."""
        if self.leader.claim():
            self.pipeline.run_cycle(now, skipped)
            self.notifier.wake()
            if self._heartbeat is not None:
                self._heartbeat.beat()
            self.leader.claim()  # a long cycle may have used it up

    def _make_sources(self) -> list[Source]:
        return make_sources(self.settings, self.store, self.clock())

    def _incidents(self, now: datetime) -> list[Incident]:
        """Incidents that go on, and those that ended just now."""
        return self.store.incidents.recent(now - INCIDENT_SPAN)

    def close(self) -> None:
        """Stop the worker, keep what was learned and what waits to be written, and close the store."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True  # nothing starts the worker from now on
        self.worker.stop()
        self.silence_syncs.stop()
        self.notifier.stop()
        if self._heartbeat is not None:
            self._heartbeat.close()
        self.feed.close()
        for write in self.before_close:
            write()
        if self._pipeline is not None:
            self._pipeline.close(self.clock())
        self.leader.release()
        self.store.close()


def _heartbeat(settings: Settings) -> Heartbeat | None:
    if settings.heartbeat_url is None:
        return None
    from observatory.integrations.heartbeat import Heartbeat

    return Heartbeat(settings.heartbeat_url)
