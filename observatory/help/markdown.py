"""Markdown of the guides as sections of plain text, and as HTML that holds nothing but what Markdown can say."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

Link = Callable[[str, str], Mapping[str, str]]
"""Attributes of a link to a page (empty: the same one) and an anchor on it (empty: its beginning)."""

PICTURES = "pictures/"
MEDIA_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


class Renderer(RendererHTML):
    """HTML whose tables, code and pictures can scroll in boxes of their own, also with the keyboard."""

    def table_open(self, *_: Any) -> str:
        return '<div class="scroll" tabindex="0"><table>'

    def table_close(self, *_: Any) -> str:
        return "</table></div>"

    def fence(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return super().fence(tokens, index, options, env).replace("<pre>", '<pre class="scroll" tabindex="0">', 1)

    def image(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return f'<span class="picture">{super().image(tokens, index, options, env)}</span>'


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}, renderer_cls=Renderer).enable("table")


def anchor_of(heading: str) -> str:
    """As GitHub makes it, so that links work there too."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def sections(text: str) -> Iterator[tuple[str, str, int, tuple[str, ...]]]:
    """Anchor, title, level and lines of each section of a page that begins with a heading."""
    tokens = _parser().parse(text)
    starts = [place for place, token in enumerate(tokens) if token.type == "heading_open"]
    for start, end in zip(starts, [*starts[1:], len(tokens)], strict=True):
        heading = tokens[start + 1]
        level = int(tokens[start].tag.removeprefix("h"))
        yield anchor_of(heading.content), _plain(heading), level, tuple(_lines(tokens[start + 3 : end]))


def _lines(tokens: Sequence[Token]) -> Iterator[str]:
    cells: list[str] | None = None
    for token in tokens:
        if token.type == "tr_open":
            cells = []
        elif token.type == "tr_close" and cells is not None:
            yield " · ".join(filter(None, cells))
            cells = None
        elif token.type == "fence":
            yield from filter(None, map(str.strip, token.content.splitlines()))
        elif token.type == "inline" and cells is not None:
            cells.append(_plain(token))
        elif token.type == "inline":
            yield _plain(token)


def _plain(inline: Token) -> str:
    return "".join(
        " " if child.type in ("softbreak", "hardbreak") else child.content for child in inline.children or ()
    )


def to_html(text: str, link: Link) -> str:
    """The page as HTML: headings have anchors, pictures are inside, and links to other pages are those of `link`."""
    parser = _parser()
    tokens = parser.parse(text)
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor_of(tokens[place + 1].content))
            token.attrSet("tabindex", "-1")
        for child in token.children or ():
            if child.type == "link_open":
                child.attrs = dict(_link(str(child.attrGet("href")), link))
            elif child.type == "image":
                child.attrSet("src", _picture(str(child.attrGet("src"))))
    return str(parser.renderer.render(tokens, parser.options, {}))


def _link(address: str, link: Link) -> Mapping[str, str]:
    if re.match(r"[a-z]+:", address):
        return {"href": address, "target": "_blank", "rel": "noopener noreferrer"}
    page, _, anchor = address.partition("#")
    return link(page.removesuffix(".md"), anchor)


def _picture(path: str) -> str:
    """A picture of the package as its own address: an image in a page runs no scripts and asks for nothing."""
    kind = path.rpartition(".")[2]
    data = files("observatory.help").joinpath(path).read_bytes()
    return f"data:{MEDIA_TYPES[kind]};base64,{b64encode(data).decode()}"
