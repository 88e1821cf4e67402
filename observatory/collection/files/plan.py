"""Where everything is in a file: which column or series is what, and how it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from observatory.collection.files.assignment import Assigned
from observatory.collection.files.dates import DayOrder


@dataclass(frozen=True, slots=True)
class Column:
    """A metric in a file: what it is called there, its unit, and what makes that the base unit."""

    name: str
    unit: str
    factor: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Where everything is in a file.

    `parts` names the columns of ``service``, ``time``, and in a file with a row a value ``metric`` and ``value``;
    `metrics` the columns, or the names in the column ``metric``; `unknown` are columns nobody needs. `service` is the
    one all rows are of; `zone` that of times without one; `seconds` the unit of times that are numbers.
    `series` are those of a file of another program, of which ``raw`` has a row a value. `decimal`, `missing` and
    `order` are how numbers and dates are written, where the user says so. `oldest` is the first time that there may be
    where the format says the unit of times.
    """

    parts: Mapping[str, str]
    metrics: Mapping[str, Column]
    unknown: tuple[str, ...] = ()
    service: str | None = None
    zone: str | None = None
    seconds: float | None = None
    duplicates: str = "error"
    ignore_unknown: bool = False
    series: tuple[Assigned, ...] = ()
    decimal: str | None = None
    missing: tuple[str, ...] = ()
    order: DayOrder | None = None
    oldest: datetime | None = None

    @property
    def is_long(self) -> bool:
        """Whether there is a row a value."""
        return "metric" in self.parts

    @property
    def layout(self) -> str:
        """What a row holds: ``wide``, ``long`` or ``series``."""
        return "series" if self.series else "long" if self.is_long else "wide"

    @property
    def has_parts(self) -> bool:
        """Whether several series are added up."""
        return len({(one.service, one.metric) for one in self.series}) < len(self.series)

    def hint(self, metric: str, unit: str) -> str:
        """The option that says the unit of a metric."""
        column = self.metrics[metric].name
        return (
            f"--metric {metric}:{unit}" if self.series and len(self.series) > 1 else f"--map {metric}='{column}:{unit}'"
        )

    def raw_names(self) -> dict[str, str]:
        """Columns of the file by what they are called while it is checked."""
        names = {column: f"{part}_text" for part, column in self.parts.items()}
        return names if self.is_long else names | {column.name: name for name, column in self.metrics.items()}
