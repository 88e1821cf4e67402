"""Outputs of a notebook as they may stand in a report: pictures, tables and text, and nothing that runs.

A page with scripts could send what it shows to anybody, whatever its policy says: by leading itself to an address,
or over WebRTC. So a report has none.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from html import escape
from typing import Any

import nh3

STILL = "application/vnd.observatory.still+html"
"""In an output, what stands for it in a report."""
KEPT = {"text/plain", "text/markdown", "text/latex", "image/svg+xml", "image/png", "image/jpeg", "image/gif"}
"""Kinds that nbconvert escapes, or shows as pictures."""
LEFT_OUT = "<p><em>Something to interact with was here. A report has no scripts: open the notebook to see it.</em></p>"
SCRIPTS = ("<script", "<iframe", "<object", "<embed")
TAGS = nh3.ALLOWED_TAGS | {"style", "section", "main", "tfoot", "label"}
ATTRIBUTES = nh3.ALLOWED_ATTRIBUTES | {
    "*": {"class", "id", "title", "style", "role", "aria-label", "aria-hidden", "dir", "lang", "border", "open"}
}
PICTURES = "data:image/"


def make_scriptless(notebook: Any) -> None:
    """Leave in the outputs of `notebook` (an `nbformat` node) only what may stand in a report."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if "data" in output:
                _clean(output["data"])


def clean_html(html: str) -> str:
    """HTML without scripts, forms, frames, and pictures or links that load by themselves."""
    return str(
        nh3.clean(
            html,
            tags=TAGS,
            clean_content_tags={"script", "noscript", "template", "iframe", "object", "embed"},
            attributes=ATTRIBUTES,
            attribute_filter=_filter,
            url_schemes={"http", "https", "mailto", "data"},
            link_rel="noopener noreferrer",
        )
    )


def as_image(svg: str, alt: str = "") -> str:
    """SVG as a picture: so nothing in it runs, and nothing is loaded."""
    from base64 import b64encode

    data = b64encode(svg.encode()).decode()
    return f'<img alt="{escape(alt)}" src="data:image/svg+xml;base64,{data}">'


def _clean(data: MutableMapping[str, Any]) -> None:
    html = _text(data.get("text/html", ""))
    ran = "application/javascript" in data or any(word in html.lower() for word in SCRIPTS)
    still = _text(data.get(STILL, ""))
    is_shown = any(kind.startswith("image/") for kind in data)
    for kind in [kind for kind in data if kind not in KEPT]:
        del data[kind]
    if still:
        data["text/html"] = clean_html(still)
    elif not ran and html:
        data["text/html"] = clean_html(html)
    elif ran and not is_shown:
        data["text/html"] = clean_html(html) + LEFT_OUT


def _text(content: Any) -> str:
    """What the format keeps as one text, or as a list of lines."""
    return content if isinstance(content, str) else "".join(content)


def _filter(tag: str, attribute: str, value: str) -> str | None:
    """Pictures are in the page itself; links lead to pages."""
    is_data = value.strip().lower().startswith("data:")
    if tag == "img" and attribute == "src":
        return value if value.startswith(PICTURES) else None
    return None if attribute in ("href", "cite", "src") and is_data else value
