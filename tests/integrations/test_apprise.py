"""Teams, Telegram, ntfy and others through apprise: each failure is told apart, and no secret is shown."""

from __future__ import annotations

import html.parser
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from apprise.plugins.telegram import NotifyTelegram
from markdown_it import MarkdownIt
from support.destinations import an_incident
from support.hostile import TEXTS
from support.incidents import NOON
from support.messages import destination, message
from support.secure import Certificates
from support.servers import FaultyServer, Reply, Request, free_port

from observatory.errors import ConfigError, DeliveryError
from observatory.integrations.apprise import SHOWN_BY_TEAMS, service_at
from observatory.model import Incident, Severity, Symptom

TOKEN = "123456789:AAF-a_secret_of_telegram_0123456789"
OK = Reply(200, b'{"id": "x"}')


def ntfy(server: FaultyServer, **options: Any) -> Any:
    return destination("apprise", url=f"ntfy://{server.url.partition('://')[2]}/a-secret-topic", **options)


def huge(service: str = "shop/cart") -> Incident:
    many = tuple(
        Symptom(f"{service}-{n}", NOON, NOON, True, Severity.HIGH, "multiscale", "é_*[" * 400) for n in range(9)
    )
    return replace(an_incident(service=service), symptoms=many)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_would_be_refused_again_is_final(status: int) -> None:
    words = rf"ntfy at 127.0.0.1 answered {status}: .*no such thing"
    reply = Reply(status, b'{"error": "no such thing"}')
    with FaultyServer(reply) as server, pytest.raises(DeliveryError, match=words) as error:
        ntfy(server).send(message())
    assert error.value.is_final


@pytest.mark.parametrize("status", [302, 401, 403, 404, 408, 429, 500, 502, 503])
def test_what_may_be_mended_is_tried_again(status: int) -> None:
    with FaultyServer(Reply(status, b"", {"Location": "/elsewhere"})) as server:
        with pytest.raises(DeliveryError, match=f"answered {status}") as error:
            ntfy(server).send(message())
        assert len(server.requests) == 1, "redirects are not followed, and nothing is repeated"
    assert not error.value.is_final


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(silent=True), "did not answer within 0.2 s"),
        (Reply(200, b"x" * 100, {"Content-Length": "100"}, cut=10), "broke off its answer"),
        (Reply(0), "closed the connection without an answer"),
    ],
    ids=["silent", "half an answer", "nothing"],
)
def test_half_an_answer_is_a_failure_that_is_tried_again(reply: Reply, words: str) -> None:
    with FaultyServer(reply) as server, pytest.raises(DeliveryError, match=words) as error:
        ntfy(server, timeout=0.2).send(message())
    assert not error.value.is_final
    assert "secret" not in str(error.value)


def test_a_receiver_that_is_not_there_is_named_without_its_address() -> None:
    made = destination("apprise", url=f"ntfy://user:pass-word@127.0.0.1:{free_port()}/a-secret-topic")
    with pytest.raises(DeliveryError, match=r"^ntfy at 127.0.0.1 cannot be reached: Connection refused$"):
        made.send(message())
    assert made.where == "ntfy at 127.0.0.1"


def test_a_secret_that_the_receiver_repeats_is_not_shown() -> None:
    reply = Reply(403, b'{"error": "a-secret-topic is not for you"}')
    with FaultyServer(reply) as server, pytest.raises(DeliveryError, match=r"… is not for you") as error:
        ntfy(server).send(message())
    assert "a-secret-topic" not in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["ntfys", "jsons"])
def test_a_certificate_that_is_not_trusted_is_a_failure_and_a_trusted_one_is_none(
    scheme: str, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultyServer(OK, tls=certificates.context()) as server:
        made = destination("apprise", url=f"{scheme}://{server.url.partition('://')[2]}/a-secret-topic")
        with pytest.raises(DeliveryError, match="has a certificate that is not trusted: ") as error:
            made.send(message())
        assert not error.value.is_final
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificates.authority)
        made.send(message())
        assert len(server.requests) == 1


def test_settings_name_what_is_wrong_and_show_no_secret(tmp_path: Path) -> None:
    for options, words in (
        ({}, "url, urls or url_file is missing"),
        ({"url": "s3cret-token"}, r"url is no address that apprise knows.*https://appriseit.com"),
        ({"url": "tgram://s3cret/x"}, r"url begins with tgram://, but the rest .*services/telegram"),
        ({"urls": ["ntfys://topic", "nope://s3cret"]}, "urls number 2 is no address"),
        ({"url": "jsons://s3cret.example/?verify=no"}, "has verify=no: certificates are always checked"),
        ({"url": "mqtt://s3cret/x"}, "needs a package that is not installed: paho-mqtt"),
        ({"url": "ntfys://s3cret", "url_file": tmp_path}, "url and url_file are set: keep one"),
        ({"url": "ntfys://s3cret", "urll": "x"}, "urll: there is no such setting"),
    ):
        with pytest.raises(ConfigError, match=rf"\[notify.desk\] .*{words}") as error:
            destination("apprise", **options)
        assert "s3cret" not in str(error.value)


