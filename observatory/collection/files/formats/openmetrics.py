"""Lines of samples: OpenMetrics and Prometheus text, ``promtool tsdb dump`` and ``dump-openmetrics``.

All have a series, a value and a time a line. OpenMetrics, which ends with ``# EOF``, has times in seconds; the others
in ms. A scrape has no times: it is one moment, and no history.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from observatory.collection.files.formats import FORMATS
from observatory.collection.files.labels import parse
from observatory.collection.files.series import Reading, Row, Series
from observatory.collection.files.text import Head, TextFile
from observatory.errors import InvalidInputError

LINE = re.compile(
    r"""(?P<series>[a-zA-Z_:][\w:.]*\s*(?:\{(?:[^"}]|"(?:\\.|[^"\\])*")*\})?|\{(?:[^"}]|"(?:\\.|[^"\\])*")*\})"""
    r"""\s+(?P<value>[+-]?(?:[0-9][0-9.eE+-]*|\.[0-9]+|[Ii]nf|NaN|nan)|\{.*?\})"""
    r"""(?:\s+(?P<time>[+-]?[0-9][0-9.eE+]*))?(?:\s+\#.*)?\s*"""
)
_EOF = "# EOF"


class SampleLines:
    """A sample a line, its name and labels in front."""

    title = "a sample a line, as OpenMetrics or promtool's dump"

    def recognise(self, head: Head) -> bool:
        """The first line that is no comment is a sample, and there are labels, a time or descriptions."""
        first = next(iter(head.lines), "")
        found = LINE.fullmatch(first)
        described = any(line.startswith(("# TYPE ", "# HELP ")) for line in head.all_lines)
        return found is not None and (described or found["time"] is not None or "{" in found["series"])

    def read(self, file: TextFile, reading: Reading) -> Iterator[Row]:
        """Its values."""
        reading.seconds = 1.0 if _ends_with_eof(file) else 1e-3
        known: dict[str, int] = {}
        for number, line in file.lines():
            if not line.strip():
                continue
            found = LINE.fullmatch(line)
            if found is None:
                raise InvalidInputError(f"{file.path}: line {number} is no sample: {line.strip()[:80]!r}")
            text, value, time = found["series"], found["value"], found["time"]
            if value.startswith("{"):
                reading.leave_out("native histogram", text)
            elif time is None:
                raise InvalidInputError(
                    f"{file.path}: line {number} has no time: this is a scrape, which is one moment and no history"
                )
            else:
                if text not in known:
                    known[text] = reading.number(_series(text))
                yield number, known[text], time, value


def _series(text: str) -> Series:
    found = parse(text)
    return Series.labelled(found[0], dict(found[1])) if found else Series.labelled(text.strip(), {})


def _ends_with_eof(file: TextFile) -> bool:
    last = ""
    with file.open() as text:
        for line in text:
            last = line if line.strip() else last
    return last.strip() == _EOF


FORMATS.register("openmetrics")(SampleLines())
