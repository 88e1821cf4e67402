"""A scorer with a model for each service: the first is fitted at once, later ones in the background."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from observatory.catalog import detected
from observatory.detection.replay import first_row, replay
from observatory.detection.scoring import HistoryRequest, Scored, Scorer, requests_in_pieces
from observatory.detectors.base import Detector
from observatory.errors import NotEnoughDataError
from observatory.model import SERVICE, TIMESTAMP

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FittedState:
    """What was fitted, by service.

    Attributes
    ----------
    models
        Detectors that score.
    fitted_at
        When the last one was fitted, or was refused because there are too few samples.
    failed
        Why a fit failed; reported with the next scores.
    """

    models: Mapping[str, Detector] = field(default_factory=dict)
    fitted_at: Mapping[str, datetime] = field(default_factory=dict)
    failed: Mapping[str, Exception] = field(default_factory=dict)


class FittedScorer(Scorer[FittedState]):
    """Scores with a detector that is fitted anew from time to time.

    Parameters
    ----------
    make
        Makes a detector of which nothing is known yet.
    interval
        Usual time between rows [s].
    minimum_samples
        Rows of a service before it gets a model.
    training
        History that a model is fitted on.
    refit_after
        Age at which a model is replaced; it scores until its successor is there.
    """

    def __init__(
        self,
        make: Callable[[], Detector],
        *,
        interval: float,
        minimum_samples: int,
        training: timedelta,
        refit_after: timedelta,
    ) -> None:
        self._make = make
        self._interval = interval
        self._minimum_samples = minimum_samples
        self._training = training
        self._refit_after = refit_after

    def start(self) -> FittedState:
        """See `Scorer.start`."""
        return FittedState()

    def missing(self, state: FittedState, since: Mapping[str, datetime], now: datetime) -> list[HistoryRequest]:
        """See `Scorer.missing`: what first models are fitted on, and, in the background, their successors."""
        start = {name: at - self._training for name, at in since.items()}
        first = {name: time for name, time in start.items() if name not in state.models}
        old = sorted(name for name in state.models if name in since and self._is_old(state, name, now))
        return [
            *requests_in_pieces(first, since, self._interval, now),
            *(HistoryRequest({one: start[one]}, {one: since[one]}, now, in_background=True) for one in old),
        ]

    def learn(self, state: FittedState, request: HistoryRequest, rows: pd.DataFrame) -> FittedState:
        """See `Scorer.learn`; a service that cannot be learned from does not stop the others."""
        models: dict[str, Detector] = {}
        fitted_at: dict[str, datetime] = {}
        failed: dict[str, Exception] = {}
        histories = dict(list(rows.groupby(SERVICE, sort=False)))
        for name in request.services:
            history = histories.get(name, rows.iloc[:0]).drop(columns=SERVICE).set_index(TIMESTAMP)
            try:
                models[name] = self._fit(name, history)
                fitted_at[name] = request.asked_at
            except NotEnoughDataError:  # an older model, where there is one, is the best there is
                fitted_at[name] = request.asked_at
            except Exception as error:
                log.exception("fitting a model of %s failed", name)
                failed[name] = error
        return self.merge(state, FittedState(models, fitted_at, failed))

    def merge(self, state: FittedState, learned: FittedState) -> FittedState:
        """See `Scorer.merge`."""
        return FittedState(
            {**state.models, **learned.models},
            {**state.fitted_at, **learned.fitted_at},
            {**state.failed, **learned.failed},
        )

    def score(
        self, state: FittedState, rows: pd.DataFrame, since: Mapping[str, datetime]
    ) -> tuple[FittedState, Scored]:
        """See `Scorer.score`; a service that has too few samples for a model is not scored."""
        scores = np.full(len(rows), np.nan)
        failed = {name: error for name, error in state.failed.items() if name in since}
        for key, places in rows.groupby(SERVICE, sort=False).indices.items():
            name = str(key)
            if name in failed or name not in state.models:
                continue
            frame = rows.iloc[places].drop(columns=SERVICE).set_index(TIMESTAMP)
            try:
                total = state.models[name].score(_watched(frame)).total
                scores[places] = total.where(total.index > pd.Timestamp(since[name]))
            except NotEnoughDataError:
                continue
            except Exception as error:  # one service must not stop the others
                log.exception("scoring %s failed", name)
                failed[name] = error
        unreported = {name: error for name, error in state.failed.items() if name not in failed}
        return replace(state, failed=unreported), Scored(scores, failed)

    def replay(
        self, state: FittedState, service: str, frame: pd.DataFrame, start: datetime
    ) -> tuple[FittedState, pd.Series]:
        """See `Scorer.replay`; models are fitted for it and dropped."""
        return state, replay(frame, self._make(), first_row(frame, start, self._minimum_samples), self._training).total

    def _is_old(self, state: FittedState, name: str, now: datetime) -> bool:
        return now - state.fitted_at[name] > self._refit_after

    def _fit(self, name: str, history: pd.DataFrame) -> Detector:
        if len(history) < self._minimum_samples:
            raise NotEnoughDataError(len(history), self._minimum_samples, name)
        return self._make().fit(_watched(history))


def _watched(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[detected(frame.columns)]