def test_addresses_in_a_file_are_read_for_each_message(tmp_path: Path) -> None:
    file = tmp_path / "addresses"
    made = destination("apprise", url_file=file)
    with pytest.raises(DeliveryError, match="cannot be read: No such file"):
        made.send(message())
    file.write_text("nonsense://s3cret\n")
    with pytest.raises(DeliveryError, match=r"an address in the file .* is no address that apprise knows") as error:
        made.send(message())
    assert "s3cret" not in str(error.value)
    with FaultyServer(OK) as server:
        host = server.url.partition("://")[2]
        file.write_text(f"# on call\nntfy://{host}/first\n\nntfy://{host}/second\n")
        made.send(message())
        assert sorted(json.loads(request.body)["topic"] for request in server.requests) == ["first", "second"]
    assert made.where == "ntfy at 127.0.0.1, ntfy at 127.0.0.1"


def test_a_receiver_that_had_the_message_does_not_get_it_with_the_next_attempt() -> None:
    taken: list[str] = []
    is_down = True

    def choose(request: Request) -> Reply:
        topic = json.loads(request.body)["topic"]
        if topic.startswith("down") and is_down:
            return Reply(503)
        taken.append(topic)
        return OK

    with FaultyServer(choose=choose) as server:
        host = server.url.partition("://")[2]
        made = destination("apprise", urls=[f"ntfy://{host}/one,down-a", f"ntfy://{host}/down-b", f"ntfy://{host}/two"])
        for _ in range(3):
            with pytest.raises(DeliveryError, match=r"answered 503.*; ntfy at 127.0.0.1 answered 503"):
                made.send(message())
        assert sorted(taken) == ["one", "two"]
        is_down = False
        made.send(message())
        assert sorted(taken) == ["down-a", "down-b", "one", "two"]
        made.send(message("resolved"))
        assert len(taken) == 8, "another message goes to all"


def test_what_apprise_logs_of_a_call_goes_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    with FaultyServer(Reply(500)) as server, caplog.at_level(logging.DEBUG):
        with pytest.raises(DeliveryError):
            ntfy(server).send(message())
        assert not [record for record in caplog.records if record.name == "apprise"]
        logging.getLogger("apprise").warning("of another program")
        assert [record.message for record in caplog.records if record.name == "apprise"] == ["of another program"]


class Bot(html.parser.HTMLParser):
    """Telegram's ``sendMessage``, as https://core.telegram.org/bots/api describes it."""

    tags = frozenset({"b", "i", "u", "s", "a", "code", "pre", "blockquote"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.shown: list[str] = []
        self.links: list[str] = []
        self.answer: Reply | None = None

    def __call__(self, request: Request) -> Reply:
        if request.path != f"/bot{TOKEN}/sendMessage":
            return self._refused(401, "Unauthorized")
        if self.answer is not None:
            return self.answer
        body = json.loads(request.body)
        if not body.get("chat_id") or body.get("parse_mode") != "HTML":
            return self._refused(400, "Bad Request: chat not found")
        self._open: list[str] = []
        self._text = ""
        self._wrong = ""
        self.feed(body["text"])
        self.close()
        self.reset()
        if self._open or self._wrong:
            return self._refused(400, f"Bad Request: can't parse entities: {self._wrong or self._open}")
        if len(self._text) > 4096:
            return self._refused(400, "Bad Request: message is too long")
        self.shown.append(self._text)
        return Reply(200, b'{"ok": true, "result": {"message_id": 1}}')

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.tags:
            self._wrong = f'Unsupported start tag "{tag}"'
        self.links += [value or "" for name, value in attrs if name == "href"]
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self._wrong = f'Unexpected end tag "{tag}"'

    def handle_data(self, data: str) -> None:
        self._text += data

    @staticmethod
    def _refused(status: int, why: str) -> Reply:
        return Reply(status, json.dumps({"ok": False, "error_code": status, "description": why}).encode())


@contextmanager
def telegram(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Bot, Any]]:
    """A bot, and a destination whose fixed host is replaced by the bot's."""
    bot = Bot()
    with FaultyServer(choose=bot) as server:
        monkeypatch.setattr(NotifyTelegram, "notify_url", f"{server.url}/bot")
        yield bot, destination("apprise", url=f"tgram://{TOKEN}/-1001234567")


def test_telegram_gets_what_its_api_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    with telegram(monkeypatch) as (bot, made):
        made.send(message(incident=an_incident(service="shop/a_b*c"), public_url="https://observatory.example"))
        (shown,) = bot.shown
        assert shown.splitlines()[0] == "HIGH · shop/a_b*c: errors 12 %"
        assert bot.links == ["https://observatory.example/?incident=a"]
        assert made.where == "Telegram", "its host is the token"


@pytest.mark.slow
def test_hostile_texts_stay_texts_at_telegram(monkeypatch: pytest.MonkeyPatch) -> None:
    with telegram(monkeypatch) as (bot, made):
        for text in TEXTS:
            made.send(message(incident=an_incident(service=f"shop/{text}")))
        assert bot.links == []
        assert len(bot.shown) == len(TEXTS)
        printable = [text for text in TEXTS if text.isprintable() and "  " not in text]
        assert [text for text in printable if not any(f"shop/{text}" in shown for shown in bot.shown)] == []


def test_a_long_message_is_cut_for_telegram_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with telegram(monkeypatch) as (bot, made):
        made.send(message(incident=huge(), public_url="https://observatory.example"))
        (shown,) = bot.shown
        assert "more lines did not fit" in shown
        assert shown.rstrip().endswith("https://observatory.example/?incident=a")


def test_telegram_says_when_it_wants_to_be_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"ok": False, "error_code": 429, "description": f"of {TOKEN}", "parameters": {"retry_after": 37}}
    with telegram(monkeypatch) as (bot, made):
        bot.answer = Reply(429, json.dumps(said).encode())
        with pytest.raises(DeliveryError, match="Telegram answered 429") as error:
            made.send(message())
    assert error.value.wait == 37
    assert not error.value.is_final
    assert "AAF-a_secret" not in str(error.value)


