"""Slack, by an incoming webhook: its address is the secret, and one message a second is taken."""

from __future__ import annotations

from collections.abc import Sequence

from observatory.errors import DeliveryError
from observatory.integrations import INTEGRATIONS
from observatory.integrations.http import HttpDestination, HttpOptions
from observatory.model import Link
from observatory.notifications.message import Message, shortened

LONGEST_HEADER, LONGEST_TEXT, MOST_FACTS = 150, 3000, 40
COLOURS = {"critical": "#d13438", "high": "#e8833a", "medium": "#d9b310", "low": "#5b8def"}
OVER = "#2e9e6b"
ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


class SlackOptions(HttpOptions):
    """The webhook: make one under *Incoming Webhooks* of a Slack app."""


@INTEGRATIONS.register("slack")
class Slack(HttpDestination[SlackOptions]):
    """One message a transition, with the facts below its title."""

    options = SlackOptions

    def send(self, message: Message) -> None:
        """See `Destination.send`; Slack has no key by which it would leave out what it has had."""
        answer = self.post(body=body(message))
        if answer.text.strip() not in ("ok", ""):  # a proxy or a page that is no Slack answers 200 as well
            raise DeliveryError(f"{self.where} did not answer as Slack does: {shortened(answer.text.strip(), 100)}")


def body(message: Message) -> dict[str, object]:
    """The JSON of one message: text for notifications, and blocks for the channel."""
    facts = [f"*{escaped(fact.name)}:* {escaped(fact.text)}" for fact in message.facts[:MOST_FACTS]]
    title = shortened(escaped(message.title), LONGEST_TEXT)
    heading = f"*<{message.link}|{title}>*" if message.link else f"*{title}*"
    section = shortened(heading, LONGEST_TEXT) if len(heading) <= LONGEST_TEXT else shortened(title, LONGEST_TEXT)
    blocks: list[dict[str, object]] = [{"type": "section", "text": {"type": "mrkdwn", "text": section}}]
    if facts:
        text = shortened("\n".join(facts), LONGEST_TEXT)
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": text}})
    if links := _links(message.links):
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": links}})
    colour = OVER if message.is_over else COLOURS[str(message.severity)]
    return {"text": title, "attachments": [{"color": colour, "blocks": blocks}]}


def _links(links: Sequence[Link]) -> str:
    """Links side by side, as many as there is room for: half of one would lead nowhere."""
    text = ""
    for link in links:
        one = f"<{link.url.replace('|', '%7C').replace('>', '%3E')}|{escaped(link.title)}>"
        if len(text) + len(one) + 3 <= LONGEST_TEXT:
            text += f" · {one}" if text else one
    return text


def escaped(text: str) -> str:
    """A text that Slack shows as it is: no mention of a channel, no link, no markup of a tag."""
    return "".join(ESCAPES.get(letter, letter) for letter in text)
