"""Loki, OpenTelemetry, Elasticsearch and Grafana get what their published protocols take."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from support.destinations import an_incident
from support.incidents import NOON
from support.messages import destination, message
from support.servers import FaultyServer, Reply, Request

from observatory.errors import ConfigError, DeliveryError
from observatory.model import EventKind

NANOSECONDS = str(int(NOON.timestamp()) * 10**9)


def sent(kind: str, reply: Reply, told: EventKind = "opened", **options: Any) -> Request:
    with FaultyServer(reply) as server:
        made = destination(kind, url=server.url, **options)
        made.send(message(told))
        made.close()
        (request,) = server.requests
    return request


def test_loki_gets_an_entry_with_few_labels() -> None:
    request = sent("loki", Reply(204), labels={"env": "prod"}, tenant="shop")
    assert request.path == "/loki/api/v1/push"
    assert request.headers["X-Scope-OrgID"] == "shop"
    assert request.headers["Content-Type"] == "application/json"
    (stream,) = json.loads(request.body)["streams"]
    assert stream["stream"] == {"app": "cloudwatch-observatory", "env": "prod"}
    ((at, line, metadata),) = stream["values"]
    assert at == NANOSECONDS
    assert json.loads(line)["title"] == "HIGH · shop/cart: errors 12 %"
    assert metadata == {"kind": "opened", "severity": "high", "key": "a-1", "incident": "a", "service": "shop/cart"}
    for labels in ({"app": "x"}, {"a-b": "x"}, {f"l{n}": "x" for n in range(15)}):
        with pytest.raises(ConfigError, match=r"\[notify.desk\] labels: "):
            destination("loki", url="http://127.0.0.1", labels=labels)


def test_opentelemetry_gets_a_record_as_the_protocol_writes_json() -> None:
    request = sent("otlp", Reply(200, b"{}"), "resolved", resource={"deployment.environment.name": "prod"})
    assert request.path == "/v1/logs"
    (resource,) = json.loads(request.body)["resourceLogs"]
    assert {one["key"]: one["value"] for one in resource["resource"]["attributes"]} == {
        "service.name": {"stringValue": "cloudwatch-observatory"},
        "deployment.environment.name": {"stringValue": "prod"},
    }
    (record,) = resource["scopeLogs"][0]["logRecords"]
    assert record["timeUnixNano"] == NANOSECONDS
    assert (record["severityNumber"], record["eventName"]) == (17, "observatory.incident.resolved")
    attributes = {one["key"]: one["value"] for one in record["attributes"]}
    assert attributes["incident.services"] == {"arrayValue": {"values": [{"stringValue": "shop/cart"}]}}
    assert attributes["event.key"] == {"stringValue": "a-1"}


@pytest.mark.parametrize(
    ("reply", "is_final"),
    [
        (Reply(200, b'{"partialSuccess": {"rejectedLogRecords": "1", "errorMessage": "too old"}}'), True),
        (Reply(400), True),
        (Reply(500), True),
        (Reply(503), False),
        (Reply(429), False),
    ],
    ids=["partial", "400", "500", "503", "429"],
)
def test_opentelemetry_is_asked_again_only_where_the_protocol_allows(reply: Reply, is_final: bool) -> None:
    with pytest.raises(DeliveryError) as error:
        sent("otlp", reply)
    assert error.value.is_final is is_final


def test_elasticsearch_gets_a_document_that_is_created_once() -> None:
    request = sent("elasticsearch", Reply(200, b'{"errors": false, "items": [{}]}'), index="ops", api_key="a2V5")
    assert request.path == "/_bulk"
    assert request.headers["Content-Type"] == "application/x-ndjson"
    assert request.headers["Authorization"] == "ApiKey a2V5"
    assert request.body.endswith(b"\n")
    action, document = (json.loads(line) for line in request.body.splitlines())
    assert action == {"create": {"_index": "ops", "_id": "a-1"}}
    assert (document["@timestamp"], document["service"]["name"]) == ("2026-03-01T12:00:00Z", "shop/cart")


def items(status: int, reason: str = "no") -> Reply:
    result = {"errors": True, "items": [{"create": {"status": status, "error": {"reason": reason}}}]}
    return Reply(200, json.dumps(result).encode())


def test_what_elasticsearch_says_of_a_document_counts_not_its_status() -> None:
    sent("elasticsearch", items(409))  # it is there already: an attempt before was taken
    with pytest.raises(DeliveryError, match="answered 400: mapping") as error:
        sent("elasticsearch", items(400, "mapping"))
    assert error.value.is_final
    with pytest.raises(DeliveryError, match="answered 429") as error:
        sent("elasticsearch", items(429))
    assert not error.value.is_final
    with pytest.raises(DeliveryError, match="did not answer as Elasticsearch does"):
        sent("elasticsearch", Reply(200, b"<html>"))


class Grafana:
    """Annotations as Grafana keeps them; it refuses what its API does."""

    def __init__(self) -> None:
        self.kept: dict[int, dict[str, Any]] = {}

    def __call__(self, request: Request) -> Reply:
        parts = urlsplit(request.path)
        if request.headers.get("Authorization") != "Bearer glsa_token":
            return Reply(401, b'{"message": "Unauthorized"}')
        if request.method == "GET":
            tags = set(parse_qs(parts.query)["tags"])
            found = [{"id": key, **one} for key, one in self.kept.items() if tags <= set(one["tags"])]
            return Reply(200, json.dumps(found).encode())
        body = json.loads(request.body)
        if not isinstance(body.get("time"), int) or not body.get("text"):
            return Reply(400, b'{"message": "bad"}')
        if request.method == "PATCH":
            self.kept[int(parts.path.rpartition("/")[2])] |= body
            return Reply(200, b'{"message": "Annotation patched"}')
        self.kept[len(self.kept) + 1] = body
        return Reply(200, b'{"id": 1, "message": "Annotation added"}')


def test_grafana_gets_one_annotation_an_incident_from_beginning_to_end() -> None:
    grafana = Grafana()
    with FaultyServer(choose=grafana) as server:
        made = destination("grafana", url=server.url, token="glsa_token", tags=["shop"])
        for kind in ("opened", "opened", "worse", "resolved"):
            made.send(message(kind))
        assert len(grafana.kept) == 1, "the second attempt finds the first"
        (kept,) = grafana.kept.values()
        began = int(NOON.timestamp() * 1000)
        assert (kept["time"], kept["timeEnd"]) == (began, began + int(timedelta(minutes=5).total_seconds() * 1000))
        assert kept["tags"] == ["observatory", "high", "incident:a", "shop"]
        assert kept["text"].startswith("Resolved after 6 min · shop/cart: errors 12 %")
        made.send(message(incident=an_incident("b")))
        assert len(grafana.kept) == 2
        wrong = destination("grafana", url=server.url, token="another")
        with pytest.raises(DeliveryError, match=r"answered 401: .*Unauthorized") as error:
            wrong.send(message())
        assert not error.value.is_final
