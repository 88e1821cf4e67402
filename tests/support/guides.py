"""The README and the guides as what they hold: blocks of code, links, headings, commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

import observatory

ROOT = Path(__file__).parents[2]
HELP = Path(observatory.__file__).parent / "help"
AT_THE_ROOT = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
OPERATORS = {"&&", "||", "|", ";", "&"}
PROGRAM = re.compile(r"(\./start\.sh|(\S*/)?observatory)")


@dataclass(frozen=True)
class Block:
    """A fenced block of code."""

    language: str
    text: str


@dataclass(frozen=True)
class Guide:
    """One page of Markdown."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @cached_property
    def tokens(self) -> list[Token]:
        return MarkdownIt("commonmark").enable("table").parse(self.text)

    @cached_property
    def inline(self) -> list[Token]:
        return [child for token in self.tokens for child in token.children or ()]

    @property
    def blocks(self) -> list[Block]:
        return [Block(token.info.strip(), token.content) for token in self.tokens if token.type == "fence"]

    @property
    def links(self) -> list[str]:
        """Where links and pictures lead."""
        found = [token.attrGet("href") or token.attrGet("src") for token in self.inline]
        return [str(link) for link in found if link]

    @cached_property
    def headings(self) -> list[str]:
        pairs = zip(self.tokens, self.tokens[1:], strict=False)
        return [text.content for token, text in pairs if token.type == "heading_open"]

    @property
    def anchors(self) -> set[str]:
        """Of headings, as GitHub makes them."""
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in self.headings}

    @property
    def commands(self) -> list[list[str]]:
        """What the page shows people to type after ``observatory`` or ``./start.sh``, in words."""
        return [words for block in self.blocks for line in command_lines(block) for words in calls(line)]

    @property
    def mentions(self) -> list[list[str]]:
        """The same within sentences, where a verb may be named without what it needs."""
        return [words for token in self.inline if token.type == "code_inline" for words in calls(token.content)]


def command_lines(block: Block) -> Iterator[str]:
    """The lines of a block that a person types, put together where they go on."""
    if block.language not in ("bash", "console", "ini"):
        return
    text = block.text.replace("\\\n", " ")
    for line in text.splitlines():
        if block.language == "console":
            if line.startswith("$ "):
                yield line[2:]
        elif block.language == "ini":
            if line.startswith("ExecStart="):
                yield line.removeprefix("ExecStart=")
        else:
            yield line


def calls(line: str) -> Iterator[list[str]]:
    """Every call of our program in a line of a shell: its arguments."""
    if not re.search(r"(^|[ /])(observatory|start\.sh)( |$)", line):
        return
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # no line of a shell
        return
    start = None
    for place, word in enumerate([*words, ";"]):
        if word in OPERATORS:
            if start is not None:
                yield words[start:place]
            start = None
        elif start is None and PROGRAM.fullmatch(word) and all("=" in w for w in _before(words, place)):
            start = place + 1


def _before(words: list[str], place: int) -> list[str]:
    """Words between the last operator and `place`: variables, where our program is what is called."""
    first = max((i + 1 for i, word in enumerate(words[:place]) if word in OPERATORS), default=0)
    return words[first:place]


@cache
def pages() -> tuple[Guide, ...]:
    """The guides of the package."""
    return tuple(Guide(path) for path in sorted(HELP.glob("*.md")))


@cache
def guides() -> tuple[Guide, ...]:
    """All that is written for people: at the root of the repository, and the guides."""
    return (*(Guide(ROOT / name) for name in AT_THE_ROOT), *pages())


def page(name: str) -> Guide:
    return next(guide for guide in guides() if guide.path.stem == name)
