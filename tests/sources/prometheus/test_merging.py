"""From the answers of several families to one value a service."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from observatory.sources.prometheus.answers import Series
from observatory.sources.prometheus.compiling import Dialect, Window, Windows
from observatory.sources.prometheus.merging import arranged, coarse_ends, coarse_services, without_artefacts
from observatory.sources.prometheus.naming import Naming, Part
from observatory.sources.prometheus.plan import FAMILY, Asked, Plan
from observatory.sources.prometheus.presets.preset import Family, Preset

NAMING = Naming((Part(("job",)),))
NAN = math.nan
METRICS = ("request_rate", "error_rate", "latency_p95")


def plan(*tells: bool, bounds: dict[str, dict[str, tuple[float, ...]]] | None = None) -> Plan:
    """Families a, b, c …: which of them tell errors."""
    asked = [
        Asked(
            chr(97 + at), Preset("mine", "", ("job",)), Family(f"m{at}", {}, one), NAMING, dict.fromkeys(METRICS, "up")
        )
        for at, one in enumerate(tells)
    ]
    return Plan(tuple(asked), Dialect(Windows(Window(60))), bounds=bounds or {})


def series(family: str, service: str, *values: float) -> Series:
    return Series({FAMILY: family, "service_name": service}, np.arange(len(values)) * 60.0, np.array(values))


def groups(metric: str, plan: Plan, *found: Series) -> list[list[tuple[str, str, list[float]]]]:
    made = arranged(metric, found, plan)
    return [[(one.labels[FAMILY], one.labels["service_name"], one.values.tolist()) for one in group] for group in made]


def test_the_first_family_that_knows_a_service_is_believed() -> None:
    found = groups("latency_p95", plan(True, True), series("b", "x", 2), series("a", "x", 1), series("b", "y", 3))
    assert found == [[("a", "x", [1]), ("b", "y", [3])], [("b", "x", [2])]]


def test_of_requests_what_tells_errors_is_believed() -> None:
    found = groups("request_rate", plan(False, True), series("a", "x", 1), series("b", "x", 2))
    assert [group[0][0] for group in found] == ["b", "a"]


def test_what_says_nothing_comes_nowhere_and_gaps_are_filled_by_the_next() -> None:
    found = groups(
        "request_rate", plan(True, True, True), series("a", "x", NAN, 1), series("b", "x", 2, 2), series("c", "x", NAN)
    )
    assert found == [[("a", "x", [1])], [("b", "x", [2, 2])]]


def test_two_series_of_a_family_and_service_stay_together() -> None:
    found = groups("request_rate", plan(True, True), series("a", "x", 1), series("a", "x", 2), series("b", "x", 3))
    assert [len(group) for group in found] == [2, 1]


def test_a_quantile_is_of_the_finest_histogram() -> None:
    bounds = {"a": {"x": (0.1, 0.2)}, "b": {"x": (0.1, 0.15, 0.2)}}
    found = groups("latency_p95", plan(True, True, True, bounds=bounds), *(series(one, "x", 0.12) for one in "cab"))
    assert [group[0][0] for group in found] == ["b", "a", "c"]
    assert (
        groups("request_rate", plan(True, True, bounds=bounds), series("a", "x", 1), series("b", "x", 1))[0][0][0]
        == "a"
    )


def test_a_quantile_in_a_coarse_bucket_gives_way_to_one_that_is_known() -> None:
    bounds = {"a": {"x": (0.1, 5.0, 10.0)}, "b": {"x": (0.1, 0.2)}}
    found = groups("latency_p95", plan(True, True, bounds=bounds), series("a", "x", 4.0), series("b", "x", 0.15))
    assert found == [[("b", "x", [0.15])]]


@pytest.mark.parametrize(
    ("ends", "values", "expected"),
    [
        ((0.1, 5.0), [0.05, 0.1, 0.2, 5.0, 6.0], [NAN, NAN, NAN, NAN, 6.0]),
        ((0.005, 0.01, 0.025, 0.05), [0.001, 0.02, 0.05], [0.001, 0.02, 0.05]),
        ((0.1, 0.25), [0.2], [0.2]),
        ((1.0, 2.5, 5.0), [1.5, 4.0, NAN], [1.5, 4.0, NAN]),
        ((0.05, 0.1), [0.03], [0.03]),
    ],
)
def test_values_in_coarse_buckets_are_left_out(
    ends: tuple[float, ...], values: list[float], expected: list[float]
) -> None:
    np.testing.assert_array_equal(without_artefacts(np.array(values), ends), expected)


ENDS = st.lists(st.floats(0.001, 100), min_size=1, max_size=8, unique=True).map(lambda ends: tuple(sorted(ends)))


@given(ENDS, st.lists(st.floats(1e-4, 200), max_size=8))
def test_what_is_left_out_lies_in_the_buckets_that_are_named_as_coarse(
    ends: tuple[float, ...], values: list[float]
) -> None:
    coarse = coarse_ends(ends)
    for value, kept in zip(values, without_artefacts(np.array(values), ends), strict=True):
        assert math.isnan(kept) == any(low < value <= high for low, high in coarse)
        assert math.isnan(kept) or kept == value


def test_services_whose_finest_histogram_is_coarse_are_told() -> None:
    bounds = {"a": {"x": (0.1, 5.0), "y": (0.1, 5.0)}, "b": {"x": (0.05, 0.1, 0.2)}}
    assert coarse_services(plan(True, True, bounds=bounds)) == {"y": (0.1, 5.0)}
