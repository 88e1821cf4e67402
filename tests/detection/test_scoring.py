"""What a scorer asks for is bounded, and no more than it needs; it is answered and learned without any store."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from support.series import series
from support.stored import answer, between, caught_up, stored

from observatory.detection import FittedScorer, HistoryRequest, Scorer, StreamingScorer, scoring
from observatory.detection.scoring import requests_in_pieces
from observatory.detectors import make_detector
from observatory.model import SERVICE, TIMESTAMP

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FRAMES = {name: series(0.5, seed) for seed, name in enumerate(["a", "b", "c"])}
ROWS = stored(FRAMES)
TIMES = [time.to_pydatetime() for time in FRAMES["a"].index]


def streaming() -> Scorer:
    detector = make_detector("multiscale")
    return StreamingScorer(detector, FRAMES["a"].columns, interval=60, minimum_samples=120, training=DAY)  # type: ignore[arg-type]


def fitted() -> Scorer:
    make = lambda: make_detector("seasonal")  # noqa: E731
    return FittedScorer(make, interval=60, minimum_samples=120, training=DAY, refit_after=timedelta(hours=6))


@pytest.fixture(params=[streaming, fitted], ids=["streaming", "fitted"])
def scorer(request: pytest.FixtureRequest) -> Scorer:
    return request.param()


def test_rows_after_the_times_given_are_scored_and_no_others(scorer: Scorer) -> None:
    since = dict.fromkeys(FRAMES, TIMES[600])
    state = caught_up(scorer, scorer.start(), ROWS, since, TIMES[605])
    rows = between(ROWS, TIMES[590], TIMES[605], FRAMES)
    _, scored = scorer.score(state, rows, since)
    due = (rows[TIMESTAMP] > TIMES[600]).to_numpy()
    assert np.isfinite(scored.scores[due]).all()
    assert np.isnan(scored.scores[~due]).all()
    assert scored.failed == {}


@pytest.mark.slow
def test_minute_by_minute_the_scores_are_those_of_one_call(scorer: Scorer) -> None:
    since = dict.fromkeys(FRAMES, TIMES[600])
    state = caught_up(scorer, scorer.start(), ROWS, since, TIMES[600])
    rows = between(ROWS, TIMES[590], TIMES[640], FRAMES)
    _, whole = scorer.score(state, rows, since)
    state, pieces = caught_up(scorer, scorer.start(), ROWS, since, TIMES[600]), []
    for minute in range(600, 640):
        since = dict.fromkeys(FRAMES, TIMES[minute])
        assert scorer.missing(state, since, TIMES[minute]) == [], "it is up to date"
        new = between(ROWS, TIMES[minute - 10], TIMES[minute + 1], FRAMES)
        state, scored = scorer.score(state, new, since)
        pieces.append(new[[SERVICE, TIMESTAMP]].assign(score=scored.scores).dropna())
    table = pd.concat(pieces).sort_values([SERVICE, TIMESTAMP])["score"]
    np.testing.assert_array_equal(table, whole.scores[np.isfinite(whole.scores)])


def test_services_with_too_few_samples_have_no_scores(scorer: Scorer) -> None:
    since = dict.fromkeys(FRAMES, TIMES[60])
    state = caught_up(scorer, scorer.start(), ROWS, since, TIMES[60])
    _, scored = scorer.score(state, between(ROWS, TIMES[50], TIMES[70], FRAMES), since)
    assert np.isnan(scored.scores).all()
    assert scored.failed == {}


def test_what_is_asked_for_begins_with_the_training_and_ends_before_the_new_rows(scorer: Scorer) -> None:
    since = {"a": TIMES[600], "b": TIMES[500]}
    (request,) = scorer.missing(scorer.start(), since, TIMES[601])
    assert request.start == {name: at - DAY for name, at in since.items()}
    assert request.end == since
    assert not request.in_background
    read = answer(ROWS, request)
    assert read.groupby(SERVICE)[TIMESTAMP].max().to_dict() == since


def test_the_past_is_replayed_from_the_start_given(scorer: Scorer) -> None:
    frame = FRAMES["a"].rename_axis(TIMESTAMP)
    _, scores = scorer.replay(scorer.start(), "a", frame, TIMES[300])
    assert scores.dropna().index.equals(frame.index[300:])


def test_requests_are_of_as_many_services_as_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "ROWS_AT_ONCE", 1000)
    end = dict.fromkeys("abcdefg", TIMES[600])
    start = dict.fromkeys(end, TIMES[600] - 400 * MINUTE) | {"g": TIMES[0] - 100 * DAY, "f": TIMES[599]}
    pieces = list(requests_in_pieces(start, end, 60, TIMES[600]))
    assert [piece.services for piece in pieces] == [["f", "a"], ["b", "c"], ["d", "e"], ["g"]]
    assert all(piece.end == dict.fromkeys(piece.services, TIMES[600]) for piece in pieces)
    assert list(requests_in_pieces({}, {}, 60, TIMES[600])) == []


def test_an_answer_has_the_rows_of_each_services_own_time() -> None:
    request = HistoryRequest({"a": TIMES[3], "b": TIMES[7]}, {"a": TIMES[5], "b": TIMES[8]}, TIMES[9])
    rows = request.only(ROWS)
    assert rows[[SERVICE, TIMESTAMP]].to_numpy().tolist() == [
        ["a", FRAMES["a"].index[3]],
        ["a", FRAMES["a"].index[4]],
        ["a", FRAMES["a"].index[5]],
        ["b", FRAMES["b"].index[7]],
        ["b", FRAMES["b"].index[8]],
    ]
