"""Pages become HTML in which links lead somewhere, and nothing can run."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from observatory.help.markdown import to_html
from observatory.help.topics import Topic, topic, topics

TEXT = {"a", "blockquote", "code", "em", "h1", "h2", "h3", "li", "ol", "p", "pre", "strong", "ul"}
BOXES = {"div", "img", "span"}
TABLES = {"table", "tbody", "td", "th", "thead", "tr"}


class Seen(HTMLParser):
    """Elements and what they carry."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def leads_to(name: str, anchor: str) -> dict[str, str]:
    return {"href": f"{name}#{anchor}"}


def seen(text: str) -> Seen:
    return Seen(to_html(text, leads_to))


@pytest.mark.parametrize("page", topics(), ids=lambda page: page.name)
def test_every_page_is_made_of_plain_elements(page: Topic) -> None:
    found = seen(page.text)
    assert {tag for tag, _ in found.elements} - TEXT - BOXES - TABLES == set()
    assert not [name for _, attributes in found.elements for name in attributes if name.startswith("on")]
    assert "&lt;!--" not in to_html(page.text, leads_to)


@pytest.mark.parametrize("page", topics(), ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_section_or_opens_a_window_of_its_own(page: Topic) -> None:
    found = seen(page.text)
    for link in found.all("a"):
        if link["href"].startswith("http"):
            assert (link["target"], link["rel"]) == ("_blank", "noopener noreferrer")
            continue
        name, _, anchor = link["href"].partition("#")
        target = topic(name or page.name)
        assert not anchor or anchor in {section.anchor for section in target.sections}
        ids = [attributes.get("id") for _, attributes in seen(target.text).elements]
        assert not anchor or ids.count(anchor) == 1


def test_pictures_are_inside_the_page() -> None:
    pictures = [picture for page in topics() for picture in seen(page.text).all("img")]
    assert pictures
    assert all(picture["src"].startswith("data:image/svg+xml;base64,") and picture["alt"] for picture in pictures)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "[a](javascript:alert(1))",
        "[a](data:text/html;base64,AAAA)",
        "`<script>`",
        "```html\n<script>alert(1)</script>\n```",
        '```"><script>\n```',
    ],
)
def test_nothing_in_a_page_can_run(text: str) -> None:
    found = seen(f"# Page\n\n{text}")
    assert {tag for tag, _ in found.elements} <= {"h1", "p", "pre", "code"}


def test_tables_and_code_scroll_also_with_the_keyboard() -> None:
    found = seen("| a |\n|---|\n| 1 |\n\n```bash\nls\n```\n")
    boxes = [tag for tag, attributes in found.elements if attributes.get("tabindex") == "0"]
    assert boxes == ["div", "pre"]
