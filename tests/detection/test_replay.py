"""The past is scored as it would have been live: nothing knows what came after it."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from support.series import MINUTES, series, with_fault

from observatory.detection import Threshold, detect_past, replay, replay_episodes
from observatory.detection.replay import CONTEXT_ROWS, REFIT_ROWS, first_row
from observatory.detectors import make_detector
from observatory.errors import NotEnoughDataError
from observatory.model import Severity

FRAME = series(8)
DAY_EIGHT = 7 * MINUTES
FAULTY = with_fault(FRAME, "latency_p99", lambda x: x * 10, DAY_EIGHT, rows=60)


@pytest.mark.slow
@pytest.mark.parametrize("detector", ["multiscale", "seasonal"])
def test_calm_heavy_tailed_weeks_hardly_alarm(detector: str) -> None:
    alarms = 0
    for seed in range(4):
        frame = series(9, seed)
        alarms += len(detect_past("a", frame, detector, frame.index[2 * MINUTES].to_pydatetime()))
    assert alarms <= 4, "one a service and week"


@pytest.mark.slow
def test_a_fault_in_the_history_does_not_hide_the_next() -> None:
    frame = with_fault(FAULTY, "latency_p99", lambda x: x * 10, 4 * MINUTES, rows=120)
    found = detect_past("a", frame, "seasonal", frame.index[2 * MINUTES].to_pydatetime())
    starts = [a.started_at for a in found if a.severity in (Severity.CRITICAL, Severity.HIGH)]
    assert len(starts) == 2
    assert starts[1] - frame.index[DAY_EIGHT] <= timedelta(minutes=2)


@pytest.mark.slow
def test_replay_knows_nothing_of_the_future() -> None:
    later = with_fault(FRAME, "memory_usage", lambda x: x * 3, DAY_EIGHT + 600, rows=60)
    start = FRAME.index[2 * MINUTES].to_pydatetime()
    before = FRAME.index[DAY_EIGHT + 500].to_pydatetime()
    one = [a for a in detect_past("a", FRAME, "seasonal", start) if a.ended_at < before]
    other = [a for a in detect_past("a", later, "seasonal", start) if a.ended_at < before]
    assert one == other


def test_replay_goes_on_with_what_was_open() -> None:
    before = detect_past("a", FAULTY.iloc[: DAY_EIGHT + 30], "seasonal", FAULTY.index[DAY_EIGHT - 60])
    (running,) = [anomaly for anomaly in before if anomaly.is_open]
    middle = DAY_EIGHT + 30
    scores = replay(FAULTY, make_detector("seasonal"), middle).total
    found = replay_episodes("a", FAULTY, scores, middle, detector_name="seasonal", still_open=running)
    assert [a.started_at for a in found if a.score > 1.5] == [running.started_at]
    assert not found[0].is_open


def test_the_sensitivity_of_the_past_is_that_of_the_threshold() -> None:
    scores = pd.Series(0.0, index=FRAME.index)
    scores.iloc[DAY_EIGHT] = 0.8
    deaf = replay_episodes("a", FRAME, scores, DAY_EIGHT, detector_name="s")
    keen = replay_episodes("a", FRAME, scores, DAY_EIGHT, detector_name="s", threshold=Threshold(sensitivity=1.5))
    assert (len(deaf), len(keen)) == (0, 1)


@pytest.mark.parametrize("detector", ["multiscale", "seasonal"])
def test_scores_and_shares_are_missing_while_the_detector_learns(detector: str) -> None:
    scored = replay(FRAME.iloc[:600], make_detector(detector), 300)
    assert scored.total.index.equals(FRAME.index[:600])
    assert scored.total.iloc[:300].isna().all()
    assert np.isfinite(scored.total.iloc[300:]).all()
    assert scored.shares.iloc[:300].to_numpy().sum() == 0
    assert list(scored.shares.columns) == list(FRAME.columns)


def test_a_streaming_detector_learns_with_every_row() -> None:
    scored = replay(FAULTY, make_detector("multiscale"), 300)
    alone = make_detector("multiscale").fit(FAULTY.iloc[:300])
    later = [alone.advance(FAULTY.iloc[row : row + 1000]) for row in range(300, len(FAULTY), 1000)]  # type: ignore[attr-defined]
    np.testing.assert_array_equal(scored.total.iloc[300:], np.concatenate([one.total for one in later]))
    np.testing.assert_array_equal(scored.shares.iloc[300:], np.vstack([one.shares for one in later]))


@pytest.mark.slow
def test_any_other_detector_is_fitted_anew_for_each_day_on_what_came_before() -> None:
    first = 2 * MINUTES
    scored = replay(FAULTY, make_detector("seasonal"), first, timedelta(days=3))
    for begin in range(first, len(FAULTY), REFIT_ROWS):
        model = make_detector("seasonal").fit(FAULTY.iloc[max(0, begin - 1 - 3 * MINUTES) : begin])
        piece = model.score(FAULTY.iloc[begin - CONTEXT_ROWS : begin + REFIT_ROWS])
        rows = slice(begin, begin + REFIT_ROWS)
        np.testing.assert_array_equal(scored.total.iloc[rows], piece.total.iloc[CONTEXT_ROWS:])
        np.testing.assert_array_equal(scored.shares.iloc[rows], piece.shares.iloc[CONTEXT_ROWS:])


def test_metrics_called_by_numbers_have_shares_too() -> None:
    frame = FAULTY.set_axis(range(FAULTY.shape[1]), axis=1)
    shares = replay(frame, make_detector("multiscale"), DAY_EIGHT - 100).shares
    assert shares.loc[FAULTY.index[DAY_EIGHT + 1]].idxmax() == list(FAULTY.columns).index("latency_p99")


def test_the_first_row_has_enough_before_it() -> None:
    assert first_row(FRAME, FRAME.index[500], 120) == 500
    assert first_row(FRAME, FRAME.index[5], 120) == 120
    assert first_row(FRAME, FRAME.index[-1] + timedelta(days=1), 120) == len(FRAME)


def test_a_past_without_a_history_is_refused() -> None:
    with pytest.raises(NotEnoughDataError):
        replay(FRAME.iloc[:100], make_detector("seasonal"), 1)


@pytest.mark.slow
@pytest.mark.parametrize("detector", ["multiscale", "seasonal", "ecod_iforest"])
def test_what_counts_down_and_starts_again_is_no_anomaly(detector: str) -> None:
    left = 90 * 86400.0 - 60.0 * np.arange(len(FRAME))
    left[DAY_EIGHT + 100 :] -= 60 * 86400.0  # another certificate, that ends much sooner
    frame = FRAME.assign(certificate_expiry=left, push_age=60.0 * (np.arange(len(FRAME)) % 4000))
    start = FRAME.index[DAY_EIGHT].to_pydatetime()
    assert detect_past("a", frame, detector, start) == detect_past("a", FRAME, detector, start)
