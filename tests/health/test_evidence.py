"""Which error ratio health is judged by, and what a few requests make certain."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from observatory.health.evidence import DOUBT, judged_ratio, least_ratio

RATES = st.floats(0, 1e5) | st.just(math.nan)
RATIOS = st.floats(0, 1) | st.just(math.nan)
SAMPLES = st.lists(st.tuples(RATES, RATIOS), min_size=1, max_size=10)


def judged(samples: list[tuple[float, float]], seconds: float = 60) -> float | None:
    rates, ratios = np.array(samples).T
    return judged_ratio(rates, ratios, seconds)


@pytest.mark.slow
@given(SAMPLES)
def test_the_ratio_is_between_those_that_were_seen_and_missing_only_where_the_newest_is(
    samples: list[tuple[float, float]],
) -> None:
    ratio, seen = judged(samples), [ratio for _, ratio in samples if not math.isnan(ratio)]
    assert (ratio is None) == math.isnan(samples[-1][1])
    if ratio is not None:
        assert min(seen) - 1e-9 <= ratio <= max(seen) + 1e-9


@pytest.mark.slow
@given(SAMPLES, st.sampled_from([(math.nan, 1.0), (5.0, math.nan), (0.0, 1.0), (math.inf, 1.0)]))
def test_a_sample_that_says_nothing_changes_nothing(
    samples: list[tuple[float, float]], nothing: tuple[float, float]
) -> None:
    assert judged([nothing, *samples]) == judged(samples)


@given(st.floats(0.1, 1e4), st.floats(0, 1), st.integers(1, 9))
def test_the_same_ratio_for_minutes_is_that_ratio(rate: float, ratio: float, minutes: int) -> None:
    assert judged([(rate, ratio)] * minutes) == pytest.approx(ratio, abs=1e-8)


@given(st.floats(1, 1e4), st.integers(1, 4))
def test_an_outage_counts_at_its_full_height_at_once_and_its_end_as_well(rate: float, minutes: int) -> None:
    assert judged([(rate, 0.0)] * minutes + [(rate, 1.0)]) == 1
    assert judged([(rate, 1.0)] * minutes + [(rate, 0.0)]) == 0


def test_what_a_count_can_explain_is_judged_with_what_was_before() -> None:
    """Ten requests a second and a true ratio of 0.3 %: a minute with 1.1 % is one of many."""
    random = np.random.default_rng(1)
    ratios = random.binomial(600, 0.003, size=(500, 5)) / 600
    above = [judged_ratio(np.full(5, 10.0), one, 60) or 0 for one in ratios]
    assert np.mean(np.array(above) > 0.01) == 0 < np.mean(ratios[:, -1] > 0.0075)


@given(st.integers(0, 200), st.integers(1, 200))
def test_the_least_ratio_is_the_bound_that_binomial_counts_have(failed: int, requests: int) -> None:
    failed = min(failed, requests)
    least = least_ratio(failed / requests, requests)
    assert 0 <= least <= failed / requests
    if failed:  # so many or more would be seen with just this probability
        assert binom.sf(failed - 1, requests, least) == pytest.approx(DOUBT, rel=1e-6)


@given(st.floats(0.001, 1), st.floats(1, 1e6), st.floats(1, 100))
def test_more_requests_of_the_same_ratio_make_more_certain(ratio: float, requests: float, times: float) -> None:
    assert least_ratio(ratio, requests) <= least_ratio(ratio, requests * times) * (1 + 1e-9) + 1e-12


@pytest.mark.parametrize(("ratio", "requests"), [(0.0, 10.0), (0.5, 0.0), (math.nan, 10.0)])
def test_nothing_is_certain_of_no_errors_and_of_no_requests(ratio: float, requests: float) -> None:
    assert least_ratio(ratio, requests) == 0


def test_more_errors_than_requests_are_all_of_them() -> None:
    """Rates of two series that were scraped apart may be such."""
    assert least_ratio(1.2, 10) == least_ratio(1.0, 10)
