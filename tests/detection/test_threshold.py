"""Which scores are alarms, decided in one place."""

from __future__ import annotations

import numpy as np
import pandas as pd

from observatory.detection import Threshold


def test_the_line_itself_is_an_alarm_and_a_missing_score_is_none() -> None:
    assert Threshold().classify([0.999, 1.0, 7.0, np.nan]).tolist() == [False, True, True, False]


def test_twice_the_sensitivity_needs_half_the_score() -> None:
    scores = pd.Series([0.4, 0.5, 1.0])
    assert Threshold(sensitivity=2.0).classify(scores).tolist() == [False, True, True]
    assert Threshold(sensitivity=0.5).classify(scores).tolist() == [False, False, False]
    assert Threshold(sensitivity=2.0).relative(scores).tolist() == [0.8, 1.0, 2.0]


def test_a_line_in_hindsight_may_be_anywhere() -> None:
    assert Threshold(3.0).classify([2.9, 3.0]).tolist() == [False, True]
    assert Threshold(3.0).relative([6.0]).tolist() == [2.0]
    assert Threshold(0.0).classify([-0.1, 0.0]).tolist() == [False, True]
