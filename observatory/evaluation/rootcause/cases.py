"""A fault with its truth: what was measured, who calls whom, and which service was guilty."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from observatory.errors import InvalidInputError

Graph = tuple[tuple[str, str], ...]
"""Calls as (caller, callee)."""


@dataclass(frozen=True, slots=True)
class FaultCase:
    """One labelled fault.

    Attributes
    ----------
    group, name
        The data set, and the case in it.
    frames
        A frame a service: a UTC index and numeric columns, history and incident.
    start, end
        The incident.
    causes
        The guilty services; one is enough for a hit.
    graph
        Who calls whom; None where that is not known.
    """

    group: str
    name: str
    frames: Mapping[str, pd.DataFrame]
    start: pd.Timestamp
    end: pd.Timestamp
    causes: frozenset[str]
    graph: Graph | None = None


def read_list(path: Path) -> list[dict[str, Any]]:
    """The JSON objects of a file; raises InvalidInputError that names it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
        raise InvalidInputError(f"{path} must hold a list of objects, one a case")
    return content


def need(table: pd.DataFrame, columns: tuple[str, ...], path: Path) -> None:
    """Raise InvalidInputError where a file lacks a column."""
    missing = [name for name in columns if name not in table]
    if missing:
        raise InvalidInputError(f"{path} has no column {missing[0]}: it has {', '.join(map(str, table))}")


def field(case: dict[str, Any], name: str, path: Path) -> Any:
    """What a case says under `name`, where ``a.b`` is ``b`` in ``a``; raises InvalidInputError that names both."""
    value: Any = case
    for part in name.split("."):
        if not isinstance(value, dict) or value.get(part) is None:
            raise InvalidInputError(f"{path}: a case has no {name}: {json.dumps(case)[:200]}")
        value = value[part]
    return value


def time_of(case: dict[str, Any], name: str, path: Path) -> pd.Timestamp:
    """A time of a case, in UTC where it has no zone."""
    text = field(case, name, path)
    try:
        time = pd.Timestamp(text)
    except (ValueError, TypeError) as error:
        raise InvalidInputError(f"{path}: {name} = {text!r} is no time: {error}") from error
    return time.tz_localize("UTC") if time.tz is None else time.tz_convert("UTC")
