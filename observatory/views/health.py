"""App Health: what is going on, every service as a card, and one service in depth."""

from __future__ import annotations

from typing import Any

import panel as pn

from observatory.runtime.reader import Reader
from observatory.views import VIEWS
from observatory.views.components.base import Box
from observatory.views.components.cards import Cards, card, empty, shown, toolbar
from observatory.views.incidents import IncidentSection
from observatory.views.service import Drilldown
from observatory.views.session.live import live, session_document
from observatory.views.session.state import State


@VIEWS.register("health")
class AppHealth(pn.viewable.Viewer):  # type: ignore[misc]
    """Incidents, and cards, the worst first; a click opens the drill-down of a service."""

    title = "App Health"
    order = 10

    def __init__(self, runtime: Reader, state: State) -> None:
        super().__init__()
        self._runtime = runtime
        self._state = state
        if state.overview is None and not state.error:
            overview, error = live(runtime).read()
            state.param.update(overview=overview, error=error)
        self._link = "?service=" if session_document() is not None else None
        self._cards = Cards(self._on_message)
        self._incidents = IncidentSection(runtime, state, self._link)
        self._drilldown: Drilldown | None = None
        self._layout = Box(self._incidents, self._cards)
        state.param.watch(self._fill, ["overview", "trend"])
        state.param.watch(self._filter, ["overview", "trend", "search", "show", "service"])
        state.param.watch(self._switch, "service")
        self._fill()
        self._filter()
        self._switch()

    def __panel__(self) -> Any:
        return self._layout

    def _on_message(self, message: Any) -> None:
        self._state.accept(message, ("search", "show", "trend", "service", "view", "dark"))

    def _fill(self, *_: Any) -> None:
        overview = self._state.overview
        if overview is not None:
            now = overview.at.timestamp()
            self._cards.cards = [card(status, self._state.trend, now) for status in overview.services]

    def _filter(self, *_: Any) -> None:
        self._cards.data = cards_data(self._state, self._link)

    def _switch(self, *_: Any) -> None:
        """Build the drill-down when it is first asked for."""
        if self._state.service and self._drilldown is None:
            self._drilldown = Drilldown(self._runtime, self._state, self._link)
            self._layout.append(self._drilldown)


def cards_data(state: State, link: str | None) -> dict[str, Any]:
    """What stands around the cards, and which of them are shown."""
    statuses = state.overview.services if state.overview else ()
    names = shown(state, statuses)
    return {
        "away": bool(state.service),
        "toolbar": toolbar(state, statuses),
        "shown": names,
        "empty": empty(state.overview, len(names), state),
        "link": link,
    }
