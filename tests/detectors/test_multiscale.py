"""One pass over many time scales: what is kept, what is learned, what votes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.series import MINUTES, series, with_fault

from observatory.detectors import make_detector
from observatory.detectors.multiscale.fleet import Fleet
from observatory.errors import InvalidInputError

FRAME = series(3)
METRICS = list(FRAME.columns)


def noise(rows: int, metrics: int, seed: int = 1, step: str = "60s") -> pd.DataFrame:
    index = pd.date_range("2026-01-05", periods=rows, freq=step, tz="UTC")
    names = [f"m{i:02d}" for i in range(metrics)]
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(rows, metrics)), index=index, columns=names)


def advance(fleet: Fleet, service: str, frame: pd.DataFrame) -> np.ndarray:
    return fleet.advance([service] * len(frame), frame.to_numpy(float), pd.DatetimeIndex(frame.index)).scores


def starts(scores: np.ndarray) -> int:
    """Alarms, those less than six rows apart being one."""
    rows = np.flatnonzero(scores >= 1)
    return int((np.diff(rows, prepend=-99) > 5).sum())


@pytest.mark.slow
def test_row_by_row_gives_the_scores_of_one_batch() -> None:
    frame = with_fault(FRAME, "latency_p99", lambda x: x * 6, 2000, rows=30).iloc[:2100]
    whole = make_detector("multiscale").fit(frame.iloc[:1900]).advance(frame.iloc[1900:])
    stream = make_detector("multiscale").fit(frame.iloc[:1900])
    pieces = [stream.advance(frame.iloc[row : row + 1]) for row in range(1900, 2100)]  # type: ignore[attr-defined]
    np.testing.assert_array_equal(np.concatenate([piece.total for piece in pieces]), whole.total)
    np.testing.assert_allclose(np.vstack([piece.shares for piece in pieces]), whole.shares, atol=1e-12)


@pytest.mark.slow
def test_services_advanced_together_score_as_each_alone() -> None:
    frames = {name: series(0.2, seed) for seed, name in enumerate(["a", "b", "c"])}
    together, alone = Fleet(METRICS, 60), {name: Fleet(METRICS, 60) for name in frames}
    for row in range(200):
        rows = np.vstack([frame.iloc[row] for frame in frames.values()])
        times = pd.DatetimeIndex([frame.index[row] for frame in frames.values()])
        scores = together.advance(list(frames), rows, times).scores
        for score, (name, frame) in zip(scores, frames.items(), strict=True):
            assert advance(alone[name], name, frame.iloc[row : row + 1])[0] == score


def test_the_state_survives_as_bytes() -> None:
    fleet = Fleet(METRICS, 60)
    advance(fleet, "a", FRAME.iloc[:1000])
    again = Fleet.from_bytes(fleet.to_bytes())
    assert (again.services, again.metrics, again.samples("a")) == (("a",), tuple(METRICS), 1000)
    np.testing.assert_array_equal(
        advance(again, "a", FRAME.iloc[1000:1100]), advance(fleet, "a", FRAME.iloc[1000:1100])
    )


def test_bytes_of_something_else_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInputError, match="cannot be read"):
        Fleet.from_bytes(b"nothing")
    data = Fleet(METRICS, 60).to_bytes()
    monkeypatch.setattr("observatory.detectors.multiscale.fleet.VERSION", 99)
    with pytest.raises(InvalidInputError, match=r"version \d: must be 99"):
        Fleet.from_bytes(data)


def test_other_metrics_leave_what_is_known_as_it_was() -> None:
    fleet = Fleet(METRICS, 60)
    advance(fleet, "a", FRAME.iloc[:500])
    wider = fleet.with_metrics(["new", *METRICS])
    back = wider.with_metrics(METRICS)
    np.testing.assert_array_equal(advance(back, "a", FRAME.iloc[500:600]), advance(fleet, "a", FRAME.iloc[500:600]))
    values = FRAME.iloc[500:600].assign(new=np.nan)[["new", *METRICS]]
    assert np.isfinite(advance(wider, "a", values)).all()


def test_a_forgotten_service_begins_anew_and_the_others_go_on() -> None:
    fleet, only = Fleet(METRICS, 60), Fleet(METRICS, 60)
    for name in ("a", "b"):
        advance(fleet, name, FRAME.iloc[:300])
    advance(only, "b", FRAME.iloc[:300])
    fleet.forget(["a"])
    assert (fleet.services, fleet.samples("a"), fleet.samples("b")) == (("b",), 0, 300)
    np.testing.assert_array_equal(advance(fleet, "b", FRAME.iloc[300:400]), advance(only, "b", FRAME.iloc[300:400]))


@pytest.mark.parametrize(("step", "rows"), [("60s", 4000), ("300s", 2000), ("1h", 700)])
@pytest.mark.parametrize("metrics", [1, 20])
def test_noise_hardly_alarms_and_a_jump_in_one_unknown_metric_does(step: str, rows: int, metrics: int) -> None:
    frame = noise(rows, metrics, step=step)
    frame.iloc[-20:, 0] += 15.0
    scores = advance(Fleet(list(frame.columns), pd.Timedelta(step).total_seconds()), "a", frame)
    assert starts(scores[:-20]) <= 1
    assert scores[-18:].max() >= 1


def test_a_fault_alarms_for_hours_and_a_lasting_shift_becomes_normal_within_days() -> None:
    frame = noise(7 * MINUTES, 5, step="60s")
    frame.iloc[3 * MINUTES :] += 8.0
    scores = advance(Fleet(list(frame.columns), 60), "a", frame)[3 * MINUTES :]
    assert (scores[5:360] >= 1).mean() > 0.95, "six hours on, it is still a fault"
    assert (scores[3 * MINUTES :] >= 1).mean() < 0.05, "after three days it is how the service is"


def test_a_slow_leak_of_a_known_metric_is_found() -> None:
    frame = FRAME.copy()
    leak = np.linspace(1.0, 3.0, 300)
    frame.iloc[-300:, METRICS.index("memory_usage")] *= leak
    scores = advance(Fleet(METRICS, 60), "a", frame)
    assert (scores[-300:] >= 1).any()
    assert leak[int(np.argmax(scores[-300:] >= 1))] < 2.2


def test_a_fleet_needs_metrics() -> None:
    with pytest.raises(InvalidInputError, match="metrics"):
        Fleet([], 60)


def test_a_lone_sure_fault_alarms_also_on_a_noisy_day() -> None:
    frame = noise(1200, 5, seed=3, step="300s")
    frame.iloc[900:910, 2] = -30.0
    frame.iloc[1000:1010, 3] = 30.0
    scores = advance(Fleet(list(frame.columns), 300), "a", frame)
    assert scores[900:910].max() >= 1
    assert scores[1000:1010].max() >= 1


@pytest.mark.parametrize("metric", ["memory_usage", "latency_p99"])
def test_a_lasting_shift_of_a_known_metric_alarms_for_hours_and_for_less_than_a_week(metric: str) -> None:
    frame = series(14, 1)
    frame.iloc[6 * MINUTES :, METRICS.index(metric)] *= 3
    scores = advance(Fleet(METRICS, 60), "a", frame)[6 * MINUTES :]
    assert (scores[2:360] >= 1).mean() > 0.95
    assert (scores[7 * MINUTES :] >= 1).mean() < 0.02


def test_traffic_that_is_gone_at_any_hour_alarms() -> None:
    frame = series(3, 4)
    for hour in (3, 9, 15, 21):
        ill = with_fault(frame, "request_rate", lambda x: x * 0, 2 * MINUTES + hour * 60)
        scores = advance(Fleet(METRICS, 60), "a", ill.iloc[: 2 * MINUTES + hour * 60 + 5])
        assert scores[-5:].max() >= 1, hour
