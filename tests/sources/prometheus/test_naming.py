"""Which series are one service, and how it is called, on real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from support.cases import Case, Cases, Samples, Series, changing, constant, counter, histogram, labelled, up
from support.servers import Server

from observatory.config.sources import PresetSettings

OTEL, GO = "http_server_request_duration_seconds", "http_request_duration_seconds"
CASES = Cases()


def requests(labels: str, per_minute: float, failed: float = 0) -> Series:
    return {
        f'http_requests_total{{{labels},code="200"}}': counter(per_minute - failed),
        f'http_requests_total{{{labels},code="500"}}': counter(failed),
    }


@CASES.add
def an_exported_job_is_the_service() -> Case:
    return Case(
        requests('job="federate",exported_job="cart"', 60) | requests('job="web"', 120),
        {"request_rate": {"cart": 1, "web": 2}},
    )


@CASES.add
def a_job_that_scrapes_many_services_gives_none_its_name() -> Case:
    def target(app: str) -> Series:
        at = f'job="kubernetes-pods",namespace="shop",app="{app}",instance="{app}:80"'
        return {f"up{{{at}}}": constant(1)} | requests(at, 60)

    return Case(
        target("cart") | target("web") | up("api") | requests('job="api",instance="api:80"', 60),
        {"request_rate": {"shop/cart": 1, "shop/web": 1, "api": 1}, "up": {"shop/cart": 1, "shop/web": 1, "api": 1}},
    )


@CASES.add
def a_job_of_one_service_keeps_its_name() -> Case:
    at = 'job="cart",app="cart-server",instance="cart:80"'
    return Case({f"up{{{at}}}": constant(1)} | requests(at, 60), {"request_rate": {"cart": 1}})


@CASES.add
def clusters_are_in_front_of_names_where_there_are_several() -> Case:
    east, west = (up("api") | requests('job="api",namespace="shop"', rate) for rate in (60, 600))
    return Case(
        labelled(east, 'cluster="east"') | labelled(west, 'cluster="west"') | requests('job="central"', 60),
        {"request_rate": {"east/shop/api": 1, "west/shop/api": 10, "central": 1}},
    )


@CASES.add
def one_cluster_is_no_part_of_names() -> Case:
    series = up("api") | requests('job="api"', 60)
    return Case(labelled(series, 'cluster="east"'), {"request_rate": {"api": 1}})


@CASES.add
def clusters_are_left_out_where_that_is_chosen() -> Case:
    series = up("api") | requests('job="api"', 60)
    return Case(
        labelled(series, 'cluster="east"') | labelled(series, 'cluster="west"'),
        {"request_rate": {"api": 2}},
        options={"names_clusters": False},
    )


@CASES.add
def what_two_servers_of_a_pair_scrape_counts_once() -> Case:
    series = up("api") | requests('job="api",instance="api:80"', 60, 6)
    return Case(
        labelled(series, 'prometheus_replica="a"') | labelled(series, 'prometheus_replica="b"'),
        {"request_rate": {"api": 1}, "error_rate": {"api": 0.1}, "pod_count": {"api": 1}},
    )


@CASES.add
def a_rename_joins_sums_and_not_what_was_made_of_them() -> Case:
    """9 a second without errors and 1 a second of which all fail are 10 a second, a tenth of which fail."""
    return Case(
        histogram(OTEL, 'job="api-blue",http_response_status_code="200"', 540, 0)
        | histogram(OTEL, 'job="api-green",http_response_status_code="500"', 0, 60),
        {"request_rate": {"api": 10}, "error_rate": {"api": 0.1}, "latency_p95": {"api": 0.15}},
        {"otel": PresetSettings(rename=(("(.+)-(?:blue|green)", "$1"),))},
    )


@CASES.add
def each_job_has_its_own_window() -> Case:
    """A minute ago what is scraped fast began to be ten times as busy, and what is scraped slowly did as well."""
    step = {"fast": 15, "slow": 60}
    series: Series = {}
    for job, seconds in step.items():
        series |= up(job, step=seconds)
        name = f'http_requests_total{{job="{job}",code="200"}}'
        series[name] = Samples(lambda at: 10_000 + at + max(0, at + 75) * 9, seconds)
    return Case(series, {"request_rate": {"fast": 10, "slow": 3.6}})


@CASES.add
def little_traffic_is_judged_over_the_long_window() -> Case:
    """Four minutes ago one of two requests failed; in the last minute there was one."""
    return Case(
        up("rare", "busy", step=15)
        | {
            'http_requests_total{job="rare",code="500"}': changing((-1800, 5), (-240, 6), step=15),
            'http_requests_total{job="rare",code="200"}': changing((-1800, 5), (-30, 6), step=15),
            'http_requests_total{job="busy",code="500"}': Samples(lambda at: min(at + 1800, 1560) * 1.0, 15),
            'http_requests_total{job="busy",code="200"}': counter(6000, step=15),
        },
        {"error_rate": {"rare": 0.5, "busy": 0}},
    )


# -- presets of the settings ------------------------------------------------------------------

HITS = {
    'legacy_hits{app="api",zone="a"}': counter(600),
    'legacy_hits{app="api",zone="b"}': counter(300),
    'legacy_rates{app="api"}': constant(15),
}


@CASES.each(
    before="sum by ($by) (rate(legacy_hits[$window]))",
    after="sum(rate(legacy_hits[$window])) by ($by)",
    spaced="sum  by($by)(rate(legacy_hits[$window]))",
    two_steps="sum by ($by) (sum by (zone, $by) (rate(legacy_hits[$window])))",
    arithmetic="(sum by ($by) (rate(legacy_hits[$window])) * 60) / 60",
    several_aggregations="sum by ($by) (rate(legacy_hits[$window])) + 0 * count by ($by) (legacy_hits)",
    without_by="sum by (app) (rate(legacy_hits[$window]))",
    fixed_window="sum by ($by) (rate(legacy_hits[4m]))",
    capitals="SUM(rate(legacy_hits [ $window ])) BY ($by)",
    a_comment='sum by ($by) (rate(legacy_hits[$window])) # all (of "them"',
    matching="sum by ($by) (rate(legacy_hits[$window]) * on ($by, zone) group_left() (legacy_hits > bool 0))",
    matching_alone="sum by (app) (rate(legacy_hits[$window])) + on ($by) 0 * count by (app) (legacy_hits)",
    parameters="2 * quantile by ($by) (0.5, rate(legacy_hits[$window]))",
    a_string='sum by ($by) (rate(legacy_hits{zone!=") by ($by) [$window]"}[$window]))',
    of_the_window="sum by ($by) (sum_over_time(legacy_rates[$window:1m]) / count_over_time(legacy_rates[$window:1m]))",
)
def queries_of_the_settings(query: str) -> Case:
    own = PresetSettings(labels=("app",), queries={"request_rate": query})
    return Case(
        {**HITS, **requests('job="api"', 60), **requests('job="other"', 60)},
        {"request_rate": {"api": 15, "other": 1}, "error_rate": {"api": 0, "other": 0}},
        {"legacy": own},
    )


@CASES.add
def the_greatest_of_sums() -> Case:
    own = PresetSettings(
        labels=("app",), queries={"request_rate": "max by ($by) (sum by (zone, $by) (rate(legacy_hits[$window])))"}
    )
    return Case(HITS, {"request_rate": {"api": 10}}, {"legacy": own})


@CASES.add
def labels_of_the_settings_replace_those_there_are() -> Case:
    change = PresetSettings(labels=("team", "app"))
    return Case(
        histogram(GO, 'job="x",team="a",app="cart",code="200"', 60, 0) | histogram(GO, 'job="y",code="200"', 60, 0),
        {"request_rate": {"a/cart": 1}},
        {"go": change},
    )


@CASES.add
def a_label_that_is_called_like_the_name() -> Case:
    own = PresetSettings(
        labels=("service_namespace", "service_name"),
        queries={"request_rate": "sum by ($by) (rate(spans[$window]))"},
    )
    return Case(
        {'spans{service_namespace="shop",service_name="cart"}': counter(60)},
        {"request_rate": {"shop/cart": 1}},
        {"mine": own},
    )


@CASES.add
def a_single_query_is_changed_and_the_others_of_its_preset_stay() -> Case:
    return Case(
        {
            'up{job="api",instance="a"}': constant(1),
            'up{job="api",instance="b"}': constant(0),
            'process_resident_memory_bytes{job="api"}': constant(5),
        },
        {"pod_count": {"api": 1}, "memory_usage": {"api": 5}, "up": {"api": 0.5}},
        {"process": PresetSettings(queries={"pod_count": "count by ($by) (up == 1)"})},
    )


@CASES.add
def a_rename_is_quoted_whatever_it_holds() -> Case:
    change = PresetSettings(rename=((r"(.+)\.\"ü\n", "$1"),))
    return Case({'up{job="api"}': constant(1)}, {"pod_count": {"api": 1}}, {"process": change})


@pytest.fixture(scope="module")
def servers() -> Iterator[Callable[[str], Server]]:
    yield from CASES.serve()


@pytest.mark.servers
@pytest.mark.parametrize(("kind", "name"), CASES.parameters)
def test_a_server_is_read_right(servers: Callable[[str], Server], kind: str, name: str) -> None:
    CASES.hold(servers(kind), name)
