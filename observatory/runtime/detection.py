"""Anomalies of a live process: found in new samples at every cycle, and in the past on request.

Each service is handled by itself: one that fails is reported and the others go on.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from observatory.annotations.masks import Masks, learned_history, masks_of
from observatory.config import Settings
from observatory.detection.baselines import BandCache
from observatory.detection.episodes import detect
from observatory.detection.replay import CONTEXT_ROWS, first_row, replay_episodes
from observatory.detection.threshold import Threshold
from observatory.errors import NotEnoughDataError
from observatory.model import SERVICE, TIMESTAMP, Anomaly, Failure, Progress, no_progress
from observatory.runtime.factory import make_scorer
from observatory.runtime.relearning import Relearning
from observatory.runtime.scoring import LiveScorer
from observatory.store import Store

log = logging.getLogger(__name__)

ABANDONED = timedelta(hours=1)
"""Silence of a service after which its anomaly is closed."""

Found = tuple[list[Anomaly], list[Failure]]


class LiveDetection:
    """Scores samples of the store, and keeps there the anomalies they are."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._training = timedelta(days=settings.training_days)
        self._threshold = Threshold(sensitivity=settings.sensitivity)
        self.scorer = LiveScorer(
            make_scorer(settings, store.metrics), store, detector_name=settings.detector, training=self._training
        )
        self._bands = BandCache(
            learned_history(store), training=self._training, refit_after=timedelta(hours=settings.refit_hours)
        )
        self._relearning = Relearning(store)
        self._scored_until: dict[str, datetime] = {}
        self._rules = store.names.rules()
        self._names = set(store.service_names())

    def follow_names(self) -> None:
        """Notice that services were renamed, joined or removed since the last time, by whatever process."""
        rules = self._store.names.rules()
        names = set(self._store.service_names())
        if rules != self._rules or not self._names <= names:
            gone = self._names - names
            new = [rule.becomes for rule in rules.rules if rule not in self._rules.rules]
            changed = {rules.name_of(name) for name in (*gone, *new)} & names
            self.scorer.follow(gone, changed)
            self._bands.forget(gone | changed)
            self._scored_until = {name: at for name, at in self._scored_until.items() if name not in gone}
        self._rules, self._names = rules, names

    def follow_silences(self, now: datetime) -> None:
        """Forget what was learned of times that a silence leaves out that was made afterwards."""
        concerned = self._relearning.due(now - self._training)
        if concerned:
            log.info("%d services are learned anew, for silences of the past leave out what they did", len(concerned))
            self.scorer.follow(concerned, ())
            self._bands.forget(concerned)
            self._relearning.done(now - self._training)

    def detect_new(self, now: datetime, newest: Mapping[str, datetime]) -> Found:
        """Score the samples that came since the last time, and keep the anomalies that began, went on or ended.

        Parameters
        ----------
        now
            The time of the cycle.
        newest
            The time of each service's newest sample.

        Returns
        -------
        The anomalies, and the services that could not be scored: they are tried again the next time.
        """
        still_open = {anomaly.service_name: anomaly for anomaly in self._store.anomalies(open_only=True)}
        fresh = {name: last for name, last in newest.items() if self._scored_until.get(name) != last}
        found = [still_open[name] for name in (newest.keys() - fresh.keys()) & still_open.keys()]
        found = [replace(anomaly, is_open=False) for anomaly in found if now - anomaly.ended_at >= ABANDONED]
        failures: list[Failure] = []
        masks = masks_of(self._store, min(fresh.values(), default=now) - self._training, now)
        fresh = self._without_unlearned(fresh, masks)
        if fresh:
            new, failures = self._detect_fresh(fresh, still_open, now, masks)
            found += new
        found += _silenced(still_open, found, newest, masks)
        self._store.write_anomalies(found)
        return found, failures

    def replay(
        self,
        start: datetime,
        end: datetime,
        services: Sequence[str] | None = None,
        progress: Progress = no_progress,
    ) -> Found:
        """Detect from `start` to `end` as if the samples had come in live; keep what was found."""
        names = [service.name for service in self._store.services()] if services is None else list(services)
        found: list[Anomaly] = []
        failures: list[Failure] = []
        still_open = {a.service_name: a for a in self._store.anomalies(open_only=True) if a.started_at < start}
        for done, name in enumerate(names):
            progress(done, len(names), "detecting anomalies")
            try:
                found += self._replay_service(name, start, end, still_open.get(name))
            except NotEnoughDataError:
                continue
            except Exception as error:  # one service must not stop the others
                log.exception("detecting on %s failed", name)
                failures.append(_failure(name, error))
        progress(len(names), len(names), "detecting anomalies")
        self._store.write_anomalies(found)
        return found, failures

    def _without_unlearned(self, fresh: Mapping[str, datetime], masks: Masks) -> dict[str, datetime]:
        """Without services whose newest sample is not learned from: it is passed over, as if it were not there."""
        kept = {}
        for name, last in fresh.items():
            if masks and masks.unlearned(name, pd.DatetimeIndex([last])).any():
                self._scored_until[name] = last
            else:
                kept[name] = last
        return kept

    def _detect_fresh(
        self, fresh: Mapping[str, datetime], still_open: Mapping[str, Anomaly], now: datetime, masks: Masks
    ) -> Found:
        """The same for services with new samples, up to the time of each in `fresh`."""
        before = timedelta(seconds=self._settings.interval / 2)
        since = {name: self._scored_until.get(name) or last - before for name, last in fresh.items()}
        context = CONTEXT_ROWS * timedelta(seconds=self._settings.interval)
        rows = self._store.history_of_all(min(since.values()) - context, max(fresh.values()), list(since))
        rows = masks.learned_of_all(rows)
        try:
            scored = self.scorer.score(rows, since, now)
        except Exception as error:
            log.exception("scoring failed")
            return [], [Failure("detect", f"{type(error).__name__}: {error}")]
        scores = np.where(masks.unjudged_of_all(rows), np.nan, scored.scores)
        found, failed = self._form_episodes(rows.assign(score=scores), since, still_open)
        failed = {**scored.failed, **failed}
        self._scored_until.update({name: last for name, last in fresh.items() if name not in failed})
        return found, [_failure(name, error) for name, error in failed.items()]

    def _form_episodes(
        self, rows: pd.DataFrame, since: Mapping[str, datetime], still_open: Mapping[str, Anomaly]
    ) -> tuple[list[Anomaly], dict[str, Exception]]:
        """Episodes of the services that alarm, or did until now; and why some have none. `rows` have a ``score``."""
        alarming = rows.loc[self._threshold.classify(rows["score"]), SERVICE].unique()
        concerned = {str(name) for name in alarming} | (still_open.keys() & since.keys())
        found: list[Anomaly] = []
        failed: dict[str, Exception] = {}
        for key, frame in rows[rows[SERVICE].isin(concerned)].groupby(SERVICE):
            name = str(key)
            try:
                found += self._detect_service(name, frame, since[name], still_open.get(name))
            except Exception as error:  # one service must not stop the others
                log.exception("detecting on %s failed", name)
                failed[name] = error
                self.scorer.forget(name)
        return found, failed

    def _detect_service(
        self, name: str, rows: pd.DataFrame, since: datetime, still_open: Anomaly | None
    ) -> list[Anomaly]:
        frame = rows.drop(columns=SERVICE).set_index(TIMESTAMP)
        scores = frame.pop("score").dropna()
        return detect(
            name,
            frame,
            scores,
            lambda: self._bands.bands(name, since),
            still_open,
            detector_name=self._settings.detector,
            threshold=self._threshold,
        )

    def _replay_service(self, name: str, start: datetime, end: datetime, still_open: Anomaly | None) -> list[Anomaly]:
        masks = masks_of(self._store, start - self._training, end)
        frame = masks.learned(name, self._store.history(name, start - self._training, end))
        scores = self.scorer.replay(name, frame, start)
        found = replay_episodes(
            name,
            frame,
            scores.mask(masks.unjudged(name, pd.DatetimeIndex(scores.index))),
            first_row(frame, start, self._settings.minimum_samples),
            detector_name=self._settings.detector,
            threshold=self._threshold,
            training=self._training,
            still_open=still_open,
        )
        self._scored_until[name] = frame.index[-1].to_pydatetime() if len(frame) else start
        return found


def _silenced(
    still_open: Mapping[str, Anomaly], found: Sequence[Anomaly], newest: Mapping[str, datetime], masks: Masks
) -> list[Anomaly]:
    """Anomalies that end because their service is not judged any more."""
    if not masks:
        return []
    latest = {one.service_name: one for one in [*still_open.values(), *found] if one.is_open}
    return [
        replace(one, is_open=False)
        for name, one in latest.items()
        if name in newest and masks.unjudged(name, pd.DatetimeIndex([newest[name]])).any()
    ]


def _failure(service: str, error: Exception) -> Failure:
    return Failure(f"detect {service}", f"{type(error).__name__}: {error}")
