"""``format=rows``: what tables and annotations of Grafana read as it is, and the times that Grafana asks with."""

from __future__ import annotations

import gzip
import json
import re

import pytest
from api.conftest import CHANGE, ENDED_INCIDENT, NOW, OPEN_INCIDENT
from openapi_schema_validator import OAS31Validator
from support.api import problem, strict
from support.guides import page

from observatory.access import Role, authenticator_of
from observatory.api.app import create_app
from observatory.api.rows import ROWS

MS = int(NOW.timestamp() * 1000)
DAY = 24 * 3600 * 1000
ANNOTATIONS = ("/api/health/anomalies", "/api/incidents", "/api/changes", f"/api/incidents/{OPEN_INCIDENT}")
PATHS = (*ANNOTATIONS, "/api/health/summary", "/api/services", "/api/metrics/history?service=shop/cart&start=-1h")


def rows(client, path, **headers):
    answer = client.get(f"{path}{'&' if '?' in path else '?'}format=rows", headers=headers)
    assert answer.mimetype == ROWS
    found = strict(answer)
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("path", PATHS)
def test_rows_are_flat_and_all_have_the_same_columns(reader, path):
    found = rows(reader, path)
    assert found
    assert len({tuple(row) for row in found}) == 1
    assert not [value for row in found for value in row.values() if isinstance(value, (list, dict))]


@pytest.mark.parametrize("path", PATHS)
def test_times_are_milliseconds(reader, path):
    for row in rows(reader, path):
        assert isinstance(row["time"], int)
        assert MS - 8 * DAY < row["time"] <= MS


@pytest.mark.parametrize("path", ANNOTATIONS)
def test_what_happened_can_be_an_annotation_as_it_is(reader, path):
    for row in rows(reader, path):
        assert row["time"] <= row["timeEnd"] <= MS
        assert all(isinstance(row[name], str) and row[name] for name in ("title", "text", "tags"))


def test_rows_say_what_the_document_says(reader):
    for path, name in (("/api/health/anomalies", "anomalies"), ("/api/incidents", "incidents")):
        document = strict(reader.get(path))[name]
        found = rows(reader, path)
        assert [row["severity"] for row in found] == [item["severity"] for item in document]
        assert [row["open"] for row in found] == [item["is_open"] for item in document]
    health = {item["service_name"]: item for item in strict(reader.get("/api/health/summary"))["services"]}
    for row in rows(reader, "/api/health/summary"):
        item = health[row["service"]]
        assert (row["score"], row["band"]) == (item["score"], item["band"])
        assert {name: row[name] for name in item["metrics"]} == item["metrics"]


def test_health_tells_which_services_an_incident_reaches(reader, names):
    found = {row["service"]: row["incident"] for row in rows(reader, "/api/health/summary")}
    assert found[names[0]] == "critical"
    assert found[names[2]] is None


def test_an_incident_comes_in_parts(reader):
    of = f"/api/incidents/{ENDED_INCIDENT}?part="
    assert next(row["kind"] for row in rows(reader, f"{of}timeline")) == "opened"
    assert {row["service"] for row in rows(reader, f"{of}symptoms")}
    assert [row["id"] for row in rows(reader, f"{of}incident")] == [ENDED_INCIDENT]
    assert all(row["rank"] >= 1 for row in rows(reader, f"{of}causes"))
    problem(reader.get(f"{of}nope"), 400)
    problem(reader.get("/api/incidents/nope?format=rows"), 404)


def test_history_has_a_column_a_metric_and_null_where_nothing_is_known(reader, names):
    path = f"/api/metrics/history?service={names[0]}&start=-2h&metric=latency_p50,cpu_usage"
    document, found = strict(reader.get(path)), rows(reader, path)
    assert [row["latency_p50"] for row in found] == document["metrics"]["latency_p50"]
    assert any(row["latency_p50"] is None for row in found)
    assert list(found[0]) == ["time", "latency_p50", "cpu_usage"]
    banded = rows(reader, f"{path}&expected=true")
    assert banded[-1]["cpu_usage__lower"] < banded[-1]["cpu_usage__typical"] < banded[-1]["cpu_usage__upper"]