@pytest.mark.parametrize("route", ["", "/cu/08"])
def test_the_addresses_of_teams_workflows_are_taken_as_they_are(route: str) -> None:
    host = "default98.73.environment.api.powerplatform.com"
    path = f"/powerautomate/automations/direct{route}/workflows/0987643e69f83c8944/triggers/manual/paths/invoke"
    url = f"https://{host}:443{path}?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=a-secret-signature_1234"
    made = destination("apprise", url=url)
    assert made.where == f"Power Automate / Workflows (for MSTeams) at {host}"
    assert service_at(url, 10).body_maxlen == SHOWN_BY_TEAMS
    with pytest.raises(ConfigError, match="is no address that apprise knows"):
        destination("apprise", url="https://shop.webhook.office.com/webhookb2/a@b/IncomingWebhook/c/d")


@contextmanager
def teams(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[FaultyServer, Any]]:
    """A workflow of Teams, which apprise can be led to any host."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificates.authority)
    with FaultyServer(Reply(202), tls=certificates.context()) as server:
        host = server.url.partition("://")[2]
        yield server, destination("apprise", url=f"workflows://{host}/643e69f83c8944/a-secret-signature")


def card(request: Request) -> dict[str, Any]:
    """The adaptive card of a request, which is checked as a workflow of the template "Post to a channel" does."""
    body = json.loads(request.body)
    assert body["type"] == "message"
    (attachment,) = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    content: dict[str, Any] = attachment["content"]
    assert (content["type"], content["version"]) == ("AdaptiveCard", "1.4")
    assert all(block["type"] in ("TextBlock", "Image") for block in content["body"])
    assert all(block["text"] for block in content["body"] if block["type"] == "TextBlock")
    assert len(request.body) < 20_000, "Teams takes 28 kB, of which it counts some twice"
    return content


@pytest.mark.slow
def test_teams_gets_a_card(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    with teams(certificates, monkeypatch) as (server, made):
        made.send(message(incident=an_incident(service="shop/a_b"), public_url="https://observatory.example"))
        made.send(message(incident=huge()))
        first, second = server.requests
    assert first.path.startswith("/workflows/643e69f83c8944/triggers/manual/paths/invoke?")
    assert "sig=a-secret-signature" in first.path
    content = card(first)
    (text,) = [block["text"] for block in content["body"]]
    assert text.startswith(r"**HIGH · shop/a\_b: errors 12 %**")
    assert "https://observatory.example/?incident=a" in text
    assert not [block for block in content["body"] if block["type"] == "Image"], "nobody loads a picture of apprise's"
    assert card(second)


@pytest.mark.slow
def test_hostile_texts_stay_texts_at_teams(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = [*TEXTS, "<at>everyone</at>", "[x](https://evil.example)", "@everyone", "![x](https://evil.example)"]
    with teams(certificates, monkeypatch) as (server, made):
        for text in hostile:
            made.send(message(incident=an_incident(service=f"shop/{text}")))
        cards = [card(request) for request in server.requests]
    assert len(cards) == len(hostile)
    texts = [content["body"][0]["text"] for content in cards]
    blocks = [block for text in texts for block in MarkdownIt().parse(text)]
    kinds = {token.type for block in blocks for token in (block, *(block.children or ()))}
    assert kinds <= {"paragraph_open", "paragraph_close", "inline", "text", "strong_open", "strong_close"}
    assert not any("@everyone" in text for text in texts)
    assert all("entities" not in content["msteams"] for content in cards), "nobody is mentioned"


@pytest.mark.parametrize("text", TEXTS[::5])
def test_ntfy_gets_plain_text(text: str) -> None:
    with FaultyServer(OK) as server:
        ntfy(server).send(message(incident=an_incident(service=f"shop/{text}")))
        body = json.loads(server.requests[0].body)
    assert body["topic"] == "a-secret-topic"
    assert "\n" not in body["title"]
    assert body["message"].startswith("Since: 2026-03-01 12:00 UTC")
    assert all(line.partition(":")[0] for line in body["message"].splitlines()), "no line begins with a forged fact"
    assert "icon" not in body


def test_a_program_gets_text_without_markup() -> None:
    with FaultyServer(OK) as server:
        destination("apprise", url=f"json://{server.url.partition('://')[2]}/x").send(message())
        body = json.loads(server.requests[0].body)
    assert body["title"] == "HIGH · shop/cart: errors 12 %"
    assert body["message"].startswith("Since: 2026-03-01 12:00 UTC")
    assert body["type"] == "failure"


def test_many_messages_are_not_held_up_by_apprise(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    with FaultyServer(OK) as server:
        made = ntfy(server)
        for _ in range(3):
            made.send(message())
    assert slept == []


PICTURE = b"\x89PNG\r\n\x1a\n" + b"\x00" * 100


def test_ntfy_gets_a_picture_with_the_text_in_one_message() -> None:
    with FaultyServer(OK) as server:
        made = ntfy(server)
        assert made.takes_picture
        made.send(replace(message(incident=an_incident(service="shop/ä")), picture=PICTURE))
        (request,) = server.requests
    assert request.body == PICTURE
    parts = urlsplit(request.path)
    assert parts.path == "/a-secret-topic"
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert asked["filename"] == "worst-metric.png"
    assert asked["title"] == "HIGH · shop/ä: errors 12 %"
    assert asked["message"].startswith("Since: ")


def test_a_server_that_takes_no_picture_is_told_without(caplog: pytest.LogCaptureFixture) -> None:
    def choose(request: Request) -> Reply:
        is_picture = request.body == PICTURE
        return Reply(400, b'{"code": 40014, "http": 400, "error": "attachments not allowed"}') if is_picture else OK

    with FaultyServer(choose=choose) as server:
        made = ntfy(server)
        for kind in ("opened", "resolved"):
            made.send(replace(message(kind), picture=PICTURE))  # type: ignore[arg-type]
        assert [request.body == PICTURE for request in server.requests] == [True, False, False]
    assert "desk: told without a picture, for with one ntfy at 127.0.0.1 answered 400" in caplog.text


def test_a_picture_is_tried_once() -> None:
    with FaultyServer(Reply(429), OK) as server:
        made = ntfy(server)
        with pytest.raises(DeliveryError, match="answered 429"):
            made.send(replace(message(), picture=PICTURE))
        made.send(replace(message(), picture=PICTURE))
        made.send(replace(message("resolved"), picture=PICTURE))
        assert [request.body == PICTURE for request in server.requests] == [True, False, True]


def test_telegram_gets_a_picture_with_the_text_below_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer(Reply(200, b'{"ok": true, "result": {"message_id": 1}}')) as server:
        monkeypatch.setattr(NotifyTelegram, "notify_url", f"{server.url}/bot")
        made = destination("apprise", url=f"tgram://{TOKEN}/-1001234567")
        made.send(replace(message(), picture=PICTURE))
        (request,) = server.requests
    assert request.path == f"/bot{TOKEN}/sendPhoto"
    kind = request.headers["Content-Type"]
    form = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + request.body)
    fields = {part.get_param("name", header="content-disposition"): part for part in form.walk()}
    assert fields["photo"].get_payload(decode=True) == PICTURE
    assert fields["parse_mode"].get_payload(decode=True) == b"HTML"
    assert b"<b>HIGH" in bytes(fields["caption"].get_payload(decode=True))


def test_where_no_picture_is_taken_none_is_asked_for(tmp_path: Path) -> None:
    assert not destination("apprise", url="workflows://teams.example/643e69f83c8944/signature").takes_picture
    assert not destination("apprise", url_file=tmp_path / "missing").takes_picture
