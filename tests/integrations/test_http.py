"""Destinations over HTTP: each way in which a receiver fails is told apart, and no secret is shown."""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from support.destinations import an_incident
from support.incidents import NOON
from support.messages import destination, message
from support.servers import FaultyServer, Reply, free_port

from observatory.config.notify import NotifySettings
from observatory.errors import ConfigError, DeliveryError
from observatory.integrations import INTEGRATIONS
from observatory.model import EventKind, Severity, Symptom

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
KEY = "r" * 32
PATH = "/services/T000/B000/a-secret-path"


def sent(kind: str, reply: Reply, **options: Any) -> list[Any]:
    """What a server that answers so was sent; raises what the destination raises."""
    with FaultyServer(reply) as server:
        made = destination(kind, url=server.url + PATH, **options)
        try:
            made.send(message())
        finally:
            made.close()
        return list(server.requests)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_would_be_refused_again_is_final(status: int) -> None:
    with pytest.raises(DeliveryError, match=f"answered {status}: no_text") as error:
        sent("slack", Reply(status, b"no_text"))
    assert error.value.is_final


@pytest.mark.parametrize("status", [302, 401, 403, 404, 408, 429, 500, 502, 503])
def test_what_may_be_mended_is_tried_again(status: int) -> None:
    with pytest.raises(DeliveryError, match=f"answered {status}") as error:
        sent("slack", Reply(status, b"", {"Location": "/elsewhere"}))
    assert not error.value.is_final


@pytest.mark.parametrize("is_date", [False, True], ids=["seconds", "date"])
def test_a_receiver_says_how_long_it_wants_to_be_left_alone(is_date: bool) -> None:
    text = format_datetime(datetime.now(UTC) + timedelta(seconds=3000), usegmt=True) if is_date else "3000"
    with pytest.raises(DeliveryError) as error:
        sent("webhook", Reply(429, b"", {"Retry-After": text}))
    assert error.value.wait is not None
    assert 1000 <= error.value.wait <= 3000


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(silent=True), "did not answer within 0.2 s"),
        (Reply(200, b"x" * 100, cut=10), "broke off its answer"),
        (Reply(0), "cannot be reached"),
        (Reply(200, b"<html>a page of a proxy</html>"), "did not answer as Slack does"),
    ],
    ids=["silent", "half an answer", "nothing", "a page"],
)
def test_half_an_answer_is_a_failure_that_is_tried_again(reply: Reply, words: str) -> None:
    with pytest.raises(DeliveryError, match=words) as error:
        sent("slack", reply, timeout=0.2)
    assert not error.value.is_final
    assert "secret-path" not in str(error.value)


def test_a_receiver_that_is_not_there_is_named_without_its_address() -> None:
    made = destination("slack", url=f"http://127.0.0.1:{free_port()}{PATH}")
    with pytest.raises(DeliveryError, match="cannot be reached: Connection refused") as error:
        made.send(message())
    assert "secret" not in str(error.value)
    assert "secret" not in made.where


def test_a_secret_that_the_receiver_repeats_is_not_shown() -> None:
    said = json.dumps({"error": f"no such {PATH} with t0ken-of-mine"}).encode()
    with pytest.raises(DeliveryError) as error:
        sent("webhook", Reply(403, said), token="t0ken-of-mine")
    assert "a-secret-path" not in str(error.value)
    assert "t0ken" not in str(error.value)


def test_settings_show_no_secret_and_name_what_is_wrong() -> None:
    settings = NotifySettings(kind="pagerduty", routing_key=KEY[:-1] + "!")  # type: ignore[call-arg]
    assert KEY[:8] not in repr(settings)
    for options, words in (
        ({"kind": "slack"}, r"\[notify.desk\] url or url_file is missing"),
        ({"kind": "slack", "url": "hooks.slack.com/x"}, "url is no address"),
        ({"kind": "slack", "url": "https://x.example/s3cret", "cannel": "x"}, "cannel: there is no such setting"),
        ({"kind": "pagerduty", "routing_key": "short-key"}, "routing_key is not 32 characters long"),
        ({"kind": "pagerduty"}, "set routing_key or routing_key_file"),
        ({"kind": "webhook", "url": "https://x.example", "secret": "whsec_c2hvcnQ="}, "has 5 bytes: it needs 24"),
        ({"kind": "webhook", "url": "https://x.example", "secret": "plain-secret"}, "begins with whsec_"),
        ({"kind": "alertmanager", "labels": {"service": "x"}}, "labels: 'service' is taken"),
        ({"kind": "nonsense"}, "kind: unknown kind of destination 'nonsense': choose one of alertmanager"),
    ):
        with pytest.raises(ConfigError, match=words) as error:
            destination(**options)
        assert not any(secret in str(error.value) for secret in ("s3cret", "short-key", "plain-secret", "c2hvcnQ"))