def test_pages_follow_by_the_header_and_keep_the_format(reader):
    everything = rows(reader, "/api/health/anomalies?start=-7d")
    seen, path = [], "/api/health/anomalies?start=-7d&limit=2&format=rows"
    while path:
        answer = reader.get(path)
        seen += strict(answer)
        link = answer.headers.get("Link")
        path = link and link.removeprefix("<").partition(">")[0]
    assert seen == everything


@pytest.mark.parametrize("path", ["/api/health/summary?limit=5", "/api/services?limit=5"])
def test_a_list_that_goes_on_says_so(reader, path):
    answer = reader.get(f"{path}&format=rows")
    assert len(strict(answer)) == 5
    assert 'rel="next"' in answer.headers["Link"]
    following = answer.headers["Link"].removeprefix("<").partition(">")[0]
    assert len(strict(reader.get(following))) == 5


@pytest.mark.parametrize("path", ["/api/health/anomalies", "/api/incidents", "/api/changes"])
def test_times_may_be_asked_for_as_grafana_does(reader, path):
    by_ms = strict(reader.get(f"{path}?start={MS - DAY}&end={MS}"))
    by_seconds = strict(reader.get(f"{path}?start={(MS - DAY) // 1000}&end={MS // 1000}"))
    assert by_ms == by_seconds == strict(reader.get(f"{path}?start=-24h&end=now"))
    problem(reader.get(f"{path}?start=20260301&end={MS}"), 400)


def test_an_unchanged_answer_of_rows_is_a_304(reader):
    for path in PATHS:
        path = f"{path}{'&' if '?' in path else '?'}format=rows"
        tag = reader.get(path).headers["ETag"]
        assert reader.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_rows_are_compressed(reader):
    answer = reader.get("/api/health/summary?format=rows", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.get_data()))


def test_the_document_describes_rows_and_leaves_the_others_as_they_were(reader):
    document = strict(reader.get("/api/openapi.json"))
    for path in ("/api/health/summary", "/api/metrics/history", "/api/incidents/{incident_id}"):
        content = document["paths"][path]["get"]["responses"]["200"]["content"]
        assert next(iter(content)) == "application/json"
        assert "$ref" in content["application/json"]["schema"]
        OAS31Validator(content[ROWS]["schema"]).validate([{"time": 1}])


def test_rows_are_of_what_one_may_see(runtime, names):
    _, key = authenticator_of(runtime).keys.create("grafana", Role.VIEWER, [names[1]])
    client = create_app(runtime).test_client()
    for path in ("/api/health/summary", "/api/services", "/api/health/anomalies"):
        found = rows(client, path, Authorization=f"Bearer {key}")
        assert {row["service"] for row in found} == {names[1]}
    assert CHANGE.service_name != names[1] or rows(client, "/api/changes", Authorization=f"Bearer {key}")
    assert client.get("/api/services?format=rows").status_code == 401


def test_another_format_is_refused_by_name(reader):
    assert problem(reader.get("/api/services?format=csv"), 400)["errors"][0]["name"] == "format"


def test_the_columns_of_the_guide_are_those_that_come(reader):
    table = [line for line in page("api").text.split("## Rows")[1].splitlines() if line.startswith("| `/api/")]
    assert len(table) == 7
    for line in table:
        path, columns = line.strip("| ").split(" | ")
        path = path.strip("`").replace("<incident_id>", ENDED_INCIDENT)
        query = "?service=shop/cart&expected=true" if path.endswith("history") else ""
        found = rows(reader, path + query)[0].keys()
        named = set(re.findall(r"`([a-z0-9_A-Z]+)`", columns.partition("; `part=symptoms`")[0]))
        assert named <= found, path
