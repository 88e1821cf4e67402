"""One state for all services: learned once, kept in snapshots, and learned anew where it is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from support.series import series
from support.stored import answer, between, caught_up, stored

from observatory.detection import StreamingScorer, streaming
from observatory.detection.streaming import StreamingState
from observatory.detectors import make_detector
from observatory.detectors.multiscale.fleet import Fleet
from observatory.errors import InvalidInputError

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FRAMES = {name: series(0.4, seed) for seed, name in enumerate(["a", "b", "c"])}
ROWS = stored(FRAMES)
TIMES = [time.to_pydatetime() for time in FRAMES["a"].index]
ALL_AT_400 = dict.fromkeys(FRAMES, TIMES[400])


def make(**options: Any) -> StreamingScorer:
    detector: Any = make_detector("multiscale", **options)
    return StreamingScorer(detector, FRAMES["a"].columns, interval=60, minimum_samples=120, training=DAY)


def known(state: StreamingState) -> dict[str, bytes]:
    """All that decides the next scores, to the last bit."""
    return state.learned.dump(sorted(state.learned.services))


def at_400(scorer: StreamingScorer) -> StreamingState:
    return caught_up(scorer, scorer.start(), ROWS, ALL_AT_400, TIMES[400])


def test_what_was_learned_is_not_asked_for_again_and_what_lags_is() -> None:
    scorer = make()
    state = caught_up(scorer, scorer.start(), ROWS, {"a": TIMES[400], "b": TIMES[390]}, TIMES[400])
    requests = scorer.missing(state, ALL_AT_400, TIMES[400])
    asked = {name: start for request in requests for name, start in request.start.items()}
    assert asked == {"b": TIMES[390], "c": TIMES[400] - DAY}


def test_history_older_than_the_training_is_left_out_after_a_long_silence() -> None:
    scorer = make()
    state = caught_up(scorer, scorer.start(), ROWS, {"a": TIMES[100]}, TIMES[100])
    (request,) = scorer.missing(state, {"a": TIMES[100] + 3 * DAY}, TIMES[100] + 3 * DAY)
    assert request.start == {"a": TIMES[100] + 2 * DAY}


def test_rows_that_were_learned_are_neither_scored_nor_learned_again() -> None:
    scorer = make()
    state = at_400(scorer)
    rows = between(ROWS, TIMES[390], TIMES[410], FRAMES)
    state, scored = scorer.score(state, rows, ALL_AT_400)
    before = known(state)
    state, again = scorer.score(state, rows, ALL_AT_400)
    assert np.isfinite(scored.scores).sum() == 30
    assert np.isnan(again.scores).all()
    assert known(state) == before


def test_a_service_is_learned_as_by_a_detector_of_its_own() -> None:
    state = at_400(make())
    alone: Any = make_detector("multiscale")
    alone.advance(FRAMES["b"].iloc[:401])
    assert known(state)["b"] == alone._fleet.dump(["the service"])["the service"]


def test_a_service_that_lags_behind_gets_the_scores_it_would_have_had() -> None:
    scorer = make()
    late = {**ALL_AT_400, "b": TIMES[380]}
    state = caught_up(scorer, scorer.start(), ROWS, late, TIMES[400])
    rows = between(ROWS, TIMES[370], TIMES[410], FRAMES)
    state, scored = scorer.score(state, rows, late)
    prompt, whole = scorer.score(at_400(scorer), rows, ALL_AT_400)
    later = np.isfinite(whole.scores)
    np.testing.assert_array_equal(scored.scores[later], whole.scores[later])
    assert np.isfinite(scored.scores).sum() == np.isfinite(whole.scores).sum() + 20
    assert known(state) == known(prompt)


def test_the_answers_may_come_in_any_number_of_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = make()
    whole = known(at_400(scorer))
    monkeypatch.setattr("observatory.detection.scoring.ROWS_AT_ONCE", 1)
    assert len(scorer.missing(scorer.start(), ALL_AT_400, TIMES[400])) == 3
    assert known(at_400(scorer)) == whole


def test_snapshots_restore_what_was_known() -> None:
    scorer = make()
    state, snapshots = scorer.keep(at_400(scorer), TIMES[400], everything=True)
    again = scorer.restore(scorer.start(), snapshots)
    assert known(again) == known(state)
    assert again.until == state.until
    assert scorer.keep(again, TIMES[401], everything=True)[1] == [], "nothing has changed since"
    later = dict.fromkeys(FRAMES, TIMES[405])
    assert known(caught_up(scorer, again, ROWS, later, TIMES[405])) == known(
        caught_up(scorer, state, ROWS, later, TIMES[405])
    )


def test_a_snapshot_that_cannot_be_read_is_refused_and_nothing_taken_over() -> None:
    scorer = make()
    _, snapshots = scorer.keep(at_400(scorer), TIMES[400], everything=True)
    broken = [*snapshots[:2], streaming.Snapshot("c", TIMES[400], TIMES[400], b"nothing")]
    state = scorer.start()
    with pytest.raises(InvalidInputError, match="cannot be read"):
        scorer.restore(state, broken)
    assert known(state) == {}


def test_parameters_are_part_of_the_fingerprint() -> None:
    assert make().fingerprint == make().fingerprint != make(memory=14.0).fingerprint


@pytest.mark.slow
def test_snapshots_are_taken_hourly_a_few_at_a_time_and_the_longest_waiting_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streaming, "KEPT_AT_ONCE", 2)
    scorer, taken = make(), []
    state = at_400(scorer)
    for minute in range(400, 465):
        state = caught_up(scorer, state, ROWS, dict.fromkeys(FRAMES, TIMES[minute]), TIMES[minute])
        state, snapshots = scorer.keep(state, TIMES[minute])
        assert all(one.learned_until == one.taken_at == TIMES[minute] for one in snapshots)
        taken += [(one.service_name, minute) for one in snapshots]
    assert taken == [("a", 400), ("b", 400), ("c", 401), ("a", 460), ("b", 460), ("c", 461)]


def test_snapshots_that_were_not_saved_are_taken_again() -> None:
    scorer = make()
    state = at_400(scorer)
    _, lost = scorer.keep(state, TIMES[400])
    _, again = scorer.keep(state, TIMES[401])
    assert [one.service_name for one in again] == [one.service_name for one in lost] == ["a", "b", "c"]


def test_what_is_forgotten_is_asked_for_and_learned_anew() -> None:
    scorer = make()
    state = at_400(scorer)
    whole = known(state)
    state = scorer.forget(state, ["b", "nobody"])
    assert sorted(known(state)) == ["a", "c"]
    (request,) = scorer.missing(state, ALL_AT_400, TIMES[400])
    assert request.services == ["b"]
    assert known(scorer.learn(state, request, answer(ROWS, request))) == whole


def test_after_a_failure_halfway_forgetting_and_learning_anew_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = make()
    state, honest = at_400(scorer), Fleet.advance
    rows = between(ROWS, TIMES[390], TIMES[410], FRAMES)
    _, expected = scorer.score(at_400(scorer), rows, ALL_AT_400)

    def fails_halfway(fleet: Fleet, services: Any, values: Any, times: Any) -> Any:
        honest(fleet, services[:15], values[:15], times[:15])
        raise MemoryError("halfway")

    monkeypatch.setattr(Fleet, "advance", fails_halfway)
    with pytest.raises(MemoryError):
        scorer.score(state, rows, ALL_AT_400)
    monkeypatch.setattr(Fleet, "advance", honest)
    state = caught_up(scorer, scorer.forget(state, ALL_AT_400), ROWS, ALL_AT_400, TIMES[400])
    _, scored = scorer.score(state, rows, ALL_AT_400)
    np.testing.assert_array_equal(scored.scores, expected.scores)


def test_live_scoring_goes_on_from_a_replay() -> None:
    scorer = make()
    state, scores = scorer.replay(scorer.start(), "a", FRAMES["a"].iloc[:401].rename_axis("timestamp"), TIMES[300])
    assert len(scores) == 101
    assert scorer.missing(state, {"a": TIMES[400]}, TIMES[400]) == []
    assert known(state)["a"] == known(at_400(scorer))["a"]


def test_a_look_back_leaves_no_trace() -> None:
    scorer = make()
    state = at_400(scorer)
    before = known(state)
    after, scores = scorer.replay(state, "a", FRAMES["a"].iloc[:401].rename_axis("timestamp"), TIMES[300])
    _, live = scorer.replay(scorer.start(), "a", FRAMES["a"].iloc[:401].rename_axis("timestamp"), TIMES[300])
    assert known(after) == before
    assert after.until == state.until
    np.testing.assert_array_equal(scores, live)


def test_nothing_is_fitted_in_the_background() -> None:
    scorer = make()
    with pytest.raises(NotImplementedError, match="StreamingScorer asks for nothing in the background"):
        scorer.merge(scorer.start(), scorer.start())
