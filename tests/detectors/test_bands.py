"""Bands hold what is normal for the time of day, and measure what is worse than that."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.series import MINUTES, series, with_fault

from observatory.detectors.bands import Bands
from observatory.errors import NotEnoughDataError

FRAME = series(8)
HISTORY, TODAY = FRAME.iloc[: 7 * MINUTES], FRAME.iloc[7 * MINUTES :]


@pytest.fixture(scope="module")
def bands() -> Bands:
    return Bands().fit(HISTORY)


def test_nearly_every_normal_sample_lies_inside(bands: Bands) -> None:
    expected = bands.evaluate(pd.DatetimeIndex(TODAY.index))
    inside = TODAY.ge(expected.lower) & TODAY.le(expected.upper)
    assert (inside.mean() > 0.995).all()
    assert (expected.lower <= expected.typical).all(axis=None)
    assert (expected.typical <= expected.upper).all(axis=None)


def test_typical_follows_the_time_of_day(bands: Bands) -> None:
    typical = bands.evaluate(pd.DatetimeIndex(TODAY.index)).typical["request_rate"]
    true = 100 * (1 + 0.5 * np.sin(2 * np.pi * np.arange(MINUTES) / MINUTES))
    np.testing.assert_allclose(typical, true, rtol=0.06)
    assert typical.diff().abs().max() < 1.0, "there are no steps on the hour"


def test_deviations_for_the_better_count_nothing(bands: Bands) -> None:
    better = TODAY.assign(latency_p99=TODAY["latency_p99"] / 3, request_rate=TODAY["request_rate"] * 3, cpu_usage=0.1)
    deviation = bands.deviation(better)[["latency_p99", "request_rate", "cpu_usage"]]
    assert (deviation == 0).all(axis=None)


def test_much_worse_scores_more_than_worse(bands: Bands) -> None:
    worse, much = (TODAY.assign(latency_p99=TODAY["latency_p99"] * factor) for factor in (3.0, 1e6))
    assert bands.deviation(much)["latency_p99"].min() > 3 * bands.deviation(worse)["latency_p99"].max()


def test_the_edge_of_the_band_is_one(bands: Bands) -> None:
    expected = bands.evaluate(pd.DatetimeIndex(TODAY.index))
    edge = TODAY.assign(memory_usage=expected.upper["memory_usage"], request_rate=expected.lower["request_rate"])
    np.testing.assert_allclose(bands.deviation(edge)[["memory_usage", "request_rate"]], 1.0, rtol=1e-6)


def test_no_band_is_narrower_than_what_is_worth_a_word() -> None:
    flat = HISTORY.assign(latency_p95=0.1, memory_usage=1e9, error_rate=0.0)
    upper = Bands().fit(flat).evaluate(pd.DatetimeIndex(TODAY.index)).upper
    np.testing.assert_allclose(upper["latency_p95"], 0.13)
    np.testing.assert_allclose(upper["memory_usage"], 1.2e9)
    np.testing.assert_allclose(upper["error_rate"], 0.01)


def test_ratios_of_a_few_requests_do_not_count(bands: Bands) -> None:
    ill = TODAY.assign(error_rate=1.0, latency_p95=9.0)
    assert bands.deviation(ill)["error_rate"].min() > 1
    idle = bands.deviation(ill.assign(request_rate=0.01))
    assert (idle[["error_rate", "latency_p95"]] == 0).all(axis=None)
    assert idle["request_rate"].min() > 1, "that there is no traffic does count"


def test_a_fault_in_the_history_hardly_widens_the_band(bands: Bands) -> None:
    faulty = with_fault(HISTORY, "latency_p99", lambda x: x * 20, 4000, rows=180)
    index = pd.DatetimeIndex(TODAY.index)
    ratio = Bands().fit(faulty).evaluate(index).upper["latency_p99"] / bands.evaluate(index).upper["latency_p99"]
    assert ratio.max() < 2, "a fault of three hours on one day of five"


def test_weekends_have_a_band_of_their_own_once_they_were_seen() -> None:
    calm = series(14).copy()
    weekend = calm.index.dayofweek >= 5
    calm.loc[weekend, "request_rate"] *= 0.4
    learned = Bands().fit(calm)
    saturday = learned.deviation(calm[weekend].iloc[-MINUTES:])["request_rate"]
    monday_like_saturday = learned.deviation(calm.assign(request_rate=calm["request_rate"] * 0.4)[~weekend])
    assert (saturday < 1).mean() > 0.998
    assert (monday_like_saturday["request_rate"] > 1).mean() > 0.9


def test_a_short_history_makes_wide_bands_and_no_alarms() -> None:
    frame = series(1.5)
    young = Bands().fit(frame.iloc[:240])
    assert (young.deviation(frame.iloc[240:480]) < 1).all(axis=None)


def test_unknown_columns_count_both_ways() -> None:
    frame = pd.DataFrame({"m01": HISTORY["cpu_usage"]})
    learned = Bands().fit(frame)
    row = frame.iloc[-1:]
    assert learned.deviation(row + 50)["m01"].iloc[0] > 1
    assert learned.deviation(row - 50)["m01"].iloc[0] > 1


def test_too_short_a_history_is_refused() -> None:
    with pytest.raises(NotEnoughDataError, match="29 of 30 samples"):
        Bands().fit(HISTORY.iloc[:29])
