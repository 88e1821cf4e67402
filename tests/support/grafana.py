"""Dashboards of Grafana as files: what is in them, and what Grafana would make of their queries."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "dashboards" / "grafana"
BOARDS: dict[str, dict[str, Any]] = {
    file.stem: json.loads(file.read_text("utf-8")) for file in sorted(FOLDER.glob("*.json"))
}
PROMETHEUS, INFINITY = "prometheus", "yesoreyeram-infinity-datasource"
USED = re.compile(r"\$(?:\{([A-Za-z_][\w.]*)(?::[^}]*)?\}|([A-Za-z_]\w*))")

Target = dict[str, Any]


def panels(board: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Panels, rows and what is in rows that are closed."""
    return [one for panel in board["panels"] for one in (panel, *panel.get("panels", ()))]


def targets(board: Mapping[str, Any], kind: str) -> Iterator[tuple[str, Target]]:
    """Queries of a kind of data source, each with where it is."""
    for panel in panels(board):
        for target in panel.get("targets", ()):
            if target["datasource"]["type"] == kind:
                yield f"{panel['title']} {target['refId']}", target
    for annotation in board["annotations"]["list"]:
        if annotation["datasource"]["type"] == kind:
            yield f"annotation {annotation['name']}", annotation["target"]
    for variable in board["templating"]["list"]:
        if variable.get("datasource", {}).get("type") == kind and kind == INFINITY:
            yield f"variable {variable['name']}", variable["query"]["infinityQuery"]


def texts(value: object) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)


def variables(text: str) -> list[str]:
    """Names of the variables that a text uses."""
    return [braced or plain for braced, plain in USED.findall(text)]


def filled_in(text: str, values: Mapping[str, str]) -> str:
    """A text with the values of its variables."""
    return USED.sub(lambda found: values[found[1] or found[2]], text)
