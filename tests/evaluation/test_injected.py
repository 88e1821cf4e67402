"""Faults in a single metric are put in as described, found or not, and called severe or not."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from observatory.errors import InvalidInputError
from observatory.evaluation import injected
from observatory.evaluation.injected import FAULTS, evaluate_single
from observatory.model import Anomaly, Severity

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def evaluated() -> tuple:
    told: list[str] = []
    result = evaluate_single(
        7, ["seasonal"], 1.0, lambda done, total, what, detail="": told.append(detail), services=["shop/checkout"]
    )
    return (*result, told)


def test_every_kind_of_fault_is_a_row_and_all_are_summed_up(evaluated: tuple) -> None:
    summary, cases, failures, told = evaluated
    assert summary["fault"].tolist() == [*FAULTS, "all"]
    assert summary["cases"].tolist() == [1] * len(FAULTS) + [len(FAULTS)]
    assert summary["found"].iloc[-1] == summary["found"].iloc[:-1].sum() == cases["found"].sum()
    assert failures == []
    assert told == ["shop/checkout"]


def test_seasonal_bands_find_them_and_call_them_severe(evaluated: tuple) -> None:
    summary, cases, *_ = evaluated
    assert summary["share found"].iloc[-1] == 1.0
    assert summary["critical or high"].iloc[-1] >= 0.8
    assert cases["delay [s]"].between(0, 300).all()


def test_the_same_seed_gives_the_same_cases(evaluated: tuple) -> None:
    again = evaluate_single(7, ["seasonal"], 1.0, services=["shop/checkout"])[1]
    assert again.equals(evaluated[1])


def test_faults_are_what_their_names_say() -> None:
    values = np.array([2.0, 4.0])
    changed = {name: effect(values).tolist() for name, (_, effect) in FAULTS.items()}
    assert changed == {
        "p99 ×10": [20, 40],
        "errors 50 %": [0.5, 0.5],
        "memory ×3": [6, 12],
        "traffic to 0": [0, 0],
        "pods 4 → 1": [1, 1],
        "restarts +5": [7, 9],
        "CPU ×4": [8, 16],
    }


def test_an_alarm_that_was_there_before_the_fault_is_not_about_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def stuck(service: str, frame: pd.DataFrame, detector: str, start: datetime) -> list[Anomaly]:
        return [Anomaly(service, start, frame.index[-1], start, True, Severity.HIGH, 2.0, detector, "", ())]

    monkeypatch.setattr(injected, "detect_past", stuck)
    assert not evaluate_single(7, ["seasonal"], 1.0, services=["shop/cart"])[1]["found"].any()


def test_a_detector_that_fails_on_a_service_is_told() -> None:
    summary, cases, failures = evaluate_single(7, ["seasonal"], 1.0, services=["shop/none"])
    assert "seasonal on shop/none" in failures[0].what
    assert cases.empty
    assert summary["cases"].sum() == 0


def test_hardly_any_history_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"days = 0\.05: needs at least 0\.1 days"):
        evaluate_single(7, ["seasonal"], 0.05)
