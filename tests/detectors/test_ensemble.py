"""The bands raise the alarm; the original ensemble only weighs it."""

from __future__ import annotations

import pytest
from support.series import MINUTES, series

from observatory.detectors import make_detector
from observatory.detectors.ensemble import Ensemble

pytestmark = pytest.mark.slow

FRAME = series(3)
HISTORY, NEW = FRAME.iloc[: 2 * MINUTES], FRAME.iloc[2 * MINUTES :]


def test_it_alarms_where_the_judge_does_and_nowhere_else() -> None:
    ill = NEW.copy()
    ill.iloc[100:130] *= [1, 1, 6, 6, 6, 3, 1, 1, 1]
    judged = make_detector("seasonal").fit(HISTORY).score(ill).total
    weighed = make_detector("ensemble").fit(HISTORY).score(ill).total
    assert ((judged >= 1) == (weighed >= 1)).all()
    assert (weighed >= judged).all()


def test_agreement_makes_an_alarm_more_severe() -> None:
    odd = NEW.iloc[:30] * [0.2, 40, 6, 6, 6, 3, 1.5, 1, 1]
    judged = make_detector("seasonal").fit(HISTORY).score(odd).total
    weighed = make_detector("ensemble").fit(HISTORY).score(odd).total
    assert (weighed.iloc[3:] > 1.2 * judged.iloc[3:]).all()


def test_the_supporter_is_fitted_only_when_it_is_asked() -> None:
    detector = Ensemble().fit(HISTORY)
    detector.score(NEW.iloc[:60])
    assert not hasattr(detector.supporter, "_pair")
    detector.score(NEW.iloc[:60] * 10)
    assert hasattr(detector.supporter, "_pair")
