"""A model a service: the first when there is enough to learn from, its successors in the background."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

import numpy as np
import pandas as pd
from support.series import series
from support.stored import answer, between, caught_up, stored

from observatory.detection import FittedScorer
from observatory.detection.fitted import FittedState
from observatory.detectors.base import Scores
from observatory.detectors.seasonal import Seasonal
from observatory.errors import NotEnoughDataError

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FRAMES = {name: series(1, seed) for seed, name in enumerate(["a", "b", "c"])}
ROWS = stored(FRAMES)
TIMES = [time.to_pydatetime() for time in FRAMES["a"].index]


class Picky(Seasonal):
    """Fails on what it is told to."""

    fit_error: Exception | None = None
    score_error: Exception | None = None

    def fit(self, history: pd.DataFrame) -> Self:
        if self.fit_error is not None and history["request_rate"].iloc[0] == FRAMES["b"]["request_rate"].iloc[0]:
            raise self.fit_error
        return super().fit(history)

    def score(self, frame: pd.DataFrame) -> Scores:
        if self.score_error is not None and frame["request_rate"].iloc[-1] in FRAMES["b"]["request_rate"].to_numpy():
            raise self.score_error
        return super().score(frame)


def make(fit_error: Exception | None = None, score_error: Exception | None = None) -> FittedScorer:
    def detector() -> Picky:
        made = Picky()
        made.fit_error, made.score_error = fit_error, score_error
        return made

    return FittedScorer(detector, interval=60, minimum_samples=120, training=DAY, refit_after=6 * HOUR)


def at(minute: int) -> dict:
    return dict.fromkeys(FRAMES, TIMES[minute])


def ready(scorer: FittedScorer, minute: int = 400) -> FittedState:
    return caught_up(scorer, scorer.start(), ROWS, at(minute), TIMES[minute])


def scores_of(scorer: FittedScorer, state: FittedState, minute: int) -> tuple[FittedState, np.ndarray, dict]:
    rows = between(ROWS, TIMES[minute - 10], TIMES[minute + 1], FRAMES)
    state, scored = scorer.score(state, rows, at(minute))
    new = scored.scores[(rows["timestamp"] > TIMES[minute]).to_numpy()]
    return state, new, dict(scored.failed)


def test_a_service_gets_its_first_model_once_it_has_enough_samples() -> None:
    scorer = make()
    early = ready(scorer, 100)
    assert early.models == {}
    assert [request.services for request in scorer.missing(early, at(101), TIMES[101])] == [["a", "b", "c"]]
    assert sorted(caught_up(scorer, early, ROWS, at(120), TIMES[120]).models) == ["a", "b", "c"]


def test_models_are_renewed_in_the_background_each_by_itself_and_the_old_ones_score_on() -> None:
    scorer = make()
    state = ready(scorer)
    assert scorer.missing(state, at(760), TIMES[760]) == [], "six hours old is not older"
    requests = scorer.missing(state, at(761), TIMES[761])
    assert [(request.services, request.in_background) for request in requests] == [
        (["a"], True),
        (["b"], True),
        (["c"], True),
    ]
    old = state.models["a"]
    state, _, failed = scores_of(scorer, state, 761)
    assert (state.models["a"], failed) == (old, {})
    state = scorer.merge(state, scorer.learn(scorer.start(), requests[0], answer(ROWS, requests[0])))
    assert state.models["a"] is not old
    assert [request.services for request in scorer.missing(state, at(762), TIMES[762])] == [["b"], ["c"]]


def test_without_enough_samples_for_a_new_model_the_old_one_stays() -> None:
    scorer = make()
    state = ready(scorer)
    (request, *_) = scorer.missing(state, at(761), TIMES[761])
    few = answer(ROWS, request).iloc[:50]
    after = scorer.merge(state, scorer.learn(scorer.start(), request, few))
    assert after.models == state.models
    assert "a" not in [one.services[0] for one in scorer.missing(after, at(762), TIMES[762])], "and rests for a while"


def test_a_service_whose_model_cannot_be_fitted_is_reported_and_does_not_stop_the_others() -> None:
    error = ZeroDivisionError("no model")
    scorer = make(fit_error=error)
    state = ready(scorer)
    state, scores, failed = scores_of(scorer, state, 400)
    assert failed == {"b": error}
    assert np.isnan(scores).tolist() == [False, True, False]
    assert scores_of(scorer, state, 401)[2] == {}, "it is reported once for each attempt"
    assert [request.services for request in scorer.missing(state, at(401), TIMES[401])] == [["b"]]


def test_a_refit_that_fails_is_reported_and_tried_again_and_the_old_model_goes_on() -> None:
    error = ZeroDivisionError("no model")
    scorer = make()
    state = ready(scorer)
    request = scorer.missing(state, at(761), TIMES[761])[1]
    failing = make(fit_error=error)
    state = scorer.merge(state, failing.learn(failing.start(), request, answer(ROWS, request)))
    state, _, failed = scores_of(scorer, state, 761)
    assert failed == {"b": error}
    assert ["b"] in [one.services for one in scorer.missing(state, at(762), TIMES[762])]
    _, scores, failed = scores_of(scorer, state, 762)
    assert np.isfinite(scores).all()
    assert failed == {}


def test_a_service_that_cannot_be_scored_is_reported_and_does_not_stop_the_others() -> None:
    error = ZeroDivisionError("model exploded")
    scorer = make(score_error=error)
    _, scores, failed = scores_of(scorer, ready(scorer), 400)
    assert failed == {"b": error}
    assert np.isnan(scores).tolist() == [False, True, False]


def test_a_model_that_finds_its_history_too_short_later_is_still_learning() -> None:
    scorer = make(score_error=NotEnoughDataError(1, 2))
    _, scores, failed = scores_of(scorer, ready(scorer), 400)
    assert failed == {}
    assert np.isnan(scores).tolist() == [False, True, False]


def test_nothing_is_kept_for_the_next_process_and_nothing_forgotten() -> None:
    scorer = make()
    state = ready(scorer)
    assert scorer.keep(state, TIMES[400], everything=True) == (state, [])
    assert scorer.forget(state, ["a"]) is state
    assert scorer.restore(state, []) is state
    assert scorer.fingerprint == ""
