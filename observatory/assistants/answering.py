"""ANSWERING: the functions behind the tools. Imported when the first is called: they bring pandas and more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from observatory.assistants.anomalies import anomalies
from observatory.assistants.answers import Answer
from observatory.assistants.changes import changes
from observatory.assistants.graph import graph
from observatory.assistants.health import health
from observatory.assistants.history import history
from observatory.assistants.incidents import incident, incidents, similar
from observatory.runtime.reader import Reader

ANSWERING: dict[str, Callable[[Reader, Any], Answer]] = {
    "health": health,
    "incidents": incidents,
    "incident": incident,
    "anomalies": anomalies,
    "history": history,
    "graph": graph,
    "changes": changes,
    "similar": similar,
}
"""By name of the tool; each takes the arguments that `observatory.assistants.tools` says."""
