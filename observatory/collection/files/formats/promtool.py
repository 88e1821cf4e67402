"""What ``promtool query range`` prints: a line with the series, then its values, each with ``@[time]``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from observatory.collection.files.formats import FORMATS
from observatory.collection.files.labels import parse
from observatory.collection.files.series import Reading, Row, Series
from observatory.collection.files.text import Head, TextFile
from observatory.errors import InvalidInputError

_SERIES = re.compile(r"(?P<series>.*\S)\s*=>\s*(?P<rest>.*)", re.DOTALL)
_POINT = re.compile(r"\s*(?P<value>\S+)\s+@\[(?P<time>[0-9.eE+]+)\]\s*")


class PromtoolQuery:
    """The text that promtool prints for a query."""

    title = "promtool's answer to a query"

    def recognise(self, head: Head) -> bool:
        """A series with an arrow, and a value with its time."""
        lines = [line for line in head.lines if line.strip()][:2]
        return bool(lines) and _SERIES.fullmatch(lines[0]) is not None and "@[" in "".join(lines)

    def read(self, file: TextFile, reading: Reading) -> Iterator[Row]:
        """Its values; times are seconds."""
        reading.seconds = 1.0
        series: int | None = None
        for number, line in file.lines():
            head = _SERIES.fullmatch(line)
            if head is not None:
                found = parse(head["series"])
                one = Series.labelled(found[0], dict(found[1])) if found else Series.labelled(head["series"], {})
                series = reading.number(one)
                line = head["rest"]
            if not line.strip():
                continue
            point = _POINT.fullmatch(line)
            if point is None or series is None:
                raise InvalidInputError(f"{file.path}: line {number} is no value with its time: {line.strip()[:80]!r}")
            yield number, series, point["time"], point["value"]


FORMATS.register("promtool")(PromtoolQuery())
