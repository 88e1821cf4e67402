"""One service can be collected now, and a source that does not deliver is told apart."""

from __future__ import annotations

import pytest
from support.api import problem, strict

from observatory.errors import (
    MalformedAnswerError,
    SourceError,
    SourceRefusedError,
    SourceTimeoutError,
    SourceUnreachableError,
    StoreError,
)
from observatory.model import Collected, Failure, empty_samples

pytestmark = pytest.mark.slow


class Broken:
    """A source that always fails in the same way."""

    name = "broken"

    def __init__(self, error):
        self.error = error

    def collect(self, at, services=None):
        raise self.error


class Partial:
    """A source that has nothing, and says why."""

    name = "partial"

    def collect(self, at, services=None):
        return Collected(empty_samples(["cpu_usage"]), (Failure("cpu_usage", "no series"),), ("slow",), 9)


@pytest.mark.parametrize("quoted", ["{}", "{}?"])
def test_one_sample_is_stored(client, runtime, names, quoted):
    now = runtime.clock()
    before = int(runtime.store.sample_counts()["samples"].sum())
    body = strict(client.post("/api/collect/" + quoted.format(names[0])))
    assert body["service_name"] == names[0]
    assert body["samples"] == 1
    assert body["failures"] == []
    assert runtime.store.newest(names[0]) == now
    assert int(runtime.store.sample_counts()["samples"].sum()) - before in (0, 1)


def test_a_slash_in_the_name_may_be_quoted(client, names):
    name = next(name for name in names if "/" in name)
    assert client.post("/api/collect/" + name.replace("/", "%2F")).status_code == 200


def test_failures_and_warnings_are_in_the_answer(client, runtime, names, monkeypatch):
    monkeypatch.setattr(runtime, "sources", [Partial()])
    body = strict(client.post(f"/api/collect/{names[0]}"))
    assert body["samples"] == 0
    assert {"what": "cpu_usage", "error": "no series"} in body["failures"]
    assert "slow" in body["warnings"]


@pytest.mark.parametrize("name", ["nope", "nope/", "/nope", "a//b", "..", "%00", "'; DROP TABLE services; --"])
def test_unknown_services_are_a_404(client, name):
    assert problem(client.post(f"/api/collect/{name}"), 404)["type"].endswith("unknown-service")


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (SourceUnreachableError("http://p:9090 refused the connection"), 502, "source-unreachable"),
        (SourceTimeoutError("http://p:9090 did not answer in 30 s"), 504, "source-timeout"),
        (SourceRefusedError("http://p:9090 answered 403"), 502, "source-refused"),
        (MalformedAnswerError("http://p:9090 answered HTML"), 502, "source-malformed"),
        (SourceError("nothing"), 502, "source"),
        (StoreError("disk full"), 503, "store"),
    ],
)
def test_a_source_that_does_not_deliver_is_told_apart(client, runtime, names, error, status, kind, monkeypatch):
    monkeypatch.setattr(runtime, "sources", [Broken(error)])
    body = problem(client.post(f"/api/collect/{names[0]}"), status)
    assert body["type"] == f"urn:problem-type:observatory:{kind}"
    assert body["detail"] == str(error)
