"""History comes in columns of one length, with null where a value is missing."""

from __future__ import annotations

from datetime import datetime

import pytest
from api.helpers import problem, strict

from observatory.catalog import METRICS


def history(client, query):
    return strict(client.get(f"/api/metrics/history?{query}"))


def test_columns_have_one_value_for_each_timestamp(reader, names):
    body = history(reader, f"service={names[0]}&start=-1h")
    assert body["service_name"] == names[0]
    assert body["metrics"].keys() == METRICS.keys()
    assert {len(values) for values in body["metrics"].values()} == {len(body["timestamp"])} == {61}
    assert body["step"] == 60
    assert body["timestamp"][0] == body["start"] == "2026-03-02T08:15:00Z"
    assert body["timestamp"][-1] == body["end"] == "2026-03-02T09:15:00Z"
    assert body["expected"] is None


def test_missing_values_are_null_and_others_are_those_stored(reader, shared, names):
    body = history(reader, f"service={names[0]}&metric=latency_p50")
    assert body["step"] == shared.settings.interval
    start, end = (datetime.fromisoformat(body[name]) for name in ("start", "end"))
    stored = shared.store.history(names[0], start, end, ["latency_p50"])["latency_p50"]
    expected = [None if value != value else pytest.approx(value) for value in stored]  # NaN is not itself
    assert body["metrics"]["latency_p50"] == expected
    assert None in expected


@pytest.mark.parametrize("query", ["metric=error_rate&metric=cpu_usage", "metric=error_rate,cpu_usage"])
def test_only_the_metrics_asked_for(reader, names, query):
    assert list(history(reader, f"service={names[0]}&{query}")["metrics"]) == ["error_rate", "cpu_usage"]


def test_long_ranges_are_summarised_to_about_the_points_asked_for(reader, names):
    body = history(reader, f"service={names[0]}&start=-6h&points=36")
    assert body["step"] == 600
    assert len(body["timestamp"]) in (36, 37)
    assert all("__" not in name for name in body["metrics"])


def test_what_was_expected_comes_when_asked_for(reader, names):
    body = history(reader, f"service={names[0]}&start=-1h&metric=request_rate&expected=true")
    expected = body["expected"]["request_rate"]
    assert expected.keys() == {"typical", "lower", "upper"}
    assert {len(values) for values in expected.values()} == {len(body["timestamp"])}
    for lower, typical, upper in zip(expected["lower"], expected["typical"], expected["upper"], strict=True):
        assert lower <= typical <= upper


def test_a_service_without_samples_has_empty_columns(client):
    client.post("/api/services/register", json={"service_name": "new"})
    body = history(client, "service=new&expected=true")
    assert body["timestamp"] == []
    assert set(map(len, body["metrics"].values())) == {0}
    assert body["expected"] is None


def test_unknown_service_is_a_404(reader):
    assert problem(reader.get("/api/metrics/history?service=nope"), 404)["type"].endswith("unknown-service")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("", "service"),
        ("service=a&metric=latency", "metric"),
        ("service=a&points=0", "points"),
        ("service=a&points=1e9", "points"),
        ("service=a&start=-1x", "start"),
        ("service=a&start=now", "start"),
        ("service=a&expected=maybe", "expected"),
        ("service=a&limit=5", "limit"),
    ],
)
def test_what_cannot_be_used_is_named(reader, query, name):
    body = problem(reader.get(f"/api/metrics/history?{query}"), 400)
    assert [fault["name"] for fault in body["errors"]] == [name]
