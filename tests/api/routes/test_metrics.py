"""History comes in columns of one length, with null where a value is missing."""

from __future__ import annotations

import io
from datetime import datetime

import pandas as pd
import pyarrow.ipc
import pytest
from support.api import problem, strict

from observatory.catalog import METRICS


def history(client, query):
    return strict(client.get(f"/api/metrics/history?{query}"))


def test_columns_have_one_value_for_each_timestamp(reader, names):
    body = history(reader, f"service={names[0]}&start=-1h")
    assert body["service_name"] == names[0]
    assert list(body["metrics"]) == [name for name, row in METRICS.items() if row.common]
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


@pytest.mark.slow
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
        ("service=a&step=0", "step"),
        ("service=a&step=fast", "step"),
        ("service=a&start=-400d&step=60s", "step"),
        ("service=a&start=-1x", "start"),
        ("service=a&start=now", "start"),
        ("service=a&expected=maybe", "expected"),
        ("service=a&limit=5", "limit"),
    ],
)
def test_what_cannot_be_used_is_named(reader, query, name):
    body = problem(reader.get(f"/api/metrics/history?{query}"), 400)
    assert [fault["name"] for fault in body["errors"]] == [name]


def test_a_step_may_be_named_and_auto_takes_the_finest_that_fits(reader, names):
    named = history(reader, f"service={names[0]}&start=-2h&step=10m&metric=cpu_usage")
    assert (named["step"], named["resolution"], len(named["timestamp"])) == (600, "summary", 13)
    raw = history(reader, f"service={names[0]}&start=-2h&metric=cpu_usage")
    assert (raw["step"], raw["resolution"], len(raw["timestamp"])) == (60, "raw", 121)
    week = history(reader, f"service={names[0]}&start=-7d&points=500&metric=cpu_usage")
    assert (week["step"], week["resolution"]) == (1500, "summary")


@pytest.mark.parametrize("expected", ["false", "true"])
def test_every_type_says_the_same(reader, names, expected):
    path = f"/api/metrics/history?service={names[0]}&start=-1h&metric=latency_p50,cpu_usage&expected={expected}"

    def ask(kind):
        response = reader.get(path, headers={"Accept": kind})
        assert (response.status_code, response.mimetype) == (200, kind)
        return response

    body = strict(ask("application/json"))
    columns = {"timestamp": pd.to_datetime(body["timestamp"]), **body["metrics"]}
    for name, bands in (body["expected"] or {}).items():
        columns |= {f"{name}__{bound}": values for bound, values in bands.items()}
    wanted = pd.DataFrame(columns).astype({name: float for name in columns if name != "timestamp"})
    csv = pd.read_csv(io.BytesIO(ask("text/csv").data), parse_dates=["timestamp"])
    table = pyarrow.ipc.open_stream(ask("application/vnd.apache.arrow.stream").data).read_all()
    assert table.column("latency_p50").null_count == wanted["latency_p50"].isna().sum() > 0
    for found in (csv, table.to_pandas()):
        pd.testing.assert_frame_equal(found, wanted, check_dtype=False)
    assert len(wanted.columns) == (9 if expected == "true" else 3)


@pytest.mark.slow
def test_a_service_without_samples_has_empty_columns_in_every_type(client):
    client.post("/api/services/register", json={"service_name": "new"})
    path = "/api/metrics/history?service=new&metric=cpu_usage"
    assert client.get(path, headers={"Accept": "text/csv"}).data == b"timestamp,cpu_usage\r\n"
    arrow = client.get(path, headers={"Accept": "application/vnd.apache.arrow.stream"}).data
    assert pyarrow.ipc.open_stream(arrow).read_all().num_rows == 0


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("text/*", "text/csv"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("", "application/json"),
    ],
)
def test_the_type_is_negotiated(reader, names, accept, kind):
    path = f"/api/metrics/history?service={names[0]}&start=-10m"
    assert reader.get(path, headers={"Accept": accept}).mimetype == kind


def test_a_type_nobody_speaks_is_a_406(reader, names):
    body = problem(reader.get(f"/api/metrics/history?service={names[0]}", headers={"Accept": "image/png"}), 406)
    assert "text/csv" in body["detail"]


@pytest.mark.slow
def test_metrics_that_few_services_have_are_there_where_they_have_values(client, runtime, names):
    service, at = names[0], pd.Timestamp("2026-03-02T09:15:00Z")
    runtime.store.write_samples(pd.DataFrame({"service_name": [service], "timestamp": [at], "queue_lag": [12.0]}))
    body = history(client, f"service={service}&start=-1h")
    assert [name for name in body["metrics"] if not METRICS[name].common] == ["queue_lag"]
    assert body["metrics"]["queue_lag"][-1] == 12
    asked = history(client, f"service={service}&start=-1h&metric=up")
    assert set(asked["metrics"]["up"]) == {None}
    summary = {one["service_name"]: one for one in strict(client.get("/api/health/summary"))["services"]}
    assert summary[service]["metrics"]["queue_lag"] == 12
    assert "queue_lag" not in summary[names[1]]["metrics"]
