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
from panel.custom import JSComponent

from observatory.views.theme import variables

ASSETS = Path(__file__).parent / "assets"

Hear = Callable[[Any], None]


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


class Component(JSComponent):  # type: ignore[misc]
    """Base of the components.

    Parameters
    ----------
    hear
        Called with each message of the browser.
    """

    data = param.Dict({}, doc="What is drawn; see the script for its shape.")

    _esm = "export function render() {}"
    _sheets: tuple[str, ...] = ()

    def __init__(self, hear: Hear | None = None, **params: Any) -> None:
        self._hear = hear
        super().__init__(**{"sizing_mode": "stretch_width", "stylesheets": styles(*self._sheets)} | params)

    def _handle_msg(self, data: Any) -> None:
        if self._hear is not None:
            with pn.io.hold():  # what follows goes back as one message
                self._hear(data)


class Box(pn.Column):  # type: ignore[misc]
    """A column laid out by a style sheet of ours. The components in it hide and dim it, see `dom.js`."""

    def __init__(self, *objects: Any, sheet: str = "", **params: Any) -> None:
        sheets = [variables(), asset("box.css"), *([asset(sheet)] if sheet else [])]
        super().__init__(*objects, **{"sizing_mode": "stretch_width", "margin": 0, "stylesheets": sheets} | params)
