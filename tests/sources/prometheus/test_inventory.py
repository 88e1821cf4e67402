"""What a server has, from what its index and a few queries say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.known import Found, Known

from observatory.sources.prometheus.about import PROMETHEUS, VICTORIAMETRICS, Build
from observatory.sources.prometheus.inventory import Inventory, Target, _interval


def targets(*found: tuple[str, dict[str, str], int]) -> Inventory:
    """An inventory of so many targets of jobs with these labels."""
    inventory = Known("up").inventory()
    inventory.targets = tuple(Target({"job": job} | labels, count, 15.0) for job, labels, count in found)
    return inventory


# -- jobs that scrape many services -----------------------------------------------------------


def test_a_job_of_several_applications_scrapes_many_services() -> None:
    inventory = targets(("pods", {"app": "cart"}, 1), ("pods", {"app": "web"}, 1), ("api", {"app": "api"}, 9))
    assert inventory.catch_alls == {"pods": "app"}


def test_the_most_telling_label_names_them() -> None:
    labels = (
        {"app_kubernetes_io_name": "cart", "app": "x", "service": "y"},
        {"app_kubernetes_io_name": "web", "app": "z"},
    )
    assert targets(*(("pods", one, 1) for one in labels)).catch_alls == {"pods": "app_kubernetes_io_name"}


def test_a_label_with_one_value_tells_nothing_apart() -> None:
    labels = {"app": "shop", "k8s_app": "cart"}, {"app": "shop", "k8s_app": "web"}
    assert targets(*(("pods", one, 1) for one in labels)).catch_alls == {"pods": "k8s_app"}


@pytest.mark.parametrize(("without", "found"), [(1, {"pods": "app"}), (2, {}), (3, {})])
def test_more_than_half_of_the_targets_need_the_label(without: int, found: dict[str, str]) -> None:
    inventory = targets(("pods", {"app": "cart"}, 1), ("pods", {"app": "web"}, 1), ("pods", {}, without))
    assert inventory.catch_alls == found


# -- clusters and pairs -----------------------------------------------------------------------


def test_a_cluster_is_told_where_there_are_several() -> None:
    inventory = targets(
        ("a", {"cluster": "eu", "cluster_name": "x"}, 1), ("a", {"cluster": "us", "cluster_name": "x"}, 1), ("b", {}, 1)
    )
    assert inventory.clusters == {"cluster": ("eu", "us")}
    assert targets(("a", {"cluster": "eu"}, 1), ("b", {}, 1)).clusters == {}


def test_replicas_are_labels_in_which_alone_series_of_a_target_differ() -> None:
    def answer(query: str) -> Found:
        return [({}, 1.0)] if "count without (prometheus_replica)" in query else []

    assert Known('up{prometheus_replica="a",replica="b"}', answer=answer).inventory().replicas == (
        "prometheus_replica",
    )
    assert Known('up{prometheus_replica="a"}', answer=lambda query: None).inventory().replicas == ()


# -- the pace of scrapes ----------------------------------------------------------------------


@given(st.sampled_from([1.0, 5, 10, 15, 30, 60, 120]), st.floats(0, 1, exclude_max=True))
def test_the_pace_is_about_that_of_the_scrapes_wherever_the_windows_begin(pace: float, offset: float) -> None:
    def scrapes(begin: float, end: float) -> float:
        return float(sum(begin <= at * pace + offset * pace <= end for at in range(-1000, 1)))

    counts = {"pace": scrapes(-300, 0), "before": scrapes(-600, -300), "fast": scrapes(-60, 0)}
    assert pace * 0.6 <= _interval(counts, counts["fast"]) <= pace * 1.5


def test_a_target_that_is_new_has_the_pace_of_its_last_minute() -> None:
    assert _interval({"pace": 4}, 4) == 15
    assert _interval({"pace": 2}, 2) == 150  # too few to know better


def test_a_target_that_was_late_has_the_pace_of_before() -> None:
    assert _interval({"pace": 2, "before": 5}, 1) == 60


def answering(counts: dict[str, dict[str, float]]) -> Known:
    """Targets by job, as the query for them finds them."""

    def answer(query: str) -> Found:
        if "count_over_time(up" not in query:
            return []
        return [({"job": job, "is": kind}, value) for job, found in counts.items() for kind, value in found.items()]

    return Known("up", answer=answer)


def test_what_has_no_scrape_is_no_target() -> None:
    counts = {"a": {"pace": 20, "fast": 4, "count": 3}, "b": {"pace": 5, "fast": 1, "count": 1}, "c": {"count": 1}}
    inventory = answering(counts).inventory()
    assert [(one.labels["job"], one.count, one.interval) for one in inventory.targets] == [("a", 3, 15), ("b", 1, 60)]
    assert inventory.intervals == {"a": 15, "b": 60}


def test_of_the_targets_of_a_job_the_slowest_counts() -> None:
    inventory = Known("up").inventory()
    inventory.targets = tuple(Target({"job": "a"}, 1, pace) for pace in (15, 60, 30))
    assert inventory.intervals == {"a": 60}


def test_a_server_that_refuses_to_count_scrapes_has_no_targets() -> None:
    assert Known("up", answer=lambda query: None).inventory().targets == ()


# -- the index --------------------------------------------------------------------------------


def test_labels_and_values_are_of_one_metric_and_asked_for_once() -> None:
    known = Known('a_total{code="200"}', 'a_total{code="500",job="x"}', 'b_total{status="ok"}')
    inventory = known.inventory()
    assert [inventory.has(name) for name in ("a_total", "c_total")] == [True, False]
    assert inventory.labels("a_total") == {"__name__", "code", "job"}
    assert inventory.values("a_total", "code") == ("200", "500")
    known._series.clear()
    assert inventory.labels("a_total") == {"__name__", "code", "job"}
    assert inventory.values("a_total", "code") == ("200", "500")
    assert inventory.labels("c_total") == frozenset()


def test_without_an_index_everything_may_be_there_and_no_label_is_known() -> None:
    inventory = Known('a_total{code="200"}').inventory()
    inventory.names = None
    assert inventory.has("anything")
    assert inventory.labels("a_total") == frozenset()
    assert inventory.values("a_total", "code") == ()


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (Build(PROMETHEUS, "2.55.1"), False),
        (Build(PROMETHEUS, "3.0.0-rc.1"), True),
        (Build(PROMETHEUS, "3.1.0"), True),
        (Build(PROMETHEUS, "10.0"), True),
        (Build(PROMETHEUS, ""), False),
        (Build(VICTORIAMETRICS), True),
        (Build(), True),
    ],
)
def test_an_old_prometheus_makes_numbers_of_native_histograms(build: Build, named: bool) -> None:
    assert Known("up", build=build).inventory().names_histograms is named


def test_a_server_with_native_histograms_is_asked_whether_they_survive_a_label() -> None:
    def answer(query: str) -> Found:
        return [] if "label_replace" in query and "histogram_count" in query else [({}, 1.0)]

    inventory = Known("x", answer=answer, build=Build(PROMETHEUS, "3.1.0")).inventory()
    assert inventory.is_native("x")
    assert not inventory.names_histograms
