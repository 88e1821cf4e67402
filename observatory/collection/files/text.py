"""Files of text as they come: UTF-8 or UTF-16, compressed or not, with Excel's ``sep=;`` or comments on top."""

from __future__ import annotations

import codecs
import contextlib
import csv
import gzip
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import IO, TextIO, cast

from observatory.errors import InvalidInputError

DELIMITERS = ",;\t|"
LONGEST_LINE = 1 << 20
HEAD = 64
"""Lines that formats look at to know a file."""
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SEPARATOR = re.compile(r'\s*"?sep=(.)"?\s*', re.IGNORECASE)


@dataclass(frozen=True)
class Head:
    """The first lines of a file without what is no data: how cells are kept apart, and the first rows of them.

    `separator` is the sign that Excel's first line names; `comments` are lines that begin with ``#``, left out of
    `lines` and `rows` (but not of `all_lines`).
    """

    path: Path
    encoding: str
    all_lines: tuple[str, ...]
    separator: str | None
    comments: int

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The first lines that are data."""
        kept = self.all_lines[1:] if self.separator else self.all_lines
        return tuple(line for line in kept if line.strip() and not line.startswith("#"))

    @cached_property
    def delimiter(self) -> str:
        """What keeps cells apart: as Excel's line says, else the sign that is most often in the first line."""
        first = self.lines[0] if self.lines else ""
        return self.separator or max(DELIMITERS, key=_outside_quotes(first).count)

    @cached_property
    def rows(self) -> list[list[str]]:
        """The first lines as cells."""
        return list(csv.reader(self.lines, delimiter=self.delimiter))

    @property
    def names(self) -> list[str]:
        """Cells of the first line."""
        return self.rows[0] if self.rows else []

    @property
    def starts(self) -> str:
        """The first sign that is no blank: tells JSON."""
        return next((line.lstrip()[0] for line in self.all_lines if line.strip()), "")


class TextFile:
    """A file of text.

    Raises
    ------
    InvalidInputError
        It cannot be read, is empty, or is in no encoding that is known.
    """

    def __init__(self, path: Path, encoding: str | None = None) -> None:
        self.path = path
        self.encoding = self._known(encoding) if encoding else self._find_encoding()
        self.head = self._read_head()

    def open(self) -> TextIO:
        """The file as text, from its start."""
        return io.TextIOWrapper(self._bytes(), encoding=self.encoding, newline="")

    def lines(self) -> Iterator[tuple[int, str]]:
        """Its lines with their numbers, without Excel's ``sep=`` line and without comments."""
        with self._reading(), self.open() as file:
            for number, line in enumerate(file, 1):
                if line.startswith("#") or (number == 1 and self.head.separator):
                    continue
                yield number, line

    def cells(self) -> Iterator[list[str]]:
        """Rows of a CSV file as cells, the first line among them; blank lines are left out."""
        try:
            for cells in csv.reader((line for _, line in self.lines()), delimiter=self.head.delimiter):
                if cells:
                    yield cells
        except csv.Error as error:
            raise InvalidInputError(f"{self.path}: {error}") from None

    def read(self) -> str:
        """All of it."""
        with self._reading(), self.open() as file:
            return file.read()

    def _bytes(self) -> IO[bytes]:
        opened = gzip.open if self.path.suffix.lower() == ".gz" else open
        return cast(IO[bytes], opened(self.path, "rb"))

    def _find_encoding(self) -> str:
        with self._reading(), self._bytes() as file:
            start = file.read(4096)
        for mark, encoding in _MARKS:
            if start.startswith(mark):
                return encoding
        if start.count(0) > len(start) // 3:  # text in Latin letters as UTF-16: each second byte is 0
            return "utf-16-be" if start[:1] == b"\0" else "utf-16-le"
        return "utf-8"

    def _known(self, encoding: str) -> str:
        try:
            return codecs.lookup(encoding).name
        except LookupError:
            raise InvalidInputError(
                f"encoding {encoding!r} is not known: give one such as utf-8, utf-16 or cp1252"
            ) from None

    def _read_head(self) -> Head:
        with self._reading(), self.open() as file:
            lines = tuple(line[:LONGEST_LINE] for line in islice(file, HEAD))
        if not any(line.strip() for line in lines):
            raise InvalidInputError(f"{self.path} is empty: its first line must name the columns")
        named = _SEPARATOR.fullmatch(lines[0].rstrip("\r\n"))
        return Head(self.path, self.encoding, lines, named and named[1], sum(line.startswith("#") for line in lines))

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """What cannot be read is told as an error of the file."""
        try:
            yield
        except (OSError, UnicodeDecodeError, EOFError) as error:
            hint = ""
            if isinstance(error, UnicodeDecodeError) and self.encoding.startswith("utf-8"):
                hint = ": say how it is written (--encoding cp1252, or utf-16)"
            raise InvalidInputError(f"{self.path} cannot be read: {error}{hint}") from None


def _outside_quotes(line: str) -> str:
    return re.sub(r'"[^"]*"', "", line)
