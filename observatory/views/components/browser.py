"""What the page and the browser agree on: the URL with its history, and the theme.

Panel's own URL sync writes every default into the URL and does not follow the back button; this does.
"""

from __future__ import annotations

from typing import Any

import param

from observatory.views.components.base import Component, module
from observatory.views.session.state import State


class Browser(Component):
    """Draws nothing; keeps `query` and the URL, `theme` and the page, `shown` and the views in step."""

    query = param.String("", doc="Query of the URL, without its question mark.")
    shown = param.Integer(0, doc="Which of the views beside it is open; the others are put away.")
    theme = param.String("auto", doc="auto, dark or light; remembered by the browser.")

    _esm = module("browser.js")

    def __init__(self, state: State, **params: Any) -> None:
        super().__init__(self._on_message, query=state.query(), theme=state.theme, height=0, margin=0, **params)
        self._state = state
        state.param.watch(self._tell, [*state.shared, "theme"])

    def _tell(self, *_: Any) -> None:
        self.param.update(query=self._state.query(), theme=self._state.theme)

    def _on_message(self, message: Any) -> None:
        """The back button, a remembered theme, what the system prefers, or the Escape key."""
        if not isinstance(message, dict):
            return
        if isinstance(query := message.get("query"), str):
            self._state.follow(query)
        if message.get("back"):
            self._state.service = ""
        self._state.accept(message, ("theme", "dark"))
