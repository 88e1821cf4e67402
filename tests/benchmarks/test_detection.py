"""One new minute of many services, and a day of one beside the models that the default detector replaced."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.series import series

from observatory.detectors import make_detector
from observatory.detectors.multiscale.fleet import Fleet

DAY = 1440
METRICS = 9


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    result = series(3)
    assert result.shape == (3 * DAY, METRICS)
    return result


@pytest.fixture(scope="module")
def state(frame: pd.DataFrame) -> Fleet:
    fleet = Fleet(list(frame.columns), interval=60)
    fleet.advance(["s0"] * 2 * DAY, frame.to_numpy()[: 2 * DAY], pd.DatetimeIndex(frame.index[: 2 * DAY]))
    return fleet


@pytest.mark.parametrize("services", [1_000, 10_000])
def test_one_minute_of_many_services(
    benchmark: Any, frame: pd.DataFrame, state: Fleet, services: int, minutes: int
) -> None:
    """States are copies of one; each minute is another, so that no service stands still."""
    benchmark.group = "one minute of all services"
    count = services if benchmark.enabled else 100
    fleet = Fleet(state.metrics, interval=60)
    names = [f"s{number}" for number in range(count)]
    fleet.load(dict.fromkeys(names, state.dump(["s0"])["s0"]))
    rows = iter(range(2 * DAY, 3 * DAY))

    def minute() -> np.ndarray:
        row = next(rows)
        values = np.repeat(frame.to_numpy()[row : row + 1], count, axis=0)
        return fleet.advance(names, values, pd.DatetimeIndex(frame.index[row : row + 1].repeat(count))).scores

    scores = benchmark.pedantic(minute, rounds=5, warmup_rounds=1)
    assert np.ptp(scores) == 0, "equal states and rows score the same"
    benchmark.extra_info["state [bytes a service]"] = fleet.nbytes // count
    benchmark.extra_info["kept [bytes a service]"] = len(fleet.dump(["s0"])["s0"])


@pytest.mark.parametrize("detector", ["multiscale", "ecod_iforest"])
def test_a_day_of_one_service(benchmark: Any, frame: pd.DataFrame, detector: str) -> None:
    """Score a day; what is new to them was fitted before. PyOD's models are fitted on the day before that."""
    benchmark.group = "a day of one service, scored"
    fitted = make_detector(detector).fit(frame.iloc[DAY : 2 * DAY])
    total = benchmark.pedantic(lambda: fitted.score(frame.iloc[2 * DAY :]).total, rounds=3, warmup_rounds=1)
    assert len(total) == DAY
