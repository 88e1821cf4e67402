"""CloudWatch: JSON of ``get-metric-data`` and ``get-metric-statistics``, and the CSV of a graph of the console."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from observatory.collection.files.formats import FORMATS
from observatory.collection.files.series import Reading, Row, Series
from observatory.collection.files.text import Head, TextFile
from observatory.errors import InvalidInputError

_TIME = re.compile(r"\d{4}[-/]\d{2}[-/]\d{2}")
_STATISTICS = ("Average", "Sum", "Minimum", "Maximum", "SampleCount")


class CloudWatchJson:
    """What ``aws cloudwatch get-metric-data`` or ``get-metric-statistics`` printed."""

    title = "CloudWatch's JSON"

    def recognise(self, head: Head) -> bool:
        """It has results of metrics, or data points."""
        text = "".join(head.all_lines)
        return head.starts == "{" and ('"MetricDataResults"' in text or '"Datapoints"' in text)

    def read(self, file: TextFile, reading: Reading) -> Iterator[Row]:
        """Its values; an answer that goes on elsewhere is said to be a part."""
        reading.time, reading.seconds = "Timestamps", 1.0
        try:
            answer = json.loads(file.read())
            if answer.get("NextToken"):
                reading.notes.append("the answer has a NextToken: there is more, which this file does not hold")
            if "Datapoints" in answer:
                yield from _statistics(answer, reading)
            for result in answer.get("MetricDataResults", ()):
                yield from _result(result, reading)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidInputError(f"{file.path} is no answer of CloudWatch: {error!r}") from None


def _result(result: dict[str, Any], reading: Reading) -> Iterator[Row]:
    label, name = str(result.get("Label") or result["Id"]), str(result["Id"])
    number = reading.number(Series(label, also=(name,)))
    status = result.get("StatusCode", "Complete")
    if status != "Complete":
        reading.notes.append(f"{label!r} is not whole: its status is {status}")
    for row, (time, value) in enumerate(zip(result["Timestamps"], result["Values"], strict=True), 1):
        yield row, number, str(time), repr(value)


def _statistics(answer: dict[str, Any], reading: Reading) -> Iterator[Row]:
    for row, point in enumerate(answer["Datapoints"], 1):
        values = {name: point[name] for name in _STATISTICS if name in point} | point.get("ExtendedStatistics", {})
        for statistic, value in values.items():
            series = Series(f"{answer['Label']} {statistic}", also=(statistic,), unit=str(point.get("Unit", "")))
            yield row, reading.number(series), str(point["Timestamp"]), repr(value)


class CloudWatchCsv:
    """*Download as CSV* of the console: what each column is stands in lines above the first time."""

    title = "CloudWatch's CSV"

    def recognise(self, head: Head) -> bool:
        """The first cell is ``Full label`` or ``Label``."""
        return len(head.names) > 1 and head.names[0].strip().lower() in ("full label", "label")

    def read(self, file: TextFile, reading: Reading) -> Iterator[Row]:
        """Its values, with the units that it names."""
        about: dict[str, list[str]] = {}
        numbers: list[int] = []
        row = 0
        for line in file.cells():
            if not _TIME.match(line[0].strip()):
                if numbers:
                    raise InvalidInputError(f"{file.path}: row {row + 1} begins with {line[0]!r}, which is no time")
                about[line[0].strip().lower()] = line[1:]
                continue
            row += 1
            numbers = numbers or [reading.number(one) for one in _columns(about)]
            if len(line) != len(numbers) + 1:
                raise InvalidInputError(f"{file.path}: row {row} has {len(line)} cells, not {len(numbers) + 1}")
            for number, value in zip(numbers, line[1:], strict=True):
                if value:
                    yield row, number, line[0], value
        reading.time = "the first column"


def _columns(about: dict[str, list[str]]) -> list[Series]:
    names = about.get("full label") or about["label"]
    also = [about[key] for key in ("id", "label") if len(about.get(key, ())) == len(names)]
    units = about.get("unit", [""] * len(names))
    return [
        Series(name, also=tuple(dict.fromkeys(other[at] for other in also)), unit=units[at] if at < len(units) else "")
        for at, name in enumerate(names)
    ]


FORMATS.register("cloudwatch")(CloudWatchCsv())
FORMATS.register("cloudwatch-json")(CloudWatchJson())
