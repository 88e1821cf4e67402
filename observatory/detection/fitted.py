"""A model a service, refitted in the background."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from observatory.config import Settings
from observatory.detection.replay import first_row, replay
from observatory.detection.scoring import Judge, Verdicts, detector_of
from observatory.detectors.base import Detector
from observatory.errors import NotEnoughDataError
from observatory.model import SERVICE, TIMESTAMP
from observatory.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Model:
    """What was learned about one service, and when."""

    detector: Detector
    fitted_at: datetime


class Fitted(Judge):
    """A model a service: the first is fitted at once, later ones in the background while the old one judges."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._training = timedelta(days=settings.training_days)
        self._models: dict[str, Model] = {}
        self._coming: dict[str, Future[Model]] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="observatory-refit")

    def scores(self, rows: pd.DataFrame, since: Mapping[str, datetime], now: datetime) -> Verdicts:
        """See `Judge.scores`; a service that has too few samples to learn from is not judged."""
        verdicts = Verdicts(np.full(len(rows), np.nan))
        for name, places in rows.groupby(SERVICE, sort=False).indices.items():
            frame = rows.iloc[places].drop(columns=SERVICE).set_index(TIMESTAMP)
            try:
                total = self._model(str(name), since[str(name)], now).detector.score(frame).total
                verdicts.scores[places] = total.where(total.index > pd.Timestamp(since[str(name)]))
            except NotEnoughDataError:
                continue  # learning; the overview says so
            except Exception as error:  # one service must not stop the others
                log.exception("judging %s failed", name)
                verdicts.failed[str(name)] = error
        return verdicts

    def replay(self, name: str, frame: pd.DataFrame, start: datetime) -> pd.Series:
        """See `Judge.replay`; models are fitted for it, one a day."""
        first = first_row(frame, start, self._settings.minimum_samples)
        return replay(frame, detector_of(self._settings), first, self._training).total

    def close(self) -> None:
        """See `Judge.close`; a fit that runs is waited for, those that wait are dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _model(self, name: str, since: datetime, now: datetime) -> Model:
        coming = self._coming.get(name)
        if coming is not None and coming.done():
            del self._coming[name]
            try:
                self._models[name] = coming.result()
            except NotEnoughDataError:  # samples were removed: the old model is the best there is
                self._models[name] = Model(self._models[name].detector, now)
        model = self._models.get(name)
        if model is None:
            model = self._models[name] = self._fit(name, since, now)
        elif name not in self._coming and now - model.fitted_at > timedelta(hours=self._settings.refit_hours):
            self._coming[name] = self._pool.submit(self._fit, name, since, now)
        return model

    def _fit(self, name: str, since: datetime, now: datetime) -> Model:
        history = self._store.history(name, since - self._training, since)
        if len(history) < self._settings.minimum_samples:
            raise NotEnoughDataError(len(history), self._settings.minimum_samples, name)
        return Model(detector_of(self._settings).fit(history), now)
