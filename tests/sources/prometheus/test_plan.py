"""What is asked of a server: windows by job, names by labels, and which family is believed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.known import Known

from observatory.catalog import METRICS
from observatory.config.sources import PresetSettings
from observatory.sources.prometheus.compiling import Window, Windows
from observatory.sources.prometheus.distinctions import Distinctions
from observatory.sources.prometheus.naming import InsteadOfJob, Naming, Part
from observatory.sources.prometheus.plan import (
    BUCKETS,
    LONG,
    MOST_JOBS,
    SCRAPES,
    Asked,
    Plan,
    as_written,
    make_plan,
    marked,
    naming_of,
    windows_of,
)
from observatory.sources.prometheus.presets import PRESETS, configured
from observatory.sources.prometheus.presets.preset import JOB, Family, Preset

# -- windows ----------------------------------------------------------------------------------


def of_job(windows: Windows, job: str) -> Window:
    return next((window for window, jobs in windows.others if job in jobs), windows.usual)


PACES = st.dictionaries(st.text(max_size=3), st.floats(0.5, 900), max_size=8)


@given(PACES, st.floats(1, 600))
def test_every_window_has_four_scrapes_of_its_jobs_and_covers_the_time_between_samples(
    paces: dict[str, float], least: float
) -> None:
    windows = windows_of(paces, least)
    for job, pace in paces.items():
        window = of_job(windows, job)
        assert window.seconds >= max(SCRAPES * pace, least) - 3 - 1e-9  # rounded, so that a scrape more changes nothing
        assert window.scrape >= pace
    assert windows.usual not in [window for window, _ in windows.others]
    assert sum(len(jobs) for _, jobs in windows.others) <= len(paces)


@pytest.mark.parametrize(
    ("paces", "usual", "others"),
    [
        ({}, LONG, {}),
        ({"a": 15}, 60, {}),
        ({"a": 15, "b": 15.2, "c": 14.9}, 60, {}),
        ({"a": 15, "b": 60}, 240, {60: ("a",)}),
        ({"a": 15, "b": 15, "c": 60}, 60, {240: ("c",)}),
        ({"a": 1}, 60, {}),
    ],
)
def test_most_jobs_have_the_usual_window(
    paces: dict[str, float], usual: float, others: dict[float, tuple[str, ...]]
) -> None:
    windows = windows_of(paces, 60)
    assert windows.usual.seconds == usual
    assert {window.seconds: jobs for window, jobs in windows.others} == others


def test_a_great_many_jobs_of_another_pace_have_the_longest_window_of_all() -> None:
    paces = {f"fast {number}": 15.0 for number in range(MOST_JOBS + 2)}
    paces |= {f"slow {number}": 60.0 for number in range(MOST_JOBS + 1)}
    windows = windows_of(paces, 15)
    assert (windows.usual.seconds, windows.others) == (240, ())


def test_windows_are_made_longer_where_they_are_shorter() -> None:
    windows = Windows(Window(60, 15), ((Window(240, 60), ("slow",)), (Window(600, 150), ("slower",))))
    longer = windows.at_least(300)
    assert {job: of_job(longer, job).seconds for job in ("any", "slow", "slower")} == {
        "any": 300,
        "slow": 300,
        "slower": 600,
    }
    of_slow_ones = Windows(Window(600, 150), ((Window(60, 15), ("fast",)),)).at_least(300)
    assert [of_job(of_slow_ones, job).seconds for job in ("any", "fast")] == [600, 300]


# -- names ------------------------------------------------------------------------------------

REQUESTS = Family("requests_total", {"request_rate": "sum by ($by) (rate(requests_total[$window]))"})


def named(*series: str, told: Distinctions = Distinctions(), labels: tuple[str, ...] = JOB, **more: bool) -> Naming:  # noqa: B008 – frozen
    preset = Preset("mine", "", labels, **more)  # type: ignore[arg-type]
    return naming_of(preset, REQUESTS, Known(*series).inventory(), told)


@pytest.mark.parametrize(
    ("labels", "there", "parts"),
    [
        (JOB, 'job="a"', (Part(("namespace",)), Part(("job",)))),
        (JOB, 'job="a",exported_job="b"', (Part(("namespace",)), Part(("job", "exported_job")))),
        (
            JOB,
            'job="a",namespace="b",exported_namespace="c"',
            (Part(("namespace", "exported_namespace")), Part(("job",))),
        ),
        (("service",), 'service="a",exported_service="b"', (Part(("service", "exported_service")),)),
        (("service",), 'service="a"', (Part(("service",)),)),
        (("service_name",), 'service="a"', (Part(("service",)),)),
        (("service_name",), 'service_name="a",service="b"', (Part(("service_name",)),)),
        (("deployment|daemonset",), 'daemonset="a"', (Part(("deployment", "daemonset")),)),
        (("service_name",), 'other="a"', (Part(("service_name",)),)),
    ],
)
def test_a_name_is_made_of_the_labels_that_are_there(labels: tuple[str, ...], there: str, parts: object) -> None:
    assert named(f"requests_total{{{there}}}", labels=labels).parts == parts


def test_the_cluster_is_in_front_where_series_have_it() -> None:
    told = Distinctions(("k8s_cluster_name", "cluster"))
    assert named('requests_total{cluster="a",job="b"}', told=told).front == ("cluster",)
    assert named('requests_total{job="b"}', told=told).front == ()
    assert named('requests_total{cluster="a"}', told=told, labels=("cluster",)).front == ()


def test_services_of_a_catch_all_job_are_told_apart_by_the_label_that_was_found() -> None:
    told = Distinctions((), {"pods": "app", "more pods": "app", "others": "k8s_app"})
    (_, job) = named('requests_total{job="pods",app="cart"}', told=told).parts
    assert job.instead == (InsteadOfJob("app", ("more pods", "pods")),)


def test_labels_of_the_settings_are_taken_as_they_are() -> None:
    naming = named(
        'requests_total{job="a",exported_job="b",cluster="c"}', told=Distinctions(("cluster",)), has_own_labels=True
    )
    assert naming == Naming((Part(("namespace",)), Part(("job",))), needs_all=True)


# -- families ---------------------------------------------------------------------------------

SHOP = (
    'up{job="shop",instance="a"}',
    'http_requests_total{job="shop",code="200"}',
    'http_requests_total{job="shop",code="500"}',
    'http_request_duration_seconds_count{job="shop"}',
    'http_request_duration_seconds_bucket{job="shop",le="0.1"}',
    'grpc_server_handled_total{job="shop",grpc_code="OK"}',
)


def planned(*series: str, own: dict[str, PresetSettings] | None = None, window: float | None = 60) -> Plan:
    return make_plan(Known(*series).inventory(), [*configured(own or {}).values()], window=window)


def of(plan: Plan, family: str) -> Asked:
    return next(one for one in plan.asked if one.family.name == family)


def test_only_families_that_are_there_are_asked() -> None:
    assert {one.label for one in planned(*SHOP).asked} == {
        "go: http_request_duration_seconds_count",
        "grpc: grpc_server_handled_total",
        "http: http_requests_total",
        "process: up",
    }


def test_what_says_how_requests_ended_is_believed_first() -> None:
    plan = planned(*SHOP)
    families = [plan.of(key).family.name for key in plan.rank("request_rate")]
    assert families[-1] == "http_request_duration_seconds_count"
    assert set(plan.rank("error_rate")) < set(plan.rank("request_rate"))


def test_a_preset_of_the_settings_is_believed_before_any_other() -> None:
    own = PresetSettings(labels=("job",), queries={"request_rate": "sum by ($by) (rate(mine[$window]))"})
    plan = planned(*SHOP, own={"mine": own})
    assert plan.of(plan.rank("request_rate")[0]).preset.name == "mine"


def test_a_query_of_the_settings_takes_the_place_of_one_of_its_preset() -> None:
    plan = planned(*SHOP, own={"process": PresetSettings(queries={"up": "min by ($by) (up)"})})
    asked = [one.queries for one in plan.asked if one.preset.name == "process"]
    assert [sorted(queries) for queries in asked] == [["up"], ["pod_count"]]


def test_a_query_is_shown_as_it_was_written() -> None:
    plan = planned(*SHOP, own={"process": PresetSettings(queries={"up": "min by ($by) (min_over_time(up[$window]))"})})
    own, rest = [one for one in plan.asked if one.preset.name == "process"]
    assert as_written(own, "up", 60) == "min by (namespace, job) (min_over_time(up[60s]))"
    assert as_written(rest, "pod_count", 60) is None


def test_a_ratio_of_few_requests_is_taken_over_the_long_window() -> None:
    own = PresetSettings(
        labels=("job",),
        queries={
            "request_rate": "sum by ($by) (rate(a[$window])) + sum by ($by) (rate(b[$window]))",
            "error_rate": "sum by ($by) (rate(c[$window]))",
        },
    )
    query = of(planned(own={"mine": own}), "").over_time("error_rate")
    sums = " + ".join(
        f'sum by (service_name) (label_join(sum by (job) (rate({one}[60s])), "service_name", "/", "job"))'
        for one in "ab"
    )
    assert f"and on (service_name) (({sums}) * 60 >= 20)" in query
    assert query.endswith(
        'or (sum by (service_name) (label_join(sum by (job) (rate(c[300s])), "service_name", "/", "job")))'
    )


def test_what_is_few_is_counted_in_the_shortest_window_of_any_job() -> None:
    def answer(query: str) -> list[tuple[dict[str, str], float]]:
        if "count_over_time" not in query:
            return []
        counts = {"fast": (20, 4), "slow": (5, 1), "slower": (5, 1)}
        return [
            ({"job": job, "is": kind}, value)
            for job, (pace, lately) in counts.items()
            for kind, value in {"pace": pace, "fast": lately, "count": 1}.items()
        ]

    counted = [f'http_requests_total{{job="{job}",code="200"}}' for job in ("fast", "slow", "slower")]
    inventory = Known('up{job="fast"}', *counted, answer=answer).inventory()
    plan = make_plan(inventory, [*PRESETS.values()], interval=60)
    assert plan.dialect.windows.usual.seconds == 240
    query = of(plan, "http_requests_total").over_time("error_rate")
    assert " * 60 >= 20)" in query
    assert "[240s]" in query.partition(") or (")[0]


def test_with_a_long_window_nothing_is_asked_twice() -> None:
    one = of(planned(*SHOP, window=300), "http_requests_total")
    assert ">= 20" not in one.over_time("error_rate")
    assert not one.longer


def test_metrics_are_in_parts_by_family_and_every_family_has_a_probe() -> None:
    plan = planned(*SHOP)
    assert set(plan.over_time) <= set(METRICS)
    for metric, queries in plan.over_time.items():
        assert list(queries) == [one.key for one in plan.asked if metric in one.queries]
    assert set(plan.probes) == {one.key for one in plan.asked}


QUANTILE = "histogram_quantile({q}, sum by (le, $by) (rate({name}_bucket[$window]))){unit}"


def quantiles(**more: str) -> dict[str, str]:
    """Templates of quantiles of a histogram, but for what is said otherwise."""
    of_metric = {"latency_p50": 0.5, "latency_p95": 0.95, "latency_p99": 0.99}
    return {metric: QUANTILE.format(q=q, name="took", unit=" / 1000") for metric, q in of_metric.items()} | more


def buckets_of(**more: str) -> dict[str, float] | None:
    own = PresetSettings(labels=("job",), queries=quantiles(**more))
    found = of(planned(own={"mine": own}), "").buckets
    assert found is None or found.unit == 1000
    return found and dict(found.quantiles)


def test_buckets_that_quantiles_share_are_asked_for_once() -> None:
    assert buckets_of() == {"latency_p50": 0.5, "latency_p95": 0.95, "latency_p99": 0.99}
    plan = planned(own={"mine": PresetSettings(labels=("job",), queries=quantiles())})
    now = of(plan, "").now()
    assert not now.keys() & quantiles().keys()
    assert now[BUCKETS].startswith("sum by (le, service_name) (")
    assert of(plan, "").over_time("latency_p95").count("histogram_quantile") == 1


@pytest.mark.parametrize(
    "other",
    [
        QUANTILE.format(q=0.95, name="other", unit=" / 1000"),
        QUANTILE.format(q=0.95, name="took", unit=""),
    ],
    ids=["another histogram", "another unit"],
)
def test_quantiles_of_several_things_are_asked_for_as_they_are_written(other: str) -> None:
    assert buckets_of(latency_p95=other) is None


@pytest.mark.parametrize(
    "other",
    [
        "histogram_quantile(0.95, sum by ($by) (rate(native[$window])))",
        f"({QUANTILE.format(q=0.95, name='took', unit='')}) * 2",
        f"{QUANTILE.format(q=0.95, name='took', unit='')} or vector(1)",
        f"{QUANTILE.format(q=0.95, name='took', unit='')} + histogram_quantile(0.1, sum by (le, $by) (rate(x[1m])))",
    ],
    ids=["native", "scaled", "with another", "a sum"],
)
def test_a_quantile_of_another_form_is_left_as_it_is_written(other: str) -> None:
    assert buckets_of(latency_p95=other) == {"latency_p50": 0.5, "latency_p99": 0.99}


def test_a_marked_query_says_of_which_family_it_is() -> None:
    assert marked("up", "process.0") == 'label_replace(up, "observatory_family", "process.0", "", "")'


def test_what_told_services_apart_once_does_so_for_good() -> None:
    before = Distinctions(("cluster",), {"pods": "app"})
    plan = make_plan(Known(*SHOP).inventory(), [*PRESETS.values()], told=before)
    assert plan.told == before


def test_a_family_is_asked_with_the_windows_of_its_own_jobs() -> None:
    server = Known(
        'up{job="shop"}',
        'up{job="slow"}',
        'http_requests_total{job="shop",code="200"}',
        'grpc_server_handled_total{job="slow",grpc_code="OK"}',
        'process_cpu_seconds_total{job="shop"}',
        'process_cpu_seconds_total{job="slow"}',
        answer=lambda query: [({"job": "shop", "is": "pace"}, 20.0), ({"job": "slow", "is": "pace"}, 5.0)],
    )
    plan = make_plan(server.inventory(), list(PRESETS.values()))
    ranges = {
        one.family.name: set(re.findall(r"\[(\d+)s\]", one.queries.get("request_rate") or one.queries["cpu_usage"]))
        for one in plan.asked
        if "request_rate" in one.queries or "cpu_usage" in one.queries
    }
    assert ranges == {
        "http_requests_total": {"60"},
        "grpc_server_handled_total": {"240"},
        "process_cpu_seconds_total": {"60", "240"},
    }
