"""Any PyOD model by name, on features that know the time of day."""

from __future__ import annotations

import numpy as np
import pytest
from support.series import MINUTES, series, with_fault

from observatory.detectors import make_detector
from observatory.errors import ConfigError

pytestmark = pytest.mark.slow

FRAME = series(3)
HISTORY, NEW = FRAME.iloc[: 2 * MINUTES], FRAME.iloc[2 * MINUTES : 2 * MINUTES + 400]


@pytest.mark.parametrize("name", ["pyod:KNN", "pyod:lof", "pyod:PCA"])
def test_a_model_by_name_finds_a_fault_and_leaves_calm_hours_alone(name: str) -> None:
    detector = make_detector(name).fit(HISTORY)
    ill = with_fault(FRAME, "latency_p99", lambda x: x * 10, 2 * MINUTES + 300).iloc[2 * MINUTES : 2 * MINUTES + 400]
    found = detector.score(ill)
    assert found.total.iloc[300:330].min() >= 1
    assert (found.total.iloc[:300] >= 1).sum() <= 3
    assert found.shares.iloc[315].idxmax() == "latency_p99"


def test_changes_for_the_better_are_no_evidence() -> None:
    detector = make_detector("pyod:KNN").fit(HISTORY)
    better = with_fault(FRAME, "latency_p99", lambda x: x * 0.2, 2 * MINUTES).iloc[2 * MINUTES : 2 * MINUTES + 30]
    assert (detector.score(better).total < 1).all()


def test_a_model_that_ranks_a_batch_scores_each_row_by_itself() -> None:
    detector = make_detector("pyod:COPOD").fit(HISTORY.iloc[:300])
    whole = detector.score(NEW.iloc[:20]).total
    np.testing.assert_allclose(detector.score(NEW.iloc[:7]).total, whole.iloc[:7])


def test_parameters_reach_the_model_and_wrong_ones_are_named() -> None:
    assert make_detector("pyod:KNN", n_neighbors=3).parameters["n_neighbors"] == 3  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match=r"'pyod:KNN' cannot be made: .*depth"):
        make_detector("pyod:KNN", depth=3)
    with pytest.raises(ConfigError, match="no model of that name; it has abod"):
        make_detector("pyod:Oracle")


def test_a_history_in_which_nothing_changes_is_survived() -> None:
    constant = HISTORY.iloc[:200] * 0 + 1
    detector = make_detector("pyod:KNN").fit(constant)
    assert (detector.score(constant.iloc[:20]).total < 1).all()
