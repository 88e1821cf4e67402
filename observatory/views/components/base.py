"""Components drawn by small scripts of our own: HTML and SVG in a shadow root, one message channel back.

A component is a script beside this module, sent inline: nothing is fetched from anywhere. It draws `data`
and sends back what the user did; what comes back is untrusted and goes through `State.accept`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import panel as pn
import param
from bokeh.models import ImportedStyleSheet, InlineStyleSheet
from panel.custom import JSComponent
from panel.io.resources import CDN_DIST, DIST_DIR, LOCAL_DIST

from observatory.views.components.theme import variables
from observatory.views.session.live import session_document

ASSETS = Path(__file__).parent / "assets"

OnMessage = Callable[[Any], None]


@cache
def asset(name: str) -> str:
    """Text of a script or style sheet."""
    return (ASSETS / name).read_text(encoding="utf-8")


@cache
def font_face() -> str:
    """The font as a style sheet of the page; shadow roots take fonts from there."""
    data = b64encode((ASSETS / "inter.woff2").read_bytes()).decode()
    return f"@font-face{{font-family:Inter;font-weight:100 900;src:url(data:font/woff2;base64,{data}) format('woff2')}}"


def module(name: str) -> str:
    """The script `name` with what it draws with, as a module that exports its ``render``."""
    return f"{asset('dom.js')}\n{asset(name)}\nexport {{ render }}\n"


def styles(*names: str) -> list[str]:
    """Colours, the base sheet and the sheets `names`."""
    return [variables(), asset("base.css"), asset("box.css"), *(asset(name) for name in names)]


class Inlined(pn.reactive.Reactive):  # type: ignore[misc]
    """Brings its style sheets along in a notebook, also when it is added to what is shown already.

    Panel does so only for what is there at first; what comes later would ask a CDN for them.
    """

    def _process_param_change(self, params: dict[str, Any]) -> dict[str, Any]:
        properties: dict[str, Any] = super()._process_param_change(params)
        if "stylesheets" in properties and session_document() is None:
            properties["stylesheets"] = [
                _inlined(sheet) if isinstance(sheet, ImportedStyleSheet) else sheet
                for sheet in properties["stylesheets"]
            ]
        return properties


def _inlined(sheet: Any) -> Any:
    """The text of one of Panel's own sheets in place of its address."""
    url = str(sheet.url).partition("?")[0]
    for place in (CDN_DIST, LOCAL_DIST):
        if url.startswith(place) and (file := DIST_DIR / url.removeprefix(place)).is_file():
            return InlineStyleSheet(css=file.read_text(encoding="utf-8"))
    return sheet


class Component(Inlined, JSComponent):  # type: ignore[misc]
    """Base of the components.

    Parameters
    ----------
    on_message
        Called with each message of the browser.
    """

    data = param.Dict({}, doc="What is drawn; see the script for its shape.")

    _esm = "export function render() {}"
    _sheets: tuple[str, ...] = ()

    def __init__(self, on_message: OnMessage | None = None, **params: Any) -> None:
        self._on_message = on_message
        super().__init__(**{"sizing_mode": "stretch_width", "stylesheets": styles(*self._sheets)} | params)

    def _handle_msg(self, data: Any) -> None:
        if self._on_message is not None:
            with pn.io.hold():  # what follows goes back as one message
                self._on_message(data)


class Figure(Inlined, pn.pane.Bokeh):  # type: ignore[misc]
    """A Bokeh figure."""


class Box(Inlined, pn.Column):  # type: ignore[misc]
    """A column laid out by a style sheet of ours. The components in it hide and dim it, see `dom.js`."""

    def __init__(self, *objects: Any, sheet: str = "", **params: Any) -> None:
        sheets = [variables(), asset("box.css"), *([asset(sheet)] if sheet else [])]
        super().__init__(*objects, **{"sizing_mode": "stretch_width", "margin": 0, "stylesheets": sheets} | params)
