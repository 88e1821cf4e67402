"""The whole page: header, one view at a time, the shared poll and the URL.

The document that the server sends already holds the header and the cards as data, drawn by the same scripts
before any library is there; the live components take their place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import panel as pn
from panel.io.resources import LOCAL_DIST

from observatory.health.overview import Overview
from observatory.runtime.reader import Reader
from observatory.views import VIEWS, View, view_names
from observatory.views.components.base import Box, asset, font_face, styles
from observatory.views.components.browser import Browser
from observatory.views.components.cards import card
from observatory.views.components.header import PRODUCT, Header, header
from observatory.views.components.theme import variables
from observatory.views.health import cards_data
from observatory.views.session.live import live, session_document
from observatory.views.session.state import State


class Page:
    """One browser window on the workbench.

    Parameters
    ----------
    runtime
        What is looked at.
    query
        Query of the URL that was asked for.
    dark
        Whether the browser is likely to want the dark theme; it tells by itself a moment later.
    """

    def __init__(self, runtime: Reader, query: str = "", *, dark: bool = True) -> None:
        self.runtime = runtime
        self.state = State(dark=dark)
        self.state.follow(query)
        if self.state.view not in VIEWS:
            self.state.view = view_names()[0]
        overview, error = live(runtime).read()
        self.state.param.update(overview=overview, error=error)
        self.header = Header(self._on_message)
        self.browser = Browser(self.state)
        self.main = Box(self.browser)
        self.views: list[View] = []
        self._open: list[str] = []
        self._polls = 0
        self.state.param.watch(self._describe, ["overview", "error", "view", "theme", "dark", "show"])
        self.state.param.watch(self._switch, "view")
        self._describe()
        self._switch()

    def servable(self) -> None:
        """Show it in the session of `panel serve` that runs this, and follow the shared poll."""
        pn.extension()
        document = session_document()
        if document is None:
            return
        # Panel says where its style sheets are when it sends the page. A session that a browser opens anew over its
        # socket, after the server has started again, sends none, and would ask for them on the internet.
        document.template_variables.setdefault("dist_url", LOCAL_DIST)
        for name, part in (("header", self.header), ("main", self.main)):
            position = len(document.roots)  # Panel adds roots of its own after ours
            part.servable(title=PRODUCT, location=False)
            document.roots[position].name = name
        document.template = asset("page.html")
        document.template_variables.update(first_view(self.state, self.header.data))
        shared = live(self.runtime)
        shared.subscribe(document, self.receive)
        pn.state.on_session_destroyed(lambda _: shared.unsubscribe(document))

    def receive(self, overview: Overview | None, error: str) -> None:
        """Take news of the poll; what was last read stays on the page when reading failed."""
        self._polls += 1
        with pn.io.hold():
            self.state.param.update(overview=overview or self.state.overview, error=error)
            self._describe()

    def _on_message(self, message: Any) -> None:
        self.state.accept(message, ("view", "service", "show", "search", "theme"))
        if isinstance(message, dict) and message.get("refresh"):
            live(self.runtime).refresh()

    def _describe(self, *_: Any) -> None:
        self.header.data = header(self.state, self.runtime, self._polls)

    def _switch(self, *_: Any) -> None:
        """Show the view that is chosen; each is built when it is first asked for."""
        name = self.state.view if self.state.view in VIEWS else view_names()[0]
        if name not in self._open:
            view = VIEWS.get(name)(self.runtime, self.state)
            self.views.append(view)
            self.main.append(view)
            self._open.append(name)
        self.browser.shown = self._open.index(name)


def query_of(arguments: dict[str, list[bytes]]) -> str:
    """The query that a session was opened with."""
    return urlencode([(key, value.decode("utf-8", "replace")) for key, values in arguments.items() for value in values])


def wants_dark(cookies: Mapping[str, str]) -> bool:
    """What the browser had last, from the cookie that ``browser.js`` leaves."""
    return cookies.get("observatory-dark") != "false"


def first_view(state: State, head: dict[str, Any]) -> dict[str, Any]:
    """Variables of the page's template: what is drawn before the live components are there."""
    shows_cards = state.view == "health" and not state.service and state.overview is not None
    now = state.overview.at.timestamp() if state.overview else 0.0
    data = {
        "header": head,
        "main": cards_data(state, "?service=") if shows_cards else None,
        "cards": [card(status, state.trend, now) for status in state.overview.services] if shows_cards else [],
    }
    return {
        "html_attrs": "data-observatory",
        "first_data": json.dumps(data).replace("<", "\\u003c"),
        "first_script": asset("dom.js"),
        "first_header": asset("header.js"),
        "first_cards": asset("cards.js"),
        "first_header_css": "".join(styles("header.css")),
        "first_cards_css": "".join(styles("cards.css")),
        "page_css": font_face() + variables() + asset("page.css"),
    }
