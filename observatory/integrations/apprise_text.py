"""A message in the format that a service of apprise shows: HTML, Markdown or plain text, and no longer than it takes.

What names and notes say stays text in each: nothing of it becomes a tag, a link, a mention or a line of a header.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from observatory.model import Link
from observatory.notifications.message import Fact, Message, shortened
from observatory.plain import plain

Format = Literal["html", "markdown", "text"]

MOST = 4000
"""Characters of a message, for Telegram takes 4,096; bytes where it is plain text, for ntfy takes no more."""
MOST_BYTES = 12_000
"""Bytes of it as JSON: Teams takes 28 kB, in which it counts the text more than once."""
_MENTION = re.compile(r"(?<!\w)@(?=\w)")


@dataclass(frozen=True, slots=True)
class Text:
    """What a service is handed: a title, empty where the body begins with it, and the body."""

    title: str
    body: str


def text_for(message: Message, form: Format, longest: int, longest_title: int) -> Text:
    """A message as a service shows it.

    Parameters
    ----------
    message
        What is told.
    form
        How the body is written. Markdown is made of HTML by apprise, which escapes it.
    longest
        Characters of the body that the service takes.
    longest_title
        Characters of its title; 0: it has none, and the body begins with it.
    """
    has_title = longest_title > 0 and form != "markdown"  # services show Markdown in titles, where nothing escapes it
    title = _line(message.title)
    facts = list(message.facts)
    write = _as_text if form == "text" else _as_html
    links = [Link(message.link, message.link)] if message.link else []
    own = len(links)
    links += message.links
    whole = _Writer(write, "" if has_title else title, links, form == "markdown")
    most = min(longest, MOST)

    def fits(body: str) -> bool:
        length = len(body.encode()) if form == "text" else len(body)
        return length <= most and len(json.dumps(body)) <= MOST_BYTES

    while len(links) > own and not fits(whole(facts, 0)):
        links.pop()
    dropped = 0
    while facts and not fits(whole(facts, dropped)):
        facts.pop()
        dropped += 1
    body = whole(facts, dropped)
    if not fits(body):  # a short message of a phone: the title is all there is room for
        body = write([], shortened(title, max(1, most // 2)), [], 0)
    return Text(shortened(title, longest_title) if has_title else "", body)


@dataclass(frozen=True, slots=True)
class _Writer:
    write: Callable[[Sequence[Fact], str, Sequence[Link], int], str]
    title: str
    links: Sequence[Link]
    is_markdown: bool

    def __call__(self, facts: Sequence[Fact], dropped: int) -> str:
        lines = [Fact(_line(fact.name), _line(fact.text)) for fact in facts]
        title = self.title
        if self.is_markdown:
            lines = [Fact(_unmentioned(fact.name), _unmentioned(fact.text)) for fact in lines]
            title = _unmentioned(title)
        return self.write(lines, title, self.links, dropped)


def _as_html(facts: Sequence[Fact], title: str, links: Sequence[Link], dropped: int) -> str:
    lines = [f"<b>{escape(title)}</b>"] if title else []
    lines += [f"<b>{escape(fact.name)}:</b> {escape(fact.text)}" for fact in facts]
    lines += [_more(dropped)] if dropped else []
    lines += [f'<a href="{escape(link.url)}">{escape(link.title)}</a>' for link in links]
    return "\n".join(f"<p>{line}</p>" for line in lines)


def _as_text(facts: Sequence[Fact], title: str, links: Sequence[Link], dropped: int) -> str:
    lines = [title] if title else []
    lines += [f"{fact.name}: {fact.text}" for fact in facts]
    lines += [_more(dropped)] if dropped else []
    lines += [link.url if link.title == link.url else f"{link.title}: {link.url}" for link in links]
    return "\n".join(lines)


def _more(dropped: int) -> str:
    return f"{dropped} more {'line' if dropped == 1 else 'lines'} did not fit"


def _line(text: str) -> str:
    """A text on one line, with nothing in it that steers or hides."""
    return plain(" ".join(text.split()), keep="")


def _unmentioned(text: str) -> str:
    """A text that calls nobody: services of chats call all who are in one for ``@everyone``."""
    return _MENTION.sub("@\u200b", text)
