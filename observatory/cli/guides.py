"""``observatory help``: the guides in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from observatory.cli.common import say

if TYPE_CHECKING:
    from observatory.help.search import Hit

WIDEST = 110
"""Columns of a page; longer lines are hard to read."""


def guides(
    context: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(help="A page, or words to search for; none lists the pages.", metavar="TOPIC")
    ] = None,
) -> None:
    """Show a page of the guides, search in them, or list them."""
    from observatory.help.topics import topics

    names = {page.name: page for page in topics()} | {page.title.lower(): page for page in topics()}
    if not words:
        _list_topics()
    elif (page := names.get(" ".join(words).lower())) is not None:
        _show(page.text)
    else:
        verbs = getattr(context.parent and context.parent.command, "commands", {})
        if words[0] in verbs:
            say(f"`observatory {words[0]} --help` shows the options of this verb.\n")
        _search(" ".join(words))


def _list_topics() -> None:
    from observatory.help.topics import INDEX, topics

    group = ""
    for page in topics():
        if page.name == INDEX:
            continue
        if page.group != group:
            group = page.group
            typer.secho(f"\n{group}", bold=True)
        say(f"  {page.name:<17}{page.summary}")
    say("\n`observatory help access` shows a page, `observatory help api key` searches for words.")


def _show(text: str) -> None:
    """With links as they are written: a terminal could not follow them."""
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console()
    console.print(Markdown(text, code_theme="ansi_dark", hyperlinks=False), width=min(console.width, WIDEST))


def _search(question: str) -> None:
    """Print the best sections.

    Raises
    ------
    NotFoundError
        No page has any of the words.
    """
    from observatory.errors import NotFoundError
    from observatory.help.search import search

    hits = search(question)
    if not hits:
        raise NotFoundError(f"the guides say nothing about {question!r}: `observatory help` lists the pages")
    if hits[0].missing:
        say("No section has all of these words; these have some:\n")
    for hit in hits:
        _print_hit(hit)
    say(f"`observatory help {hits[0].topic.name}` shows the first of these pages.")


def _print_hit(hit: Hit) -> None:
    where = hit.section.title if hit.section.level > 1 else hit.topic.title
    typer.secho(f"{hit.topic.name}", bold=True, nl=False)
    say(f"  {where}")
    snippet = "".join(typer.style(text, bold=True) if matches else text for text, matches in hit.snippet)
    say(f"  {snippet}\n")
