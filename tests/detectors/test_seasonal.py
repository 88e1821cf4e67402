"""Single blips are let pass, strong faults are not waited for."""

from __future__ import annotations

import pytest
from support.series import MINUTES, series

from observatory.detectors import make_detector
from observatory.detectors.base import Detector

FRAME = series(8)
NEW = FRAME.iloc[7 * MINUTES : 7 * MINUTES + 60]


@pytest.fixture(scope="module", params=["seasonal", "ensemble"])
def detector(request: pytest.FixtureRequest) -> Detector:
    return make_detector(request.param).fit(FRAME.iloc[: 7 * MINUTES])


def latency(factor: float, rows: slice) -> object:
    frame = NEW.copy()
    frame.iloc[rows, frame.columns.get_loc("latency_p99")] *= factor
    return frame


def test_a_single_blip_does_not_alarm(detector: Detector) -> None:
    assert (detector.score(latency(4, slice(30, 31))).total < 1).all()


@pytest.mark.slow
def test_two_rows_in_a_row_do(detector: Detector) -> None:
    total = detector.score(latency(5, slice(30, 40))).total
    assert (total.iloc[:30] < 1).all()
    assert (total.iloc[31:40] >= 1).all()
    assert (total.iloc[43:] < 1).all()


def test_a_strong_fault_alarms_with_its_first_row(detector: Detector) -> None:
    frame = NEW.copy()
    frame.iloc[30:, frame.columns.get_loc("error_rate")] = 0.5
    assert detector.score(frame).total.iloc[30] >= 1


def test_the_guilty_metric_has_the_share(detector: Detector) -> None:
    shares = detector.score(latency(8, slice(30, 40))).shares.iloc[35]
    assert shares.idxmax() == "latency_p99"
    assert shares["latency_p99"] > 0.8
