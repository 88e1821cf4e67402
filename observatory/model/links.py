"""Links to where more is to be seen: logs, traces, dashboards."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Link:
    """An address with a title."""

    title: str
    url: str
