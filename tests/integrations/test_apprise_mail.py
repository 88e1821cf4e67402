"""Mail through apprise to a real SMTP server: log-in, STARTTLS, refusals, and what the mails hold."""

from __future__ import annotations

import html.parser
from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest
from support.destinations import an_incident
from support.hostile import TEXTS
from support.mail import MailServer
from support.messages import destination, message
from support.secure import Certificates
from support.servers import FaultyServer, Reply, free_port

from observatory.errors import DeliveryError

URL = "https://observatory.example"
PICTURE = b"\x89PNG\r\n\x1a\n" + b"\x00" * 100


def test_a_mail_has_what_mails_need_and_those_of_one_incident_belong_together() -> None:
    with MailServer() as server:
        made = destination("apprise", url=server.address("oncall@shop.example", cc="team@shop.example"))
        assert made.where == "E-Mail at 127.0.0.1"
        made.send(message(public_url=URL))
        made.send(message("resolved"))
        made.send(message(incident=an_incident("b")))
        opened, resolved, other = server.mails
        assert server.recipients[0] == ["oncall@shop.example", "team@shop.example"]
    assert opened["Subject"] == "HIGH · shop/cart: errors 12 %"
    assert opened["From"].addresses[0].addr_spec == "observatory@shop.example"
    assert parsedate_to_datetime(opened["Date"]).tzinfo is not None
    assert len({mail["Message-ID"] for mail in server.mails}) == 3
    assert opened["Auto-Submitted"] == "auto-generated"
    assert opened["X-Auto-Response-Suppress"] == "All"
    assert opened["X-Observatory-Key"] == "a-1"
    assert opened["References"] == resolved["References"] == opened["In-Reply-To"]
    assert other["References"] != opened["References"]
    body, page = opened.get_body(("plain",)), opened.get_body(("html",))
    assert body is not None
    assert page is not None
    assert "Since: 2026-03-01 12:00 UTC" in body.get_content()
    assert f"{URL}/?incident=a" in body.get_content()
    assert f'<a href="{URL}/?incident=a">' in page.get_content()


@pytest.mark.slow
def test_a_log_in_over_starttls(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    with MailServer(certificates.context(), "pass-word") as server:
        made = destination("apprise", url=server.address(login="observatory:pass-word"))
        with pytest.raises(DeliveryError, match=r"E-Mail at 127.0.0.1 has a certificate that is not") as error:
            made.send(message())
        assert not error.value.is_final
        assert server.logins == 0, "no password over a connection that is not trusted"
        monkeypatch.setenv("SSL_CERT_FILE", certificates.authority)
        made.send(message())
        assert len(server.mails) == 1
        wrong = destination("apprise", url=server.address(login="observatory:wr0ng-pass"))
        with pytest.raises(DeliveryError, match=r"E-Mail at 127.0.0.1 answered 535: ") as error:
            wrong.send(message())
        assert not error.value.is_final
        assert "wr0ng" not in str(error.value)


def test_a_server_without_starttls_gets_no_mail() -> None:
    with MailServer() as server:
        made = destination("apprise", url=server.address().replace("mailto:", "mailtos:"))
        with pytest.raises(DeliveryError, match="offers no STARTTLS"):
            made.send(message())
        assert server.mails == []


@pytest.mark.parametrize(
    ("who", "reply", "is_final"),
    [
        ("oncall@shop.example", "550 no such user", False),
        ("oncall@shop.example", "451 greylisted, come back", False),
        ("DATA", "554 refused by policy", False),
        ("DATA", "552 too large", True),
    ],
)
def test_what_a_mail_server_refuses(who: str, reply: str, is_final: bool) -> None:
    with MailServer(refuse=lambda asked: reply if asked == who else "") as server:
        made = destination("apprise", url=server.address())
        with pytest.raises(DeliveryError, match=f"answered {reply[:3]}: {reply[4:]}") as error:
            made.send(message())
    assert error.value.is_final is is_final


def test_of_two_recipients_the_one_that_was_taken_is_told_once() -> None:
    refused = {"new@shop.example": "451 later"}
    with MailServer(refuse=lambda asked: refused.get(asked, "")) as server:
        made = destination("apprise", url=server.address("oncall@shop.example", "new@shop.example"))
        for _ in range(3):
            with pytest.raises(DeliveryError, match="answered 451: later"):
                made.send(message())
        assert server.recipients == [["oncall@shop.example"]]
        refused.clear()
        made.send(message())
        assert server.recipients == [["oncall@shop.example"], ["new@shop.example"]]


def test_a_copy_that_is_refused_sends_nobody_the_mail_again() -> None:
    with MailServer(refuse=lambda asked: "550 gone" if asked == "team@shop.example" else "") as server:
        made = destination("apprise", url=server.address(cc="team@shop.example"))
        with pytest.raises(DeliveryError, match=r"refused team@shop.example with 550: gone") as error:
            made.send(message())
        assert error.value.is_final
        assert server.recipients == [["oncall@shop.example"]]


def test_a_mail_server_that_is_not_there_or_says_nothing() -> None:
    url = "mailto://u:s3cret-pass@127.0.0.1:{port}?from=a@shop.example&to=b@shop.example"
    with pytest.raises(DeliveryError, match="cannot be reached: Connection refused") as error:
        destination("apprise", url=url.format(port=free_port())).send(message())
    assert "s3cret" not in str(error.value)
    with FaultyServer(Reply(silent=True)) as silent:
        made = destination("apprise", url=url.format(port=silent.url.rpartition(":")[2]), timeout=0.2)
        with pytest.raises(DeliveryError, match=r"did not answer within 0.2 s"):
            made.send(message())


class Page(html.parser.HTMLParser):
    """The tags of a page and its text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.slow
def test_hostile_texts_stay_texts_in_mails() -> None:
    with MailServer() as server:
        made = destination("apprise", url=server.address())
        for text in TEXTS:
            made.send(message(incident=an_incident(service=f"shop/{text}")))
        assert len(server.mails) == len(TEXTS)
    for text, mail in zip(TEXTS, server.mails, strict=True):
        page = mail.get_body(("html",))
        assert page is not None
        seen = Page(page.get_content())
        assert seen.tags <= {"html", "body", "p", "b"}, text
        if text.isprintable() and "  " not in text:
            assert f"shop/{text}" in seen.text


@pytest.mark.parametrize(
    "name", ["x\r\nBcc: all@shop.example", "x\nBcc: a@b.example\n\nBody", "x\u2028Bcc: a@b.example"]
)
def test_a_name_with_line_breaks_makes_no_header(name: str) -> None:
    with MailServer() as server:
        destination("apprise", url=server.address()).send(message(incident=an_incident(service=name)))
        (mail,) = server.mails
        assert server.recipients == [["oncall@shop.example"]]
    assert mail["Bcc"] is None
    assert "Bcc: a" in mail["Subject"]


def test_a_picture_stands_in_the_mail() -> None:
    with MailServer() as server:
        made = destination("apprise", url=server.address())
        assert made.takes_picture
        made.send(replace(message(), picture=PICTURE))
        (mail,) = server.mails
    (attached,) = [part for part in mail.walk() if part.get_content_maintype() == "image"]
    assert attached.get_content() == PICTURE
    page = mail.get_body(("html",))
    assert page is not None
    assert page.get_content().count("<img") == 1
    assert f'<img src="cid:{attached["Content-ID"].strip("<>")}" alt=' in page.get_content()
    assert not destination("apprise", url="mailto://u@mail.example", picture=False).takes_picture
