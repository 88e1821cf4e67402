"""The summary shows the worst first with its arithmetic; anomalies can be filtered and paged."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.api import problem, strict

from observatory.catalog import METRICS
from observatory.model import Band


def anomalies(client, query=""):
    return strict(client.get(f"/api/health/anomalies{query}"))


def test_summary_counts_every_service_and_lists_the_worst_first(reader, names):
    body = strict(reader.get("/api/health/summary"))
    assert body["counts"].keys() == set(Band)
    assert sum(body["counts"].values()) == len(names) == body["total"] == len(body["services"])
    scores = [service["score"] for service in body["services"] if service["score"] is not None]
    assert scores == sorted(scores)
    assert body["updated_at"] == "2026-03-02T09:15:00Z"
    assert body["source"] == "demo"
    assert body["last_cycle"]["failures"] == [{"what": "detect x", "error": "no"}]
    assert body["last_cycle"]["warnings"] == ["a warning"]
    assert body["next"] is None


def test_a_score_carries_its_arithmetic(reader):
    for service in strict(reader.get("/api/health/summary"))["services"]:
        assert list(service["metrics"]) == [name for name, row in METRICS.items() if row.common]
        if service["score"] is not None and not service["caps"]:
            assert sum(part["points"] for part in service["parts"]) == pytest.approx(service["score"], abs=0.51)


def test_open_anomalies_are_counted_where_they_are(reader, names):
    services = {s["service_name"]: s for s in strict(reader.get("/api/health/summary"))["services"]}
    assert (services[names[0]]["open_anomalies"], services[names[0]]["anomalies_24h"]) == (1, 2)
    assert (services[names[1]]["open_anomalies"], services[names[1]]["anomalies_24h"]) == (0, 2)
    assert services[names[2]]["anomalies_24h"] == 0


@pytest.mark.parametrize("query", ["band=healthy&band=degraded", "band=healthy,degraded"])
def test_summary_can_be_filtered_by_bands_and_counts_stay_those_of_all(reader, names, query):
    everything = strict(reader.get("/api/health/summary"))
    body = strict(reader.get(f"/api/health/summary?{query}"))
    wanted = [s for s in everything["services"] if s["band"] in ("healthy", "degraded")]
    assert body["services"] == wanted
    assert body["total"] == len(wanted)
    assert body["counts"] == everything["counts"]


def test_summary_pages_keep_the_filter(reader):
    everything = strict(reader.get("/api/health/summary?band=healthy,degraded,poor,critical"))["services"]
    seen, path = [], "/api/health/summary?limit=1&band=healthy,degraded&band=poor,critical"
    while path:
        page = strict(reader.get(path))
        seen += page["services"]
        path = page["next"]
    assert seen == everything


def test_anomalies_are_those_of_the_last_day_the_newest_first(reader, names):
    body = anomalies(reader)
    started = [item["started_at"] for item in body["anomalies"]]
    assert started == sorted(started, reverse=True)
    assert len(started) == 4
    assert (body["start"], body["end"]) == ("2026-03-01T09:15:00Z", "2026-03-02T09:15:00Z")
    newest = body["anomalies"][0]
    assert newest["service_name"] == names[0]
    assert newest["metrics"] == ["latency_p95"]
    assert newest["evidence"][0]["lower"] is None
    assert newest["evidence"][0]["actual"] == 2.0
    assert newest["is_open"] is True


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?severity=critical", 1),
        ("?severity=critical&severity=low", 2),
        ("?severity=critical,low", 2),
        ("?open=true", 1),
        ("?open=false", 4),
        ("?start=-7d", 5),
        ("?start=-7d&end=-2d", 1),
        ("?start=2026-03-02T07:00:00Z&end=2026-03-02T08:00:00Z", 2),
        ("?start=2026-03-02T08:00:00%2B01:00&end=2026-03-02T09:00:00%2B01:00", 2),
        ("?limit=2", 2),
        ("?limit=1000", 4),
    ],
)
def test_anomalies_can_be_filtered(reader, query, count):
    assert len(anomalies(reader, query)["anomalies"]) == count


def test_anomalies_of_one_service(reader, names):
    found = anomalies(reader, f"?service={names[1]}")["anomalies"]
    assert [item["service_name"] for item in found] == [names[1]] * 2


@pytest.mark.slow
def test_pages_of_anomalies_fit_together_while_time_goes_on(client, runtime):
    everything = anomalies(client, "?start=-7d")["anomalies"]
    seen, path, clock = [], "/api/health/anomalies?start=-7d&limit=2", runtime.clock
    while path:
        page = strict(client.get(path))
        seen += page["anomalies"]
        path = page["next"]
        later = runtime.clock() + timedelta(hours=1)
        runtime.clock = lambda later=later: later
    runtime.clock = clock
    assert seen == everything


def test_the_next_page_keeps_all_filters(reader, names):
    path = anomalies(reader, f"?service={names[1]}&start=-7d&severity=high,medium&limit=1")["next"]
    page = strict(reader.get(path))
    assert [item["service_name"] for item in page["anomalies"]] == [names[1]]
    assert page["start"] == "2026-02-23T09:15:00Z"
    assert strict(reader.get(page["next"]))["next"] is None


def test_anomalies_of_an_unknown_service_are_a_404_with_a_hint(reader, names):
    body = problem(reader.get(f"/api/health/anomalies?service={names[0]}x"), 404)
    assert body["type"].endswith("unknown-service")
    assert f"did you mean {names[0]}" in body["detail"]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=-1", "limit"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("limit=1&limit=2", "limit"),
        ("limit=99999999999999999999999", "limit"),
        ("offset=1", "offset"),
        ("cursor=x", "cursor"),
        ("cursor=WyJhIl0", "cursor"),
        ("cursor=" + "W" * 1000, "cursor"),
        ("cursor=" + "A" * 2001, "cursor"),
        ("start=-401d", "start"),
        ("severity=awful", "severity"),
        ("severity=", "severity"),
        ("open=perhaps", "open"),
        ("start=yesterday", "start"),
        ("start=2026-03-01T00:00:00", "start"),
        ("end=99999999d", "end"),
        ("start=now&end=-1h", "start"),
        ("start=%00", "start"),
        ("service=", "service"),
        ("service=a%0Ab", "service"),
        ("severty=high", "severty"),
    ],
)
def test_what_cannot_be_used_is_named(reader, query, name):
    body = problem(reader.get(f"/api/health/anomalies?{query}"), 400)
    assert [fault["name"] for fault in body["errors"]] == [name]
    assert name in body["detail"]


def test_a_mistyped_parameter_is_pointed_out(reader):
    body = problem(reader.get("/api/health/anomalies?severty=high&x=1"), 400)
    assert "did you mean severity?" in body["detail"]
    assert [fault["name"] for fault in body["errors"]] == ["severty", "x"]
