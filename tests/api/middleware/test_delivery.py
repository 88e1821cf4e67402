"""Who polls gets 304, what is long is compressed, and what is too long is a problem."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta

import pytest
from support.api import problem, strict

from observatory.api.app import create_app
from observatory.model import Service

POLLED = [
    "/api/services",
    "/api/services/graph",
    "/api/health/summary",
    "/api/health/anomalies",
    "/api/metrics/history?service=shop/cart&start=2026-03-02T08:00:00Z&end=2026-03-02T09:00:00Z",
    "/api/incidents",
    "/api/openapi.json",
]


@pytest.mark.parametrize("path", POLLED)
def test_what_did_not_change_is_not_sent_again(reader, path):
    first = reader.get(path)
    assert first.status_code == 200
    again = reader.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["X-Content-Type-Options"] == "nosniff"
    assert "Content-Type" not in again.headers
    assert reader.get(path, headers={"If-None-Match": 'W/"another"'}).status_code == 200


@pytest.mark.slow
def test_the_summary_has_another_tag_when_data_changed_and_not_when_time_went_on(client, runtime):
    first = client.get("/api/health/summary")
    now = runtime.clock()
    runtime.clock = lambda: now + timedelta(seconds=7)
    assert client.get("/api/health/summary", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    runtime.store.register([Service("new")])
    again = client.get("/api/health/summary", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200
    assert strict(again)["total"] == strict(first)["total"] + 1


@pytest.mark.parametrize("path", [*POLLED, "/api/docs/swagger-ui.css"])
def test_long_answers_are_compressed_for_who_takes_it(reader, path):
    plain = reader.get(path)
    compressed = reader.get(path, headers={"Accept-Encoding": "br, gzip"})
    if len(plain.data) < 1024:
        assert "Content-Encoding" not in compressed.headers
        return
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(compressed.data) == plain.data
    assert len(compressed.data) < len(plain.data) / 2
    assert compressed.headers["ETag"] == plain.headers["ETag"]
    assert {"Accept-Encoding", "Authorization", "Cookie"} <= set(compressed.vary)
    refused = reader.get(path, headers={"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in refused.headers


@pytest.mark.slow
def test_an_answer_that_would_be_too_large_says_what_to_do(runtime):
    runtime.settings = runtime.settings.model_copy(update={"max_answer": 0.001})
    body = problem(create_app(runtime).test_client().get("/api/health/summary"), 400)
    assert "ask for less" in body["detail"]


def test_errors_are_compressed_too_and_never_tagged(reader):
    response = reader.get(
        "/api/services?" + "&".join(f"p{i}=1" for i in range(50)), headers={"Accept-Encoding": "gzip"}
    )
    assert json.loads(gzip.decompress(response.data))["status"] == 400
    assert "ETag" not in response.headers


def test_the_documentation_asks_no_other_machine(reader):
    page = reader.get("/api/docs").get_data(as_text=True)
    assert "http" not in page
    for part in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js", "favicon-32x32.png"):
        assert f'"docs/{part}"' in page
        assert reader.get(f"/api/docs/{part}").status_code == 200
    policy = reader.get("/api/docs").headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    for odd in ("..%2fLICENSE", "LICENSE", "swagger-ui.js.map", "%00", "a" * 500):
        problem(reader.get(f"/api/docs/{odd}"), 404)
