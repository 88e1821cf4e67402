"""The scorer of a live process: what it asks for is read from the store, and what it wants kept is written there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Generic

import pandas as pd

from observatory.annotations.masks import masks_of
from observatory.detection.scoring import HistoryRequest, S, Scored, Scorer, Snapshot
from observatory.errors import InvalidInputError
from observatory.store import Store
from observatory.store.tables.states import KeptState

log = logging.getLogger(__name__)


class LiveScorer(Generic[S]):
    """Holds a scorer's state, and does the reading and writing for it. Safe to use from several threads.

    Parameters
    ----------
    scorer
        Does the scoring.
    store
        Holds the samples, and the states of earlier processes.
    detector_name
        States are kept under it.
    training
        States of services that have been silent for so long are removed.
    """

    def __init__(self, scorer: Scorer[S], store: Store, *, detector_name: str, training: timedelta) -> None:
        self._scorer = scorer
        self._store = store
        self._detector_name = detector_name
        self._training = training
        self._state = scorer.start()
        self._is_loaded = False
        self._lock = threading.RLock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="observatory-refit")
        self._refits: dict[tuple[str, ...], Future[S]] = {}

    def score(self, rows: pd.DataFrame, since: Mapping[str, datetime], now: datetime) -> Scored:
        """Score the rows of each service after its time in `since`; see `Scorer.score`."""
        with self._lock:
            self._load()
            self._take_refits()
            for request in self._scorer.missing(self._state, since, now):
                if request.in_background:
                    self._refit(request)
                else:
                    self._learn(request)
            try:
                self._state, scored = self._scorer.score(self._state, rows, since)
            except BaseException:
                self._state = self._scorer.forget(self._state, since)
                raise
            return scored

    def replay(self, service: str, frame: pd.DataFrame, start: datetime) -> pd.Series:
        """Scores of one service's rows from `start` on, each from what was known then; see `Scorer.replay`."""
        with self._lock:
            self._load()
            try:
                self._state, scores = self._scorer.replay(self._state, service, frame, start)
            except BaseException:
                self._state = self._scorer.forget(self._state, [service])
                raise
            return scores

    def forget(self, service: str) -> None:
        """Be ready to score the last rows of a service once more: what came of their scores was lost."""
        with self._lock:
            self._state = self._scorer.forget(self._state, [service])

    def follow(self, gone: Collection[str], changed: Collection[str]) -> None:
        """Drop what is known of services that are gone, and take over what is kept of those that others became."""
        with self._lock:
            self._store.states.forget_services(self._detector_name, gone)
            if not self._is_loaded:
                return
            self._state = self._scorer.forget(self._state, [*gone, *changed])
            kept = self._store.states.read(self._detector_name) if changed else []
            fitting = [one for one in kept if one.service_name in changed and self._fits(one)]
            self._state = self._scorer.restore(self._state, map(_snapshot, fitting))

    def keep(self, now: datetime, *, everything: bool = False) -> None:
        """Write what would be lost at the end of the process: what is due, or all that changed."""
        with self._lock:
            state, snapshots = self._scorer.keep(self._state, now, everything=everything)
            fingerprint = self._scorer.fingerprint
            self._store.states.write(
                KeptState(
                    one.service_name, self._detector_name, fingerprint, one.learned_until, one.taken_at, one.state
                )
                for one in snapshots
            )
            self._state = state

    def close(self) -> None:
        """End what runs in the background: a fit that runs is waited for, those that wait are dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _load(self) -> None:
        """Take over what was kept, once."""
        if self._is_loaded:
            return
        kept = self._store.states.read(self._detector_name)
        fitting = [one for one in kept if self._fits(one)]
        if len(fitting) < len(kept):
            log.warning(
                "what %s knew of %d services is of another version, metrics or parameters: it learns them anew",
                self._detector_name,
                len(kept) - len(fitting),
            )
        try:
            self._state = self._scorer.restore(self._state, map(_snapshot, fitting))
        except InvalidInputError as error:
            log.warning("%s: it learns all services anew", error)
        if kept:  # services that are gone are not kept for ever
            self._store.states.forget(max(one.learned_until for one in kept) - self._training)
        self._is_loaded = True

    def _fits(self, one: KeptState) -> bool:
        return one.fingerprint == self._scorer.fingerprint

    def _read(self, request: HistoryRequest) -> pd.DataFrame:
        first, last = min(request.start.values()), max(request.end.values())
        rows = request.only(self._store.history_of_all(first, last, request.services))
        return masks_of(self._store, first, last).learned_of_all(rows)

    def _learn(self, request: HistoryRequest) -> None:
        rows = self._read(request)
        try:
            self._state = self._scorer.learn(self._state, request, rows)
        except BaseException:  # what was learned in part is asked for again
            self._state = self._scorer.forget(self._state, request.services)
            raise

    def _refit(self, request: HistoryRequest) -> None:
        """Learn in the background, unless that is under way."""
        services = tuple(request.services)
        if services not in self._refits:
            self._refits[services] = self._pool.submit(
                lambda: self._scorer.learn(self._scorer.start(), request, self._read(request))
            )

    def _take_refits(self) -> None:
        """Take over what was learned in the background since the last time.

        Raises
        ------
        StoreError
            The history for it could not be read; it is asked for again.
        """
        for services in [services for services, refit in self._refits.items() if refit.done()]:
            self._state = self._scorer.merge(self._state, self._refits.pop(services).result())


def _snapshot(one: KeptState) -> Snapshot:
    return Snapshot(one.service_name, one.learned_until, one.kept_at, one.state)
