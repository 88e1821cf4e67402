"""Links of a service, and traces of its slow requests, by the REST API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from api.conftest import NOW, OPEN_INCIDENT
from support.api import problem, strict

from observatory.api.app import create_app
from observatory.config.links import LinkSettings
from observatory.errors import SourceUnreachableError
from observatory.model import Exemplar

pytestmark = pytest.mark.slow
LINKS = {
    "logs": LinkSettings(url="https://logs.example/{name}?from={start_s}"),
    "traces": LinkSettings(url="https://jaeger.example", preset="jaeger"),
}


@pytest.fixture
def linked(runtime):
    runtime.settings = runtime.settings.model_copy(update={"links": LINKS})
    return create_app(runtime).test_client()


def test_links_and_traces_of_a_service_are_given(linked, runtime, monkeypatch):
    slow = Exemplar(NOW - timedelta(minutes=5), 4.2, "4bf9")
    monkeypatch.setattr(runtime, "exemplars", lambda service, start, end: [slow])
    found = strict(linked.get("/api/links?service=shop/cart&start=-2h"))
    assert (found["service_name"], found["start"], found["note"]) == ("shop/cart", "2026-03-02T07:15:00Z", "")
    assert found["links"][0] == {"title": "Logs", "url": "https://logs.example/cart?from=1772435700"}
    assert found["traces"] == [
        {
            "at": "2026-03-02T09:10:00Z",
            "seconds": 4.2,
            "trace_id": "4bf9",
            "links": [{"title": "Traces", "url": "https://jaeger.example/trace/4bf9"}],
        }
    ]


def test_where_there_are_no_traces_it_is_said_why(linked, runtime, monkeypatch):
    found = strict(linked.get("/api/links?service=shop/cart"))
    assert (found["traces"], "remembers no trace" in found["note"]) == ([], True)
    assert strict(linked.get("/api/links?service=shop/cart&traces=false"))["note"] == ""

    def away(service, start, end):
        raise SourceUnreachableError("the server is away")

    monkeypatch.setattr(runtime, "exemplars", away)
    found = strict(linked.get("/api/links?service=shop/cart"))
    assert (len(found["links"]), found["note"]) == (2, "the server is away")
    problem(linked.get("/api/links?service=nobody"), 404)


def test_an_incident_has_links_of_the_service_to_look_at_first(linked):
    shown = strict(linked.get(f"/api/incidents/{OPEN_INCIDENT}"))
    assert [one["title"] for one in shown["links"]] == ["Logs", "Traces"]
