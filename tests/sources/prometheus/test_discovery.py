"""Which presets answer, which services there are, and which of them are watched."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from support.blind import asked_of, blind, parts, queries
from support.exposition import native_histogram
from support.servers import FaultyServer, Prometheus, Reply, Request, refusal, success, wait_until

from observatory.config.sources import PresetSettings
from observatory.display.services import survey_table
from observatory.model import Failure
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.connection import Limits
from observatory.sources.prometheus.presets import configured
from observatory.sources.prometheus.source import PrometheusSource
from observatory.sources.prometheus.survey import survey

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SECONDS = NOW.timestamp()


def a_source(url: str, presets: tuple[str, ...] = (), **more) -> PrometheusSource:
    return PrometheusSource(PrometheusClient(url, Limits(timeout=5), sleep=lambda seconds: None), 300, presets, **more)


def of_services(*names: str) -> Reply:
    return success([{"metric": {"service_name": name}, "value": [SECONDS, "1"]} for name in names])


# -- names ------------------------------------------------------------------------------------

HOSTILE = [
    "'; DROP TABLE services; --",
    'a"b\\c',
    "<script>alert(1)</script>",
    "日本語/サービス",
    "naïve/🔥",
    "%00/../../etc/passwd",
    "$1 {{.}} ${x}",
]
UNUSABLE = ["two\nlines", "x" * 10_000, " blank", "tab\tbed", "null\x00byte", "right-to-left\u202e"]


@pytest.mark.slow
def test_hostile_names_are_only_names_and_unusable_ones_are_left_out_and_said() -> None:
    with FaultyServer(choose=blind(of_services(*HOSTILE, *UNUSABLE))) as server:
        source = a_source(server.url)
        collected = source.collect(NOW)
        assert sorted(collected.frame["service_name"]) == sorted(HOSTILE)
        assert [service.name for service in source.discover()] == sorted(HOSTILE)
    said = [text for text in collected.warnings if "services were left out" in text]
    assert len(said) == len(parts())
    assert said[0].startswith("request_rate: 6 services were left out, such as 'two\\nlines'")
    assert all(len(text) < 400 for text in said)
    assert collected.failures == ()


def test_a_series_that_comes_twice_counts_once_and_is_said() -> None:
    with FaultyServer(choose=blind(of_services("a", "a", "b"))) as server:
        collected = a_source(server.url).collect(NOW)
    assert collected.frame["service_name"].tolist() == ["a", "b"]
    assert "request_rate: a is there more than once, the first series counts" in collected.warnings


def test_nothing_at_all_is_a_warning_that_names_the_way_out() -> None:
    with FaultyServer(choose=blind(success([]))) as server:
        (text,) = a_source(server.url, ("otel", "go")).collect(NOW).warnings
    assert text == "no series of any service for presets otel, go: see `observatory doctor`"


def test_a_clock_that_is_off_is_a_warning_with_the_samples() -> None:
    with FaultyServer(choose=blind(of_services("a")), skew=-90) as server:
        (text,) = a_source(server.url, ("otel",)).collect(NOW).warnings
    assert "behind: set both by NTP" in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("include", "exclude", "watched"),
    [
        ((), (), ["blog/web", "shop/cart", "shop/test-cart"]),
        (("shop/*",), (), ["shop/cart", "shop/test-cart"]),
        (("shop/*",), ("*/test-*",), ["shop/cart"]),
        (("shop",), (), []),
        ((), ("*",), []),
        (("blog/*", "*cart"), ("shop/t*",), ["blog/web", "shop/cart"]),
    ],
)
def test_only_services_that_are_included_and_not_excluded_are_watched(
    include: tuple[str, ...], exclude: tuple[str, ...], watched: list[str]
) -> None:
    with FaultyServer(choose=blind(of_services("shop/cart", "shop/test-cart", "blog/web"))) as server:
        source = a_source(server.url, include=include, exclude=exclude)
        assert [service.name for service in source.discover()] == watched
        assert sorted(source.collect(NOW).frame["service_name"]) == watched
        assert set(survey(source, NOW).services) == set(watched)


def test_history_fetched_with_other_patterns_is_fetched_again() -> None:
    whole, part = a_source("http://x"), a_source("http://x", include=("shop/*",))
    assert whole.asks == a_source("http://x").asks
    assert whole.asks != part.asks != a_source("http://x", ("otel",)).asks


# -- a query that is refused ------------------------------------------------------------------


def refusing(*presets: str, message: str = "parse error", status: int = 400):
    """A server that refuses the queries of some presets, and every query they are part of."""
    families = [query for queries in parts((), configured({"own": OWN})).values() for query in queries.items()]
    bad = [query for key, query in families if key.partition(".")[0] in presets]

    def choose(request: Request) -> Reply:
        refused = any(query in request.fields["query"] for query in bad)
        return refusal(status, message) if refused else of_services("api")

    return blind(choose)


OWN = PresetSettings(labels=("app",), queries={"cpu_usage": "sum by ($by) (mine)", "pod_count": "sum by ($by) (pods)"})


@pytest.mark.slow
def test_bad_promql_costs_only_its_preset_and_is_said_each_time() -> None:
    with FaultyServer(choose=refusing("own")) as server:
        source = a_source(server.url, available=configured({"own": OWN}))
        for _ in range(2):
            collected = source.collect(NOW)
            assert [failure.what for failure in collected.failures] == ["cpu_usage", "pod_count"]
            assert "preset own: Prometheus at" in collected.failures[0].error
            assert "parse error" in collected.failures[0].error
            assert collected.frame[list(parts())].notna().all(axis=None)
        first = len(asked_of(server))
        source.collect(NOW)
        assert len(asked_of(server)) - first == queries()  # what was refused is not asked again for a while


@pytest.mark.slow
def test_a_function_the_server_lacks_is_said_and_not_asked_for_again_for_a_while() -> None:
    with FaultyServer(choose=refusing("otel", message='unknown func "histogram_count"', status=422)) as server:
        source = a_source(server.url)
        for _ in range(2):
            collected = source.collect(NOW)
            assert {failure.error.partition(":")[0] for failure in collected.failures} == {"preset otel"}
            assert collected.frame["request_rate"].tolist() == [1.0]
        first = len(asked_of(server))
        source.collect(NOW)
        assert len(asked_of(server)) - first == queries()
        found = {one.preset: one for one in survey(source, NOW).found}
    assert "unknown func" in found["otel"].refused["request_rate"]


@pytest.mark.slow
def test_what_else_a_server_refuses_of_a_preset_is_a_failure_each_time() -> None:
    with FaultyServer(choose=refusing("kubernetes", message="many-to-many matching", status=422)) as server:
        source = a_source(server.url)
        for _ in range(2):
            collected = source.collect(NOW)
            assert {failure.error.partition(":")[0] for failure in collected.failures} == {"preset kubernetes"}
            assert len(collected.failures) == 4
            assert all("many-to-many matching" in failure.error for failure in collected.failures)
    assert collected.frame["cpu_usage"].tolist() == [1.0]


@pytest.mark.servers
def test_bad_promql_is_told_in_prometheus_words_about_what_was_written(prometheus_of_three: PrometheusSource) -> None:
    own = PresetSettings(labels=("app",), queries={"cpu_usage": "sum by ($by) (rate(mine[$window])"})
    source = PrometheusSource(prometheus_of_three.client, 8, available=configured({"own": own}))
    collected = source.collect(datetime.now(UTC))
    (failure,) = collected.failures
    assert failure.what == "cpu_usage"
    assert "preset own: " in failure.error
    assert "1:29: parse error: unclosed left parenthesis" in failure.error
    assert collected.frame["cpu_usage"].notna().all()


def test_a_query_of_one_preset_that_is_refused_is_the_error_itself() -> None:
    with FaultyServer(choose=refusing("own")) as server:
        collected = a_source(server.url, ("own", "go"), available=configured({"own": OWN})).collect(NOW)
    assert {failure.what for failure in collected.failures} == {"cpu_usage", "pod_count"}
    assert all(isinstance(failure, Failure) for failure in collected.failures)


# -- real servers -----------------------------------------------------------------------------


@pytest.mark.servers
def test_a_survey_of_three_real_services(prometheus_of_three: PrometheusSource) -> None:
    found = survey(prometheus_of_three, datetime.now(UTC))
    table = survey_table(found.found).set_index(["preset", "reads"])
    assert table.loc["prometheus", "request_rate"].tolist() != []
    assert table.loc[("process", "up"), ["services", "pod_count"]].tolist() == [3, "3"]
    assert "istio" not in table.index


@pytest.fixture(scope="module")
def native() -> Iterator[PrometheusSource]:
    """A Prometheus that scrapes native histograms: 9 in 10 requests succeed, all take 0.25 s to 0.5 s."""
    count = 0

    def grow(request: Request) -> Reply:
        nonlocal count
        count += 1
        series = {"200": 900 * count, "503": 100 * count}
        return native_histogram("http_server_request_duration_seconds", series, "http_response_status_code")

    class Native(Prometheus):
        flags = ("--enable-feature=native-histograms",)

    with FaultyServer(choose=grow) as exporter, Native({"api": exporter.url.removeprefix("http://")}) as prometheus:
        source = PrometheusSource(PrometheusClient(prometheus.url, Limits(timeout=10)), 8)

        def has_rate() -> bool:
            source.look_again()
            frame = source.collect(datetime.now(UTC)).frame.reindex(columns=["service_name", "error_rate"])
            return bool((frame.loc[frame["service_name"] == "api", "error_rate"] > 0).any())

        wait_until(has_rate, 60, "a rate of native histograms", prometheus.log)
        yield source


@pytest.mark.servers
def test_golden_signals_of_native_histograms(native: PrometheusSource) -> None:
    collected = native.collect(datetime.now(UTC))
    api = collected.frame.set_index("service_name").loc["api"]
    assert collected.failures == collected.warnings == ()
    assert api["error_rate"] == pytest.approx(0.1)
    assert 100 < api["request_rate"] < 10_000
    assert 0.25 <= api["latency_p50"] <= api["latency_p95"] <= api["latency_p99"] <= 0.5
    found = {one.preset: one for one in survey(native, datetime.now(UTC)).found}
    assert found["otel"].services == ("api",)


@pytest.mark.slow
def test_no_query_is_longer_than_a_server_takes() -> None:
    with FaultyServer(choose=blind(of_services("a"))) as server:
        collected = a_source(server.url).collect(NOW)
        asked = [len(one.fields["query"]) for one in asked_of(server)]
    assert sum(len(" or ".join(one.values())) for one in parts().values()) > 16_000
    assert max(asked) < 16_000
    assert collected.failures == ()
    assert collected.frame["error_rate"].tolist() == [1.0]
