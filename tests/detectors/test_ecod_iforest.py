"""The original ensemble is PyOD's, but for its dependence on the batch."""

from __future__ import annotations

import numpy as np
import pytest
from pyod.models.ecod import ECOD
from support.series import MINUTES, series

from observatory.detectors.ecod_iforest import EcodIforest, _Pair

pytestmark = pytest.mark.slow

FRAME = series(2)


@pytest.mark.filterwarnings("ignore:Precision loss:RuntimeWarning")
def test_a_row_scores_as_pyod_scores_it_alone() -> None:
    train = FRAME.iloc[:400].drop(columns=["restart_count"]).to_numpy()
    rows = FRAME.iloc[400:430].drop(columns=["restart_count"]).to_numpy().copy()
    rows[3, 2] *= 50
    rows[4, 0] = 0.0
    rows[5] = train[7]  # ties
    reference = ECOD().fit(train)
    alone = [float(reference.decision_function(row[None])[0]) for row in rows]
    np.testing.assert_allclose(_Pair(train, 10, 0)._ecod(rows), alone, rtol=1e-9)


def test_normal_rows_stay_under_the_line_and_several_odd_metrics_come_over_it() -> None:
    detector = EcodIforest().fit(FRAME.iloc[:MINUTES])
    normal = FRAME.iloc[MINUTES:]
    assert (detector.score(normal).total >= 1).mean() < 0.005
    odd = normal.iloc[:5] * [0.1, 30, 5, 5, 5, 4, 2, 1, 1]
    assert (detector.score(odd).total >= 1).all()


def test_rows_do_not_depend_on_their_neighbours() -> None:
    detector = EcodIforest().fit(FRAME.iloc[:MINUTES])
    together = detector.score(FRAME.iloc[MINUTES : MINUTES + 50]).total
    alone = [detector.score(FRAME.iloc[[MINUTES + i]]).total.iloc[0] for i in range(0, 50, 10)]
    np.testing.assert_allclose(together.iloc[::10], alone)


def test_only_the_trailing_window_is_learned() -> None:
    old = FRAME.copy()
    old.iloc[:500] *= 1e6
    a = EcodIforest(window=800).fit(old.iloc[:MINUTES]).score(FRAME.iloc[MINUTES:])
    b = EcodIforest(window=800).fit(FRAME.iloc[:MINUTES]).score(FRAME.iloc[MINUTES:])
    np.testing.assert_allclose(a.total, b.total)


def test_a_history_without_any_value_scores_nothing() -> None:
    empty = FRAME.iloc[:100] * np.nan
    assert (EcodIforest().fit(empty).score(FRAME.iloc[:10]).total == 0).all()
