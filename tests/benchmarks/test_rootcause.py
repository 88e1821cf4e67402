"""A hundred services ranked, beside the simplest ranking there is."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import pytest

from observatory.evaluation.rootcause.baselines import largest_deviation
from observatory.rootcause import rank, suspects
from observatory.sources.demo.shop import MEASURED

METRICS = list(MEASURED)
SERVICES, ROWS, FAULT_ROWS = 100, 1440, 20
Ranking = Callable[..., object]


@pytest.fixture(scope="module")
def incident() -> tuple[dict[str, pd.DataFrame], pd.Timestamp, pd.Timestamp, list[tuple[str, str]]]:
    random = np.random.default_rng(1)
    times = pd.date_range("2026-03-01", periods=ROWS, freq="60s", tz="UTC")
    values = random.lognormal(size=(SERVICES, ROWS, len(METRICS)))
    frames = {f"s{i}": pd.DataFrame(values[i], index=times, columns=METRICS) for i in range(SERVICES)}
    frames["s7"].iloc[-FAULT_ROWS:, 5] *= 100
    calls = [(f"s{i}", f"s{j}") for i, j in random.integers(0, SERVICES, (3 * SERVICES, 2))]
    return frames, times[-FAULT_ROWS], times[-1], calls


@pytest.mark.parametrize("ranking", [rank, suspects, largest_deviation], ids=["rank", "suspects", "largest deviation"])
def test_a_hundred_services_and_a_day(benchmark: Any, incident: Any, ranking: Ranking) -> None:
    benchmark.group = "100 services x 9 metrics x 1 day"
    frames, start, end, calls = incident
    found: Any = benchmark.pedantic(ranking, (frames, start, end, calls), rounds=5, warmup_rounds=1)
    assert len(found) == SERVICES


def test_the_ranking_costs_a_few_times_the_largest_deviation(incident: Any, tell: Callable[[str], None]) -> None:
    frames, start, end, calls = incident
    took = {}
    for ranking in (rank, largest_deviation):
        began = perf_counter()
        ranking(frames, start, end, calls)
        took[ranking] = perf_counter() - began
    tell(f"rank takes {took[rank] / took[largest_deviation]:.1f} times as long as the largest deviation")
