"""Datadog: the CSV of a graph, whose columns are queries with their scopes, and JSON of ``/api/v1/query``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

from observatory.collection.files.formats import FORMATS
from observatory.collection.files.formats.columns import read_columns
from observatory.collection.files.labels import parse
from observatory.collection.files.series import Reading, Row, Series
from observatory.collection.files.text import Head, TextFile
from observatory.errors import InvalidInputError

_QUERY = re.compile(r"(avg|sum|min|max|count|p\d+):[\w.]+\{.*\}")


class DatadogCsv:
    """A column a query, such as ``avg:trace.http.request.hits{service:cart}``."""

    title = "Datadog's CSV"

    def recognise(self, head: Head) -> bool:
        """A column is a query."""
        return any(_QUERY.fullmatch(name.strip()) for name in head.names)

    def read(self, file: TextFile, reading: Reading) -> Iterator[Row]:
        """Its values; times that are numbers are ms."""
        reading.seconds = 1e-3
        return read_columns(file, reading)


class DatadogJson:
    """The answer to a query of timeseries points."""

    title = "Datadog's JSON"

    def recognise(self, head: Head) -> bool:
        """It has lists of points."""
        return head.starts == "{" and any('"pointlist"' in line for line in head.all_lines)

    def read(self, file: TextFile, reading: Reading) -> Iterator[Row]:
        """Its values; times are ms, null is no value."""
        reading.seconds = 1e-3
        try:
            answer = json.loads(file.read())
            for one in answer["series"]:
                number = reading.number(_series(one))
                for row, (time, value) in enumerate(one["pointlist"], 1):
                    if value is not None:
                        yield row, number, repr(time), repr(value)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidInputError(f"{file.path} is no answer of Datadog: {error!r}") from None


def _series(one: dict[str, object]) -> Series:
    metric, scope = str(one["metric"]), str(one.get("scope") or "*")
    found = parse(f"{metric}{{{scope}}}")
    tags = one.get("tag_set")
    pairs = dict(found[1] if found else ())
    if isinstance(tags, list):
        pairs |= {key: value for key, _, value in (str(tag).partition(":") for tag in tags)}
    return replace(Series.labelled(metric, pairs), unit=_unit(one.get("unit")))


def _unit(said: object) -> str:
    """``request/second`` of Datadog's two parts."""
    parts = [str(part["name"]) for part in said if part] if isinstance(said, list) else []
    return "/".join(parts)


FORMATS.register("datadog")(DatadogCsv())
FORMATS.register("datadog-json")(DatadogJson())
