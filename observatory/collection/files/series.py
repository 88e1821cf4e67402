"""Series of a file: what formats hand on, whatever they look like inside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from observatory.collection.files import labels
from observatory.collection.files.text import Head, TextFile

Row = tuple[int, int, str, str]
"""A value: its row in the file, the number of its series, time and value as they are written."""


@dataclass(frozen=True, slots=True)
class Series:
    """One series as a file names it.

    Parameters
    ----------
    text
        The whole of its name, as the file writes it or as Prometheus would: what people give to ``--map``.
    name
        The metric's name, empty where the file has none.
    labels
        What tells it from others of that name, sorted.
    also
        Other names by which people may mean it: the column of its values, a field, an id.
    unit
        Unit of its values where the file says it.
    """

    text: str
    name: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    also: tuple[str, ...] = ()
    unit: str = ""

    @classmethod
    def named(cls, text: str, *also: str, unit: str = "") -> Series:
        """A series by its legend, with the labels that it shows."""
        found = labels.parse(text)
        return cls(text, *found, also=also, unit=unit) if found else cls(text, also=also, unit=unit)

    @classmethod
    def labelled(cls, name: str, pairs: dict[str, str], *also: str) -> Series:
        """A series by its labels."""
        kept = tuple(sorted((key, value) for key, value in pairs.items() if value and key != labels.NAME))
        name = name or pairs.get(labels.NAME, "")
        return cls(labels.written(name, kept), name, kept, also)

    @property
    def is_legend(self) -> bool:
        """Whether all that is known of it is one text, which may be in a column with a name."""
        return not self.name and [value for _, value in self.labels] in ([], [self.text])

    def label(self, name: str) -> str:
        """Value of a label; empty if it has none of that name."""
        return next((value for key, value in self.labels if key == name), "")


@dataclass(slots=True)
class Reading:
    """What a format finds out while it reads: series by number, how times are written, what it leaves out and why.

    `time` is what the file calls the time; `seconds` the unit of times that are numbers, where the format has one.
    `wanted_time` is the column of times that was asked for, if any.
    """

    wanted_time: str | None = None
    time: str = "time"
    seconds: float | None = None
    series: list[Series] = field(default_factory=list)
    left_out: dict[str, tuple[int, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _numbers: dict[Series, int] = field(default_factory=dict)

    def number(self, series: Series) -> int:
        """The number of a series; the same one again for an equal one."""
        known = self._numbers.get(series)
        if known is None:
            known = self._numbers[series] = len(self.series)
            self.series.append(series)
        return known

    def leave_out(self, reason: str, example: str) -> None:
        """Count something that is not taken, with the first example."""
        count, first = self.left_out.get(reason, (0, example))
        self.left_out[reason] = (count + 1, first)


class Format(Protocol):
    """A format of other programs' files; registered in `observatory.collection.files.formats`."""

    title: str
    """What people call it."""

    def recognise(self, head: Head) -> bool:
        """Whether the first lines of a file are of this format, and of no other."""

    def read(self, file: TextFile, reading: Reading) -> Iterator[Row]:
        """The file's values; fills `reading` on the way.

        Raises
        ------
        InvalidInputError
            It is not what it seemed; the message names the line.
        """
