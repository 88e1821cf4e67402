"""An inventory of series that are named, without a server: its index is asked as that of a server is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

import numpy as np

from observatory.errors import QueryRefusedError
from observatory.sources.prometheus.about import PROMETHEUS, Build
from observatory.sources.prometheus.answers import Answer, Series
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.inventory import Inventory, read_inventory

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Found = Sequence[tuple[Mapping[str, str], float]]
"""Labels and values of an answer."""


class Known:
    """A client that knows these series, written as in an exposition, and answers queries by a function.

    Where that returns None the query is refused.
    """

    def __init__(
        self,
        *series: str,
        answer: Callable[[str], Found | None] = lambda query: (),
        build: Build = Build(PROMETHEUS, "2.42.0"),  # noqa: B008 – frozen
    ) -> None:
        self._series = [_parsed(one) for one in series]
        self._answer, self._build = answer, build
        self.queries: list[str] = []

    def build(self) -> Build:
        return self._build

    def instant(self, query: str, at: datetime) -> Answer:
        self.queries.append(query)
        found = self._answer(query)
        if found is None:
            raise QueryRefusedError("refused")
        return Answer([Series(labels, np.array([at.timestamp()]), np.array([value])) for labels, value in found])

    def label_names(self, match: Sequence[str], start: datetime, end: datetime) -> list[str]:
        return sorted({name for labels in self._matching(match) for name in labels})

    def label_values(self, label: str, match: Sequence[str], start: datetime, end: datetime) -> list[str]:
        return sorted({labels[label] for labels in self._matching(match) if label in labels})

    def _matching(self, match: Sequence[str]) -> list[dict[str, str]]:
        names = {one.removeprefix('{"').removesuffix('"}') for one in match}
        return [labels for labels in self._series if not names or labels["__name__"] in names]

    def inventory(self) -> Inventory:
        """What it has, as it is read of a server."""
        return read_inventory(cast(PrometheusClient, self), NOW, NOW)


def _parsed(series: str) -> dict[str, str]:
    name, _, labels = series.partition("{")
    return {"__name__": name} | dict(re.findall(r'([\w.]+)="([^"]*)"', labels))
