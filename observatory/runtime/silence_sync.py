"""Silences kept in step with an Alertmanager: ours are made there, theirs here, as the settings wish."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from observatory.annotations.in_force import InForce
from observatory.annotations.occurrences import next_span, span_at
from observatory.annotations.silences import LONGEST_REASON, ended_at
from observatory.errors import DeliveryError, ObservatoryError
from observatory.health.overview import ACTIVE
from observatory.integrations.alertmanager import Alertmanager
from observatory.integrations.alertmanager_silences import (
    ALERT,
    TheirSilence,
    mark_of,
    silence_for,
    silence_of,
)
from observatory.model import Incident, Silence
from observatory.runtime.hand_out import Told
from observatory.runtime.leader import LeaderElection
from observatory.store import Store

log = logging.getLogger(__name__)

EVERY = 60.0
"""Time between two looks [s]."""
LEASE = timedelta(seconds=150)
EXACT = timedelta(seconds=1)
"""An Alertmanager keeps times in milliseconds."""
AHEAD = timedelta(minutes=5)
"""Ours are made there so long before they begin."""


class SilenceSync:
    """Keeps the silences of a store in step with those of one Alertmanager."""

    def __init__(self, store: Store, destination: Alertmanager) -> None:
        self._store = store
        self._destination = destination
        self._mode = destination.settings.silences
        self._source = f"alertmanager {destination.name}"
        self._doubtful: set[str] = set()

    def step(self, now: datetime) -> None:
        """Look at both sides, and do what is missing on each. Raises DeliveryError, StoreError."""
        theirs = list(self._read())
        if self._mode in ("theirs", "both"):
            self._take_over([one for one in theirs if not one.mark], now)
        if self._mode in ("ours", "both"):
            self._hand_over({one.mark: one for one in _oldest_first(theirs) if one.mark}, now)

    def _read(self) -> Iterator[TheirSilence]:
        for raw in self._destination.silences():
            try:
                yield silence_of(raw)
            except DeliveryError as error:
                if str(error) not in self._doubtful:
                    log.warning("%s: %s", self._destination.name, error)
                    self._doubtful.add(str(error))

    # -- theirs here ------------------------------------------------------------------------------

    def _take_over(self, theirs: Iterable[TheirSilence], now: datetime) -> None:
        known = {one.id: one for one in self._store.silences.read(now) if one.source == self._source}
        names = self._store.service_names()
        active = self._store.incidents.read(states=ACTIVE)
        going_on = [one for one in theirs if not one.is_over and one.ends_at > now]
        wanted: dict[str, Silence] = {}
        for their in going_on:
            for silence in self._as_ours(their, names, active, now):
                held = known.get(silence.id)
                wanted[silence.id] = silence if held is None else replace(silence, created_at=held.created_at)
        gone = [ended_at(one, self._source, now) for key, one in known.items() if key not in wanted]
        changed = [one for key, one in wanted.items() if one != known.get(key) and not self._is_ended(key)]
        if gone or changed:
            self._store.silences.write([*gone, *changed])

    def _as_ours(
        self, their: TheirSilence, names: Sequence[str], active: Sequence[Incident], now: datetime
    ) -> Iterator[Silence]:
        """A silence of theirs as ours; none where it is about no alert that we send, one for each incident it names."""
        labels = {**self._destination.settings.labels, "alertname": ALERT}
        if their.wants("incident"):
            for incident in active:
                of_it = labels | {"incident": incident.id}
                covered = [name for name in incident.services if their.covers(of_it | {"service": name})]
                if covered:
                    yield self._made(their, covered, (incident.id,), now)
            return
        covered = [name for name in names if their.covers(labels | {"service": name})]
        if covered:
            yield self._made(their, covered if their.wants("service") else ["*"], (), now)

    def _made(self, their: TheirSilence, services: Iterable[str], incidents: tuple[str, ...], now: datetime) -> Silence:
        identity = "\0".join((self._source, their.id, *incidents))
        return Silence(
            id="a" + hashlib.sha256(identity.encode()).hexdigest()[:12],
            reason=" ".join(their.comment.split())[:LONGEST_REASON] or "no reason was given",
            created_by=their.created_by or "somebody",
            created_at=now,
            starts_at=their.starts_at,
            ends_at=their.ends_at,
            services=tuple(services),
            source=self._source,
            origin=their.id,
            incidents=incidents,
        )

    def _is_ended(self, silence_id: str) -> bool:
        """Whether somebody ended it here: it does not come back."""
        try:
            return bool(self._store.silences.get(silence_id).ended_by)
        except ObservatoryError:
            return False

    # -- ours there -------------------------------------------------------------------------------

    def _hand_over(self, theirs: Mapping[str, TheirSilence], now: datetime) -> None:
        wanted = {mark_of(one): one for one in self._ours(now)}
        for mark, one in wanted.items():
            there = theirs.get(mark)
            if there is not None and there.is_over:
                self._heed_end(one, now)
            elif there is None or abs(there.ends_at - one.until) >= EXACT:
                body = silence_for(one, "" if there is None else there.id)
                if body is not None:
                    self._destination.add_silence(body)
        for mark, there in theirs.items():
            if mark not in wanted and not there.is_over:
                self._destination.end_silence(there.id)

    def _ours(self, now: datetime) -> Iterator[InForce]:
        """Those that are in force, or will be in a moment, but for those that came from there."""
        for one in self._store.silences.read(now, now + AHEAD):
            span = span_at(one, now) or next_span(one, now)
            if one.source != self._source and span is not None and span[0] <= now + AHEAD:
                yield InForce(one, *span)

    def _heed_end(self, one: InForce, now: datetime) -> None:
        """Somebody ended one of ours there; one that does not come again is over here, too, where that is wished."""
        if self._mode == "both" and not one.silence.is_recurring:
            self._store.silences.write([ended_at(one.silence, self._source, now)])


class SilenceSyncs:
    """All of them, in a thread; of the processes that share a store one does it."""

    def __init__(self, store: Store, told: Mapping[str, Told], clock: Callable[[], datetime]) -> None:
        self.syncs = {
            name: SilenceSync(store, one.destination)
            for name, one in told.items()
            if isinstance(one.destination, Alertmanager)
            and one.settings.enabled
            and one.destination.settings.silences != "none"
        }
        self._clock = clock
        self._leader = LeaderElection(store, "silences", clock, LEASE)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.errors: dict[str, str] = {}
        """Why the last look failed, by destination."""

    def start(self) -> None:
        """Begin, in a daemon thread, where there is anything to do; once."""
        if self.syncs and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="observatory-silences", daemon=True)
            self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """End; a look in progress is waited for."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout)
            self._leader.release()

    def step(self) -> None:
        """Look once, where no other process does."""
        if not self._leader.claim():
            return
        for name, sync in self.syncs.items():
            try:
                sync.step(self._clock())
                self.errors.pop(name, None)
            except ObservatoryError as error:
                if name not in self.errors and not self._stopping.is_set():
                    log.warning("silences are not in step with %s: %s", name, error)
                self.errors[name] = str(error)

    def _run(self) -> None:
        while True:
            try:
                self.step()
            except Exception as error:  # the thread must outlive whatever it meets
                if not self._stopping.is_set():
                    log.warning("silences cannot be kept in step: %s", error, exc_info=True)
            if self._stopping.wait(EVERY):
                return


def _oldest_first(theirs: Iterable[TheirSilence]) -> list[TheirSilence]:
    """One that is not over comes last, and so counts where several have the same mark."""
    return sorted(theirs, key=lambda one: (not one.is_over, one.starts_at, one.id))