def test_an_address_in_a_file_is_read_for_each_message(tmp_path: Path) -> None:
    file = tmp_path / "address"
    with FaultyServer(Reply(200, b"ok")) as server:
        made = destination("slack", url_file=file)
        with pytest.raises(DeliveryError, match="cannot be read: No such file"):
            made.send(message())
        file.write_text(f"{server.url}/later\n")
        made.send(message())
        assert [request.path for request in server.requests] == ["/later"]


def test_a_webhook_is_signed_and_keeps_its_id_over_attempts() -> None:
    first, second = (sent("webhook", Reply(200), secret=SECRET)[0] for _ in range(2))
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "a-1"
    for request in (first, second):
        signed = b".".join(
            (request.headers["webhook-id"].encode(), request.headers["webhook-timestamp"].encode(), request.body)
        )
        digest = base64.b64encode(hmac.digest(b"k" * 32, signed, "sha256")).decode()
        assert request.headers["webhook-signature"] == f"v1,{digest}"
        assert abs(int(request.headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 3600
    body = json.loads(first.body)
    assert (body["type"], body["timestamp"]) == ("incident.opened", "2026-03-01T12:00:00Z")
    assert body["data"]["services"] == ["shop/cart"]


def test_slack_shows_texts_as_they_are() -> None:
    hostile = "<!channel> & <https://evil.example|click>"
    with FaultyServer(Reply(200, b"ok")) as server:
        made = destination("slack", url=server.url)
        made.send(message(incident=an_incident(service=hostile), public_url="https://observatory.example"))
        (request,) = server.requests
    text = request.body.decode()
    assert "<!channel>" not in text
    assert "<https://evil" not in text
    assert "&lt;!channel&gt;" in text
    blocks = json.loads(request.body)["attachments"][0]["blocks"]
    assert blocks[0]["text"]["text"].startswith("*<https://observatory.example/?incident=a|")


@pytest.mark.parametrize(
    ("kind", "action"), [("opened", "trigger"), ("acknowledged", "acknowledge"), ("resolved", "resolve")]
)
def test_pagerduty_gets_events_that_its_schema_allows(kind: EventKind, action: str) -> None:
    with FaultyServer(Reply(202, b'{"status": "success"}')) as server:
        made = destination("pagerduty", url=server.url, routing_key=KEY)
        made.send(message(kind))
        (request,) = server.requests
    assert request.path == "/v2/enqueue"
    event = json.loads(request.body)
    assert (event["routing_key"], event["event_action"], event["dedup_key"]) == (KEY, action, "a")
    if action == "trigger":
        payload = event["payload"]
        assert payload["summary"] == "HIGH · shop/cart: errors 12 %"
        assert payload["severity"] in ("critical", "error", "warning", "info")
        assert payload["source"] == "shop/cart"
        assert payload["timestamp"] == "2026-03-01T12:00:00Z"


def test_texts_that_are_too_long_are_cut_not_refused() -> None:
    incident = an_incident(service="shop/" + "x" * 200)
    many = tuple(Symptom(f"shop/s{n}", NOON, NOON, True, Severity.HIGH, "multiscale", "y" * 5000) for n in range(300))
    huge = replace(incident, symptoms=many)
    for kind, options, most in (
        ("slack", {}, 40_000),
        ("webhook", {}, 20_000),
        ("loki", {}, 256_000),
        ("pagerduty", {"routing_key": KEY}, 512_000),
    ):
        with FaultyServer(Reply(200, b"ok")) as server:
            destination(kind, url=server.url, **options).send(message(incident=huge))
            (request,) = server.requests
        assert len(request.body) < most, kind
        if kind == "pagerduty":
            assert len(json.loads(request.body)["payload"]["summary"]) <= 1024
        if kind == "slack":
            blocks = json.loads(request.body)["attachments"][0]["blocks"]
            assert all(len(block["text"]["text"]) <= 3000 for block in blocks)


def test_every_kind_says_what_it_is_and_describes_its_settings() -> None:
    for name in INTEGRATIONS:
        kind = INTEGRATIONS.get(name)
        assert kind.__doc__
        assert all(field.description for field in kind.options.model_fields.values()), name
