"""Prometheus: JSON of ``/api/v1/query_range`` and ``/api/v1/query``, and of ``promtool query range -o json``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from observatory.collection.files.formats import FORMATS
from observatory.collection.files.series import Reading, Row, Series
from observatory.collection.files.text import Head, TextFile
from observatory.errors import InvalidInputError


class PrometheusJson:
    """An answer of the HTTP API of Prometheus, or of a server that speaks like it."""

    title = "Prometheus' JSON"

    def recognise(self, head: Head) -> bool:
        """It has a type of result, or a list of metrics with values; lines of VictoriaMetrics have timestamps apart."""
        text = "".join(head.all_lines)
        metrics = '"metric"' in text and ('"values"' in text or '"value"' in text)
        return head.starts in "{[" and '"timestamps"' not in text and ('"resultType"' in text or metrics)

    def read(self, file: TextFile, reading: Reading) -> Iterator[Row]:
        """Its values; times are seconds, histograms are left out."""
        reading.seconds = 1.0
        try:
            answer = json.loads(file.read())
            if isinstance(answer, dict) and answer.get("status") == "error":
                raise InvalidInputError(f"{file.path} is an error of the server: {answer.get('error')}")
            yield from _read(_result(answer), reading)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidInputError(f"{file.path} is no answer of Prometheus: {error!r}") from None


def _result(answer: Any) -> list[dict[str, Any]]:
    if isinstance(answer, list):
        return answer
    data = answer.get("data", answer)
    if data.get("resultType") in ("scalar", "string"):
        raise KeyError(f"a {data['resultType']} has no series")
    result: list[dict[str, Any]] = data["result"] or []
    return result


def _read(result: list[dict[str, Any]], reading: Reading) -> Iterator[Row]:
    for one in result:
        points = one.get("values") or ([one["value"]] if "value" in one else [])
        series = Series.labelled("", one["metric"])
        if not points:
            reading.leave_out("series of histograms, or without values", series.text)
            continue
        number = reading.number(series)
        for row, (time, value) in enumerate(points, 1):
            yield row, number, repr(time), str(value)


FORMATS.register("prometheus-json")(PrometheusJson())
