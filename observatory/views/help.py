"""Help: the guides, with a search; they come with the package, so nothing is asked of any other machine."""

from __future__ import annotations

import json
from functools import cache
from itertools import groupby
from typing import Any

import panel as pn

from observatory.errors import NotFoundError
from observatory.help.search import Hit, search
from observatory.help.topics import Topic, topic, topics
from observatory.runtime import Runtime
from observatory.views import VIEWS
from observatory.views.components.base import Box, Component, module
from observatory.views.components.words import plural
from observatory.views.session.live import live, when_read
from observatory.views.session.state import State

CHOICES = ("help_page", "help_section", "help_search")
LONGEST_SEARCH = 300
"""More is not looked at [characters]."""


class HelpPages(Component):
    """The list of pages, a field for searching, and a page or what was found."""

    _esm = module("help.js")
    _sheets = ("help.css", "prose.css")


@VIEWS.register("help")
class Help(pn.viewable.Viewer):  # type: ignore[misc]
    """One page of the guides, or what was found in them."""

    title = "Help"
    order = 1000

    def __init__(self, runtime: Runtime, state: State) -> None:
        super().__init__()
        self._state = state
        self._pages = HelpPages(self._on_message, data=frame(state))
        self._layout = Box(self._pages)
        # The first reader waits for a library and for all pages to be parsed: not in the server's own thread.
        when_read(live(runtime).once(("help",), _warm_up), self._start)

    def __panel__(self) -> Any:
        return self._layout

    def _on_message(self, message: Any) -> None:
        self._state.accept(message, (*CHOICES, "dark"))

    def _start(self, _: Any, error: str) -> None:
        if error:
            self._pages.data = frame(self._state) | {"error": error}
            return
        self._state.param.watch(self._show, list(CHOICES))
        self._show()

    def _show(self, *_: Any) -> None:
        self._pages.data = help_data(self._state)


def _warm_up() -> None:
    search("help")


def frame(state: State) -> dict[str, Any]:
    """What stands around the page."""
    groups = groupby(topics(), key=lambda page: page.group)
    return {
        "groups": [
            {"title": title, "topics": [_entry(page.title, page.name) | {"name": page.name} for page in pages]}
            for title, pages in groups
        ],
        "name": state.help_page,
        "at": state.help_section,
        "search": state.help_search,
        "page": None,
        "found": None,
        "error": "",
    }


def help_data(state: State) -> dict[str, Any]:
    """What is drawn: what was found where something is looked for, otherwise the page that is open."""
    drawn = frame(state)
    if state.help_search.strip():
        return drawn | {"found": _found(state.help_search[:LONGEST_SEARCH])}
    try:
        return drawn | {"page": _page(topic(state.help_page))}
    except NotFoundError as error:
        return drawn | {"error": str(error)}


def link_to(name: str, anchor: str = "") -> dict[str, str]:
    """Attributes of a link to a page of the guides: an address of its own, and what a click says to the view."""
    message = {"help_page": name, "help_section": anchor, "help_search": ""}
    at = f"&at={anchor}" if anchor else ""
    return {"href": f"?view=help&page={name}{at}", "data-say": json.dumps(message)}


def _entry(title: str, name: str, anchor: str = "") -> dict[str, Any]:
    """A link with its title, as the script takes it."""
    link = link_to(name, anchor)
    return {"title": title, "href": link["href"], "say": link["data-say"]}


def _found(question: str) -> dict[str, Any]:
    hits = search(question)
    if not hits:
        return {"summary": f"Nothing found for “{question.strip()}”", "hint": "", "items": []}
    partial = bool(hits[0].missing)
    return {
        "summary": f"{plural(len(hits), 'section')} found" if not partial else "No section has all of these words",
        "hint": f"{plural(len(hits), 'section has', 'sections have')} some of them." if partial else "",
        "items": [_item(hit) for hit in hits],
    }


def _item(hit: Hit) -> dict[str, Any]:
    is_page = hit.section.level == 1
    return _entry(hit.section.title, hit.topic.name, "" if is_page else hit.section.anchor) | {
        "page": "" if is_page else hit.topic.title,
        "title": hit.title,
        "snippet": hit.snippet,
        "missing": ", ".join(hit.missing),
    }


@cache
def _page(page: Topic) -> dict[str, Any]:
    from observatory.help.markdown import to_html  # imported when somebody needs help

    pages = topics()
    place = pages.index(page)
    sides = {"previous": pages[max(0, place - 1) : place], "next": pages[place + 1 : place + 2]}
    return {
        "html": to_html(page.text, lambda name, anchor: link_to(name or page.name, anchor)),
        "contents": [
            _entry(s.title, page.name, s.anchor) | {"anchor": s.anchor} for s in page.sections if s.level == 2
        ],
        **{side: _entry(beside[0].title, beside[0].name) if beside else None for side, beside in sides.items()},
    }
