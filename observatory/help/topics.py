"""The pages of the guides, in the order of the index.

>>> topic("access").title
'Access'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

from observatory.errors import NotFoundError
from observatory.suggest import did_you_mean

INDEX = "index"


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it, up to the next heading.

    Attributes
    ----------
    anchor
        What a link to it ends with, after the ``#``.
    level
        1 for the title of the page, 2 for its sections, and so on.
    lines
        The plain text: one line for each paragraph, item of a list, row of a table and line of code.
    """

    anchor: str
    title: str
    level: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Topic:
    """One page: its name, the heading it stands under in the index, and its Markdown."""

    name: str
    group: str
    text: str

    @property
    def title(self) -> str:
        """The first line."""
        return self.text.partition("\n")[0].removeprefix("# ").strip()

    @property
    def summary(self) -> str:
        """The first paragraph: what the page is for."""
        return self.text.split("\n\n", 2)[1].replace("\n", " ")

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """Its sections in order; the first is the beginning of the page."""
        from observatory.help.markdown import sections  # takes a moment to import

        return tuple(Section(*parts) for parts in sections(self.text))


@cache
def topics() -> tuple[Topic, ...]:
    """All pages: the index, then what it lists in its order, then what it does not list."""
    pages = [file for file in files("observatory.help").iterdir() if file.name.endswith(".md")]
    texts = {file.name.removesuffix(".md"): file.read_text("utf-8") for file in pages}
    groups = {INDEX: ""}
    group = ""
    for heading, name in re.findall(r"(?m)^## (.+)$|^- \[.*?\]\(([\w-]+)\.md\)", texts[INDEX]):
        group = heading or group
        if name in texts:
            groups[name] = group
    groups |= {name: "More" for name in sorted(texts) if name not in groups}
    return tuple(Topic(name, group, texts[name]) for name, group in groups.items())


def topic(name: str) -> Topic:
    """The page called `name`.

    Raises
    ------
    NotFoundError
        There is none; the message names those that are close.
    """
    pages = {page.name: page for page in topics()}
    if name in pages:
        return pages[name]
    hint = did_you_mean(name, pages, "`observatory help` lists them", most=3)
    raise NotFoundError(f"the guides have no page {name!r}: {hint}")
