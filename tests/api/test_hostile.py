"""Whatever is sent, the answer is JSON, and never a fault of ours."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.api import problem, strict

PATHS = [
    "/api/services",
    "/api/health/summary",
    "/api/health/anomalies",
    "/api/metrics/history",
    "/api/incidents",
    "/readyz",
]
NAMES = [
    "service",
    "start",
    "end",
    "limit",
    "cursor",
    "severity",
    "open",
    "metric",
    "points",
    "expected",
    "band",
    "step",
]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NASTY = st.sampled_from(
    [
        "' OR 1=1 --",
        '"; DROP TABLE services',
        "-1",
        "0",
        "1e999",
        "nan",
        "9" * 400,
        "\x00",
        "-99999d",
        "now",
        "2026",
        "%s",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["service_name", "team", "objective", "latency_target", "cpu_limit", "memory_limit", "desired_pods"]
calm = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def answered(response):
    """JSON without NaN; a problem where it is an error, and then the caller's."""
    if response.status_code >= 400:
        assert response.status_code < 500, strict(response)
        problem(response, response.status_code)
    else:
        strict(response)


@pytest.mark.slow
@calm
@given(st.sampled_from(PATHS), st.dictionaries(st.sampled_from(NAMES) | TEXT, TEXT | NASTY, max_size=4))
def test_any_query(reader, path, query):
    answered(reader.get(path, query_string=query))


@pytest.mark.slow
@calm
@given(st.dictionaries(st.sampled_from(FIELDS), JSON | NASTY, max_size=4) | JSON)
def test_any_body(client, body):
    answered(client.post("/api/services/register", data=json.dumps(body), content_type="application/json"))


@pytest.mark.slow
@calm
@given(st.binary(max_size=60))
def test_any_bytes(client, body):
    answered(client.post("/api/services/register", data=body, content_type="application/json"))


@pytest.mark.slow
@calm
@given(TEXT)
def test_any_path(client, path):
    answered(client.post("/api/collect/" + path))
    answered(client.get("/api/" + path))


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        "[" * 200_000,
        '{"a":' * 100_000,
        '{"service_name": ' + "[" * 900 + "]" * 900 + "}",
        '{"service_name": "a", "objective": NaN}',
        '{"service_name": "a", "objective": -Infinity}',
        '{"service_name": "a", "objective": 1e999}',
        '{"service_name": "a", "cpu_limit": ' + "9" * 5000 + "}",
        '{"service_name": "\\ud800"}',
        '{"service_name": "a" "b"}',
        "null",
        "[]",
        "",
        "\x00",
        b"\xff\xfe",
        b'{"service_name": "\xff"}',
    ],
    ids=range(15),
)
def test_bodies_made_to_hurt(client, body):
    problem(client.post("/api/services/register", data=body, content_type="application/json"), 400)


@pytest.mark.parametrize(
    "query", ["service=%ff%fe", "a" * 9000, "&".join(f"p{i}=1" for i in range(3000)), "=", "&&&", "service"]
)
def test_queries_made_to_hurt(reader, query):
    answered(reader.get("/api/metrics/history?" + query))


def test_a_repeated_parameter_is_never_dropped_in_silence(reader, names):
    problem(reader.get(f"/api/metrics/history?service={names[0]}&service={names[1]}"), 404)


def test_long_values_are_cut_in_the_answer(reader):
    body = problem(reader.get("/api/health/anomalies?limit=" + "x" * 5000), 400)
    assert len(body["errors"][0]["value"]) < 300
    assert len(body["detail"]) < 1000


def test_many_unknown_parameters_are_cut_in_the_detail(reader):
    body = problem(reader.get("/api/services?" + "&".join(f"p{i}=1" for i in range(50))), 400)
    assert len(body["detail"]) < 1000
    assert "and 47 more" in body["detail"]
