"""What no preset reads, and settings that would read it."""

from __future__ import annotations

import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.known import Found, Known

from observatory.config.sources import PresetSettings
from observatory.sources.prometheus.plan import make_plan
from observatory.sources.prometheus.presets import PRESETS, configured
from observatory.sources.prometheus.syntax import is_balanced
from observatory.sources.prometheus.unread import ALL, MOST, Unread, unread


def left(*names: str, own: dict[str, PresetSettings] | None = None) -> list[Unread]:
    """What is told of a server that has these metrics."""

    def answer(query: str) -> Found:
        if "__name__" not in query:
            return []
        (pattern,) = re.findall(r'__name__=~"(.*)"}', query)
        asked = pattern.replace("\\\\", "\\")
        found = [name for name in names if re.fullmatch(asked, name)]
        return [({"__name__": name, "job": "app"}, float(number)) for number, name in enumerate(found, 1)]

    inventory = Known(*(f'{name}{{job="app"}}' for name in names), answer=answer).inventory()
    return [*unread(inventory, make_plan(inventory, [*configured(own or {}).values()]))]


def test_the_most_frequent_comes_first() -> None:
    found = left("redis_commands_total", "orders_processed_messages_total", "invoice_backlog")
    assert [(one.name, one.series, one.job) for one in found] == [
        ("invoice_backlog", 3, "app"),
        ("orders_processed_messages_total", 2, "app"),
        ("redis_commands_total", 1, "app"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "http_requests_total",  # is read
        "http_request_duration_seconds_bucket",
        "go_gc_duration_seconds",
        "process_start_time_seconds",
        "app_start_time_seconds",
        "config_last_reload_success_time",
        "app_uptime_seconds",
        "jobs_total_created",
        "haproxy_server_up",  # is of no service: what is of one is read
        "temperature_celsius",
        "cache_size",
    ],
)
def test_what_is_read_and_what_tells_nothing_of_a_service_is_not_told(name: str) -> None:
    assert left(name) == []


def test_what_the_settings_read_is_not_told() -> None:
    own = PresetSettings(
        labels=("job",), queries={"request_rate": "sum by ($by) (rate(redis_commands_total[$window]))"}
    )
    assert left("redis_commands_total", own={"redis": own}) == []


def test_a_server_without_an_index_says_nothing_of_it() -> None:
    inventory = Known("redis_commands_total").inventory()
    inventory.names = None
    assert [*unread(inventory, make_plan(inventory, [*PRESETS.values()]))] == []


def test_a_server_that_refuses_says_nothing_of_it() -> None:
    inventory = Known("redis_commands_total", answer=lambda query: None).inventory()
    assert [*unread(inventory, make_plan(inventory, [*PRESETS.values()]))] == []


@pytest.mark.parametrize(
    ("name", "metric", "query"),
    [
        ("redis_commands_total", "request_rate", "sum by ($by) (rate(redis_commands_total[$window]))"),
        (
            "db_call_duration_seconds_count",
            "request_rate",
            "sum by ($by) (rate(db_call_duration_seconds_count[$window]))",
        ),
        ("broker.commands_total", "request_rate", 'sum by ($by) (rate({"broker.commands_total"}[$window]))'),
        ("orders_queue_depth", "queue_lag", "sum by ($by) (orders_queue_depth)"),
        ("stream_lag_seconds", "replica_lag", "max by ($by) (stream_lag_seconds)"),
        ("db_latency_ms", "latency_mean", "avg by ($by) (db_latency_ms) / 1000"),
        (
            "mail_errors_total",
            "error_rate",
            f"sum by ($by) (rate(mail_errors_total[$window])) / sum by ($by) (rate({ALL}[$window]))",
        ),
    ],
)
def test_the_settings_are_lines_of_the_file_that_read_it(name: str, metric: str, query: str) -> None:
    (one,) = left(name)
    ((preset, settings),) = tomllib.loads(one.settings)["preset"].items()
    assert settings == {"labels": ["job"], "queries": {metric: query}}
    assert configured({preset: PresetSettings(**settings)})[preset].queries == {metric: query}
    assert (ALL in query) == one.settings.startswith(f"# {ALL}")


@pytest.mark.slow
@given(st.lists(st.from_regex(r"[a-z:.]{1,4}_(commands_total|lag|time|errors_total)", fullmatch=True), max_size=30))
def test_any_names_have_settings_that_can_be_used(names: list[str]) -> None:
    found = left(*dict.fromkeys(names))
    for one in found:
        ((preset, settings),) = tomllib.loads(one.settings)["preset"].items()
        (query,) = configured({preset: PresetSettings(**settings)})[preset].queries.values()
        assert is_balanced(query)
    assert len({one.name for one in found}) == len(found)
    assert MOST == 10
