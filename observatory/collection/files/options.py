"""How a file is to be read: what its user says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from observatory.collection.files.dates import ORDERS, DayOrder
from observatory.collection.files.formats import FORMATS
from observatory.collection.files.numbers import DECIMALS
from observatory.collection.files.units import TIME_UNITS
from observatory.errors import InvalidInputError
from observatory.times import parse_zone


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a file is to be read.

    Parameters
    ----------
    columns
        What the file calls a thing: ``service``, ``time``, ``metric``, ``value`` or a metric of the catalogue, each
        with a column's name, and for metrics ``:unit`` where it is not the base unit. In a long file a metric's
        name in the column ``metric`` is meant; in a file of another program a series, and for ``service`` a label.
        ``SERVICE:METRIC`` says of a series both.
    service
        Name of the service, where the file has no column of them.
    zone
        Time zone of times that have none.
    time_unit
        Unit of times that are numbers since 1970.
    duplicates
        Which of two rows of one service and time counts; by default they are an error.
    ignore_unknown
        Leave out what has no counterpart in the catalogue instead of refusing the file.
    add_up
        Whether series of one service and metric are added up; by default they are an error.
    metric
        The metric that all series are, with ``:unit`` where it is not the base unit.
    format
        The format's name, where the file is not to be asked what it is.
    decimal, missing, dates, encoding
        How numbers, missing values, dates and letters are written, where the file does not tell.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    service: str | None = None
    zone: str | None = None
    time_unit: str | None = None
    duplicates: Literal["error", "first", "last"] = "error"
    ignore_unknown: bool = False
    metric: str | None = None
    format: str | None = None
    decimal: str | None = None
    missing: tuple[str, ...] = ()
    dates: DayOrder | None = None
    encoding: str | None = None
    add_up: bool = False

    def check(self) -> None:
        """Raise InvalidInputError for what cannot be, whatever the file."""
        if self.time_unit is not None and self.time_unit not in TIME_UNITS:
            raise InvalidInputError(f"time unit {self.time_unit!r}: choose from {', '.join(TIME_UNITS)}")
        if self.zone is not None:
            parse_zone(self.zone)
        if self.decimal is not None and self.decimal not in DECIMALS:
            raise InvalidInputError(f"decimal sign {self.decimal!r}: choose from {' '.join(DECIMALS)}")
        if self.dates is not None and self.dates not in ORDERS:
            raise InvalidInputError(f"dates {self.dates!r}: choose from {', '.join(ORDERS)}")
        if self.format is not None:
            FORMATS.get(self.format)

    @property
    def seconds(self) -> float | None:
        """The unit of times that are numbers, in seconds."""
        return TIME_UNITS[self.time_unit] if self.time_unit else None
