"""Messages lead to other programs, as far as a destination shows links and has room for them."""

from __future__ import annotations

import json
from dataclasses import replace

from support.messages import message

from observatory.integrations.apprise_text import text_for
from observatory.integrations.pagerduty import event
from observatory.integrations.slack import body
from observatory.model import Link
from observatory.notifications.message import Message
from observatory.notifications.payload import as_payload

LOGS, TRACES = Link("Logs", "https://logs.example/?q=cart&to=5"), Link("Traces & more", "https://jaeger.example/search")
HOME = "https://observatory.example"


def linked(*links: Link) -> Message:
    return replace(message(public_url=HOME), links=links or (LOGS, TRACES))


def test_plain_text_has_a_line_for_each() -> None:
    lines = linked().text.splitlines()
    assert lines[-2:] == ["Logs: https://logs.example/?q=cart&to=5", "Traces & more: https://jaeger.example/search"]
    assert lines[-3].startswith(HOME)


def test_slack_has_them_side_by_side_and_escaped() -> None:
    shown = json.dumps(body(linked()), ensure_ascii=False)
    assert "<https://logs.example/?q=cart&to=5|Logs> · <https://jaeger.example/search|Traces &amp; more>" in shown
    many = [Link(f"Link {number}", f"https://logs.example/{'x' * 900}/{number}") for number in range(9)]
    blocks = body(linked(*many))["attachments"][0]["blocks"]  # type: ignore[index]
    text = blocks[-1]["text"]["text"]
    assert len(text) <= 3000
    assert text.endswith("|Link 2>")  # none is cut


def test_pagerduty_has_ours_first() -> None:
    links = event(linked(), "k" * 32)["links"]
    assert [one["text"] for one in links] == ["Look at it", "Logs", "Traces & more"]
    assert "links" not in event(replace(message(), links=()), "k" * 32)


def test_mail_has_them_as_anchors_and_drops_them_before_facts() -> None:
    shown = text_for(linked(), "html", 30_000, 250).body
    assert '<a href="https://logs.example/?q=cart&amp;to=5">Logs</a>' in shown
    assert '<a href="https://jaeger.example/search">Traces &amp; more</a>' in shown
    huge = Link("Logs", f"https://logs.example/{'x' * 5000}")
    short = text_for(linked(huge), "text", 4000, 250).body
    assert "xxx" not in short
    assert "Since: " in short
    assert HOME in short


def test_records_have_them_with_their_titles() -> None:
    assert as_payload(linked())["links"][0] == {"title": "Logs", "url": "https://logs.example/?q=cart&to=5"}
